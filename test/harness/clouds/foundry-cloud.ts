import type { Clock } from "../../../src/core/clock.ts";
import { authorizeAzure, TEST_AZURE_KEY } from "./azure-auth.ts";
import type { CloudRequest } from "./cloud-request.ts";
import { jsonAnswer, violation, type CloudError, type Dialect, type Verdict, type WholeAnswer } from "./dialect.ts";
import { judgeMessages } from "./messages-endpoint.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { anthropicModel } from "./model-names.ts";
import { newRequestId } from "./request-id.ts";
import { TokenBook } from "./tokens.ts";

export interface FoundryOptions {
  /** Default: TEST_AZURE_KEY. */
  readonly keys?: readonly string[];
  /** Entra tokens. */
  readonly tokens?: readonly string[];
  /** Deployments by name → the engine's model; besides them every model's own id is a deployment. */
  readonly deployments?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

/** Claude in Microsoft Foundry: the Messages API under `/anthropic`, models by deployment name. */
export class FoundryCloud implements Dialect {
  readonly name = "foundry";
  readonly promptTooLong = MESSAGES_PROMPT_TOO_LONG;
  readonly tokens: TokenBook;
  readonly #keys: readonly string[];
  readonly #deployments: Readonly<Record<string, string>>;

  constructor(options: FoundryOptions = {}) {
    this.tokens = new TokenBook(options.tokens ?? [], options.clock);
    this.#keys = options.keys ?? [TEST_AZURE_KEY];
    this.#deployments = options.deployments ?? {};
  }

  error(error: CloudError): WholeAnswer {
    const requestId = newRequestId("req_foundry_");
    const headers = { ...answerHeaders(requestId), ...error.headers };
    // What Azure's front end refuses has Azure's form, what the model refuses has Anthropic's.
    const isAzures = error.code !== undefined;
    const body = isAzures ? { error: { code: error.code, message: error.message } } : messagesError(error, requestId);
    return jsonAnswer(body, headers, error.status);
  }

  judge(request: CloudRequest): Verdict {
    authorizeAzure(request, { keys: this.#keys, tokens: this.tokens, keyHeaders: ["api-key", "x-api-key"] });
    if (!request.path.startsWith("/anthropic/")) {
      throw violation({ status: 404, code: "404", message: "Resource not found" }, "the path lacks /anthropic");
    }
    const requestId = newRequestId("req_foundry_");
    return judgeMessages(request, request.path.slice("/anthropic".length), {
      model: (name) => this.#deployments[name] ?? anthropicModel(name),
      unknownModel: () => ({
        status: 404,
        code: "DeploymentNotFound",
        message:
          "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.",
      }),
      headers: answerHeaders(requestId),
      requestId,
    });
  }
}

function answerHeaders(requestId: string): Record<string, string> {
  return { "request-id": requestId, "apim-request-id": requestId, "x-ms-region": "Sweden Central" };
}
