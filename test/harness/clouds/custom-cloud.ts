import type { CloudRequest } from "./cloud-request.ts";
import { bearerOf } from "./cloud-request.ts";
import { jsonAnswer, violation, type CloudError, type Dialect, type Verdict, type WholeAnswer } from "./dialect.ts";
import { judgeMessages } from "./messages-endpoint.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { anthropicModel } from "./model-names.ts";
import { newRequestId } from "./request-id.ts";

export const TEST_CUSTOM_TOKEN = "self-hosted-stand-in-token";

export interface CustomOptions {
  /** Tokens accepted as bearer; `none` for a server without credentials, which then must not get any. */
  readonly bearers?: readonly string[] | "none";
  /** What stands before `/v1/messages`. */
  readonly prefix?: string;
  /** The server's own names → the engine's models. */
  readonly models?: Readonly<Record<string, string>>;
}

/** A Messages endpoint on a machine of the organisation's own. */
export class CustomCloud implements Dialect {
  readonly name = "custom";
  readonly promptTooLong = MESSAGES_PROMPT_TOO_LONG;
  readonly #options: CustomOptions;

  constructor(options: CustomOptions = {}) {
    this.#options = options;
  }

  error(error: CloudError): WholeAnswer {
    return jsonAnswer(messagesError(error, null), { ...error.headers }, error.status);
  }

  judge(request: CloudRequest): Verdict {
    const { prefix = "", models = {} } = this.#options;
    this.#authorize(request);
    if (!request.path.startsWith(`${prefix}/`)) throw violation({ status: 404, message: "Not found" });
    const requestId = newRequestId("local_");
    return judgeMessages(request, request.path.slice(prefix.length), {
      model: (name) => models[name] ?? anthropicModel(name),
      unknownModel: (name) => ({ status: 404, message: `The model \`${name}\` does not exist.` }),
      headers: { "x-request-id": requestId },
      requestId,
    });
  }

  #authorize(request: CloudRequest): void {
    const { bearers = [TEST_CUSTOM_TOKEN] } = this.#options;
    const sent = ["authorization", "x-api-key", "api-key"].filter((name) => request.headers[name] !== undefined);
    if (bearers === "none") {
      if (sent.length > 0)
        throw violation({ status: 400, message: `this server asks for no credential, but ${sent[0]} came` });
      return;
    }
    if (!bearers.includes(bearerOf(request) ?? ""))
      throw violation({ status: 401, message: "Unauthorized" }, "unknown bearer token");
  }
}
