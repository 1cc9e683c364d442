import type { AnthropicErrorType } from "../../core/error-codes.ts";
import { envelope, isObject, parseJson, readEnvelope, wordsOf } from "../cloud/envelope.ts";
import { typeOfStatus } from "../anthropic/error-type.ts";

/** What Google's canonical status names mean in the Messages API's terms. */
const TYPE_OF_STATUS: Readonly<Record<string, AnthropicErrorType>> = {
  INVALID_ARGUMENT: "invalid_request_error",
  FAILED_PRECONDITION: "invalid_request_error",
  OUT_OF_RANGE: "invalid_request_error",
  ALREADY_EXISTS: "invalid_request_error",
  UNIMPLEMENTED: "invalid_request_error",
  UNAUTHENTICATED: "authentication_error",
  PERMISSION_DENIED: "permission_error",
  NOT_FOUND: "not_found_error",
  RESOURCE_EXHAUSTED: "rate_limit_error",
  UNAVAILABLE: "overloaded_error",
  DEADLINE_EXCEEDED: "timeout_error",
  INTERNAL: "api_error",
  UNKNOWN: "api_error",
  ABORTED: "api_error",
  DATA_LOSS: "api_error",
};

/** Google's name for each error type, for clients that look for it. */
const STATUS_OF_TYPE: Readonly<Record<AnthropicErrorType, string>> = {
  invalid_request_error: "INVALID_ARGUMENT",
  request_too_large: "INVALID_ARGUMENT",
  authentication_error: "UNAUTHENTICATED",
  permission_error: "PERMISSION_DENIED",
  not_found_error: "NOT_FOUND",
  rate_limit_error: "RESOURCE_EXHAUSTED",
  billing_error: "RESOURCE_EXHAUSTED",
  timeout_error: "DEADLINE_EXCEEDED",
  overloaded_error: "UNAVAILABLE",
  api_error: "INTERNAL",
};

export function googleStatusOf(type: AnthropicErrorType): string {
  return STATUS_OF_TYPE[type];
}

/**
 * A Vertex error answer as a canonical envelope: the model's refusals are envelopes already and stay as they are; the
 * platform's (`{"error":{code,message,status}}`, on streams in an array) are made into one, the message word for word.
 */
export function decodeVertexError(status: number, body: Buffer): Buffer {
  const text = body.toString("utf8");
  const parsed = parseJson(text);
  if (readEnvelope(parsed) !== null) return body;
  const first: unknown = Array.isArray(parsed) ? parsed[0] : parsed;
  const error = isObject(first) && isObject(first["error"]) ? first["error"] : {};
  const { message, status: name } = error;
  return Buffer.from(
    envelope({
      type: (typeof name === "string" ? TYPE_OF_STATUS[name] : undefined) ?? typeOfStatus(status),
      message: typeof message === "string" && message !== "" ? message : wordsOf(status, text),
      requestId: null,
    }),
  );
}
