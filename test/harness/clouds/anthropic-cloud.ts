import { BUILTIN_MODELS } from "../../../src/message/models.ts";
import { bearerOf, headerOf, type CloudRequest } from "./cloud-request.ts";
import { jsonAnswer, violation, type CloudError, type Dialect, type Verdict, type WholeAnswer } from "./dialect.ts";
import { judgeMessages } from "./messages-endpoint.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { anthropicModel } from "./model-names.ts";
import { newRequestId } from "./request-id.ts";

export const TEST_ANTHROPIC_KEY = "sk-ant-api03-stand-in";

export interface AnthropicOptions {
  /** Default: TEST_ANTHROPIC_KEY. */
  readonly apiKeys?: readonly string[];
  /** OAuth tokens accepted as bearer. */
  readonly oauthTokens?: readonly string[];
}

/** The Anthropic API. */
export class AnthropicCloud implements Dialect {
  readonly name = "anthropic";
  readonly promptTooLong = MESSAGES_PROMPT_TOO_LONG;
  readonly #apiKeys: readonly string[];
  readonly #oauthTokens: readonly string[];

  constructor(options: AnthropicOptions = {}) {
    this.#apiKeys = options.apiKeys ?? [TEST_ANTHROPIC_KEY];
    this.#oauthTokens = options.oauthTokens ?? [];
  }

  error(error: CloudError): WholeAnswer {
    const requestId = newRequestId("req_anthropic_");
    const headers = { "request-id": requestId, "x-should-retry": String(isRetryable(error.status)), ...error.headers };
    return jsonAnswer(messagesError(error, requestId), headers, error.status);
  }

  judge(request: CloudRequest): Verdict {
    this.#authorize(request);
    if (request.method === "GET" && request.path === "/v1/models") return listModels(newRequestId("req_anthropic_"));
    const requestId = newRequestId("req_anthropic_");
    return judgeMessages(request, request.path, {
      model: anthropicModel,
      unknownModel: (name) => ({ status: 404, message: `model: ${name}` }),
      headers: answerHeaders(requestId),
      requestId,
    });
  }

  #authorize(request: CloudRequest): void {
    const key = headerOf(request, "x-api-key");
    const bearer = bearerOf(request);
    if (key === null && bearer === null) throw unauthorized("x-api-key header is required");
    if (key !== null && !this.#apiKeys.includes(key)) throw unauthorized("invalid x-api-key");
    // Anthropic's SDK sends API keys as bearer tokens since 1.0.
    const isKnown = bearer === null || this.#oauthTokens.includes(bearer) || this.#apiKeys.includes(bearer);
    if (!isKnown) throw unauthorized("Invalid bearer token");
  }
}

/** The headers with which Anthropic's own service answers, rate limits included: a gateway must not show them to callers. */
function answerHeaders(requestId: string): Record<string, string> {
  return {
    "request-id": requestId,
    "anthropic-organization-id": "11111111-2222-4333-8444-555555555555",
    "anthropic-ratelimit-requests-limit": "4000",
    "anthropic-ratelimit-requests-remaining": "3999",
    "anthropic-ratelimit-requests-reset": "2026-11-20T12:00:00Z",
  };
}

/** The answer to `GET /v1/models`. */
export function listModels(requestId: string): Verdict {
  const data = BUILTIN_MODELS.map(({ id, label }) => ({
    type: "model",
    id,
    display_name: label,
    created_at: "2026-01-01T00:00:00Z",
  }));
  const page = { data, has_more: false, first_id: data[0]?.id ?? null, last_id: data.at(-1)?.id ?? null };
  return { kind: "answer", answer: jsonAnswer(page, { "request-id": requestId }), charged: null };
}

function unauthorized(message: string): Error {
  return violation({ status: 401, message });
}

function isRetryable(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}
