import { listModels } from "./anthropic-cloud.ts";
import { AwsGate, type AwsGateOptions } from "./aws-auth.ts";
import { bearerOf, headerOf, type CloudRequest } from "./cloud-request.ts";
import { jsonAnswer, violation, type CloudError, type Dialect, type Verdict, type WholeAnswer } from "./dialect.ts";
import { judgeMessages } from "./messages-endpoint.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { anthropicModel } from "./model-names.ts";
import { newRequestId } from "./request-id.ts";

export const TEST_WORKSPACE = "wrkspc_01StandIn";

export interface AnthropicAwsOptions extends Partial<Omit<AwsGateOptions, "service" | "bearers">> {
  /** Keys accepted as `x-api-key` and, as Anthropic's SDK sends them, as bearer tokens. */
  readonly apiKeys?: readonly string[];
  /** Default: TEST_WORKSPACE. */
  readonly workspaces?: readonly string[];
}

/** Claude Platform on AWS: the Anthropic API behind AWS's signatures, with a workspace in every request. */
export class AnthropicAwsCloud implements Dialect {
  readonly name = "anthropicAws";
  readonly gate: AwsGate;
  readonly promptTooLong = MESSAGES_PROMPT_TOO_LONG;
  readonly #apiKeys: readonly string[];
  readonly #workspaces: readonly string[];

  constructor(options: AnthropicAwsOptions = {}) {
    // The service name of @anthropic-ai/aws-sdk.
    this.gate = new AwsGate({ ...options, bearers: [], service: "aws-external-anthropic" });
    this.#apiKeys = options.apiKeys ?? [];
    this.#workspaces = options.workspaces ?? [TEST_WORKSPACE];
  }

  error(error: CloudError): WholeAnswer {
    const requestId = newRequestId("req_aws_");
    // AWS's names for failed signatures are no types of the envelope.
    const { code: _, ...plain } = error;
    const headers = { "request-id": requestId, "x-amzn-requestid": requestId, ...error.headers };
    return jsonAnswer(messagesError(plain, requestId), headers, error.status);
  }

  judge(request: CloudRequest): Verdict {
    this.#authorize(request);
    const workspace = headerOf(request, "anthropic-workspace-id");
    if (workspace === null) throw violation({ status: 400, message: "anthropic-workspace-id: header is required" });
    if (!this.#workspaces.includes(workspace)) {
      throw violation({ status: 403, message: `The workspace ${workspace} is not accessible` });
    }
    const requestId = newRequestId("req_aws_");
    if (request.method === "GET" && request.path === "/v1/models") return listModels(requestId);
    return judgeMessages(request, request.path, {
      model: anthropicModel,
      unknownModel: (name) => ({ status: 404, message: `model: ${name}` }),
      headers: { "request-id": requestId, "x-amzn-requestid": requestId },
      requestId,
    });
  }

  #authorize(request: CloudRequest): void {
    const key = headerOf(request, "x-api-key") ?? bearerOf(request);
    if (key === null) return this.gate.check(request);
    if (!this.#apiKeys.includes(key)) throw violation({ status: 401, message: "invalid x-api-key" });
  }
}
