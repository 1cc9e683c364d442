import type { AnthropicErrorType } from "../../core/error-codes.ts";
import { envelope, isErrorType, isObject, parseJson, readEnvelope, wordsOf } from "../cloud/envelope.ts";
import { typeOfStatus } from "../anthropic/error-type.ts";

/** What each exception of the runtime means in the Messages API's terms. Names as in `x-amzn-errortype`. */
const TYPE_OF_EXCEPTION: Readonly<Record<string, AnthropicErrorType>> = {
  ValidationException: "invalid_request_error",
  ConflictException: "invalid_request_error",
  AccessDeniedException: "permission_error",
  ExpiredTokenException: "authentication_error",
  UnrecognizedClientException: "authentication_error",
  InvalidSignatureException: "authentication_error",
  MissingAuthenticationTokenException: "authentication_error",
  IncompleteSignatureException: "authentication_error",
  ResourceNotFoundException: "not_found_error",
  ThrottlingException: "rate_limit_error",
  ServiceQuotaExceededException: "rate_limit_error",
  ModelNotReadyException: "overloaded_error",
  ServiceUnavailableException: "overloaded_error",
  ModelTimeoutException: "timeout_error",
  ModelErrorException: "api_error",
  ModelStreamErrorException: "api_error",
  InternalServerException: "api_error",
};

/**
 * How each error type is called for clients of Bedrock. A key that Weir refuses is no expired AWS credential: the names
 * for those make clients sign in again and repeat.
 */
const EXCEPTION_OF_TYPE: Readonly<Record<AnthropicErrorType, string>> = {
  invalid_request_error: "ValidationException",
  request_too_large: "ValidationException",
  authentication_error: "AccessDeniedException",
  permission_error: "AccessDeniedException",
  not_found_error: "ResourceNotFoundException",
  rate_limit_error: "ThrottlingException",
  billing_error: "ServiceQuotaExceededException",
  timeout_error: "ModelTimeoutException",
  overloaded_error: "ServiceUnavailableException",
  api_error: "InternalServerException",
};

/** The exceptions that a stream may carry, by error type; in streams their names begin in lower case. */
const STREAM_EXCEPTION_OF_TYPE: Readonly<Record<AnthropicErrorType, string>> = {
  invalid_request_error: "validationException",
  request_too_large: "validationException",
  authentication_error: "internalServerException",
  permission_error: "internalServerException",
  not_found_error: "internalServerException",
  rate_limit_error: "throttlingException",
  billing_error: "throttlingException",
  timeout_error: "modelTimeoutException",
  overloaded_error: "serviceUnavailableException",
  api_error: "internalServerException",
};

export function exceptionOf(type: string): string {
  return isErrorType(type) ? EXCEPTION_OF_TYPE[type] : EXCEPTION_OF_TYPE.api_error;
}

export function streamExceptionOf(type: string): string {
  return isErrorType(type) ? STREAM_EXCEPTION_OF_TYPE[type] : STREAM_EXCEPTION_OF_TYPE.api_error;
}

/** Bedrock knows no 529; its 503 says the same, and AWS's SDKs repeat that one alone. */
export function bedrockStatus(status: number): number {
  return status === 529 ? 503 : status;
}

/** A Bedrock error answer as a canonical envelope, the message word for word. */
export function decodeBedrockError(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer {
  const text = body.toString("utf8");
  const parsed = parseJson(text);
  if (isEnvelope(parsed)) return body;
  const requestId = headers["x-amzn-requestid"];
  return Buffer.from(
    envelope({
      type: typeOfException(exceptionName(headers, parsed), parsed) ?? typeOfStatus(status),
      message: messageOf(parsed) ?? wordsOf(status, text),
      requestId: typeof requestId === "string" ? requestId : null,
    }),
  );
}

/** An exception frame of a stream as the payload of a canonical error event. `name` is its `:exception-type`. */
export function decodeStreamException(name: string, payload: Buffer): string {
  const text = payload.toString("utf8");
  const parsed = parseJson(text);
  const className = name.charAt(0).toUpperCase() + name.slice(1);
  return envelope({
    type: typeOfException(className, parsed) ?? "api_error",
    message: messageOf(parsed) ?? (text.trim() === "" ? name : text),
    requestId: null,
  });
}

function isEnvelope(parsed: unknown): boolean {
  // Weir's own answers to Bedrock clients hold both shapes: the AWS message decides there.
  return readEnvelope(parsed) !== null && messageOf(parsed) === null;
}

/** `ThrottlingException` from the header `ThrottlingException:http://…`, or from the body's `__type`. */
function exceptionName(headers: Readonly<Record<string, unknown>>, parsed: unknown): string {
  const header = headers["x-amzn-errortype"];
  const type = isObject(parsed) ? parsed["__type"] : null;
  const name = typeof header === "string" ? header : typeof type === "string" ? type : "";
  return name.slice(name.lastIndexOf("#") + 1).split(":", 1)[0] ?? "";
}

function typeOfException(name: string, parsed: unknown): AnthropicErrorType | null {
  // A Weir upstream says the type outright.
  const named = isObject(parsed) ? (readEnvelope(parsed)?.type ?? parsed["type"]) : null;
  if (isErrorType(named)) return named;
  const byOrigin = isObject(parsed) ? typeOfOrigin(parsed["originalStatusCode"]) : null;
  return byOrigin ?? TYPE_OF_EXCEPTION[name] ?? null;
}

/** A model's own status within a stream exception: 429 and 529 are worth another try elsewhere. */
function typeOfOrigin(status: unknown): AnthropicErrorType | null {
  return typeof status === "number" && status >= 400 ? typeOfStatus(status) : null;
}

function messageOf(parsed: unknown): string | null {
  if (!isObject(parsed)) return null;
  for (const key of ["message", "Message"]) {
    const message = parsed[key];
    if (typeof message === "string" && message !== "") return message;
  }
  return null;
}
