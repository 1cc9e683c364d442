import { typeOfStatus } from "../anthropic/error-type.ts";
import type { AnthropicErrorType } from "../../core/error-codes.ts";
import type { WeirError } from "../../core/weir-error.ts";
import { errorHeaders } from "../anthropic/error-body.ts";
import type { EncodedError } from "../codec.ts";
import { type JsonObject, type JsonRecord, isObject } from "./json-reader.ts";

/** The inside of OpenAI's error body. */
export interface OpenaiError {
  readonly message: string;
  readonly type: string;
  readonly param: string | null;
  readonly code: string | null;
}

interface ErrorKind {
  readonly type: string;
  /** The code that OpenAI's clients know for it; null where they know none. */
  readonly code: string | null;
}

/** Anthropic's error types in OpenAI's words. */
const OPENAI_KINDS: Readonly<Record<AnthropicErrorType, ErrorKind>> = {
  invalid_request_error: { type: "invalid_request_error", code: null },
  authentication_error: { type: "invalid_request_error", code: "invalid_api_key" },
  permission_error: { type: "permission_error", code: null },
  not_found_error: { type: "invalid_request_error", code: null },
  request_too_large: { type: "invalid_request_error", code: "request_too_large" },
  rate_limit_error: { type: "rate_limit_error", code: "rate_limit_exceeded" },
  billing_error: { type: "insufficient_quota", code: "insufficient_quota" },
  timeout_error: { type: "server_error", code: "timeout" },
  api_error: { type: "server_error", code: null },
  overloaded_error: { type: "server_error", code: "overloaded" },
};

/**
 * What Claude Code's recovery from a too long prompt looks for when the wording is not Anthropic's own: put behind the
 * upstream's message, and taken off again for clients of OpenAI's formats.
 */
const TOO_LONG = " (capability_rejected: prompt_too_long)";
/** Anthropic's words and Bedrock's. */
const TOO_LONG_WORDS = /^prompt is too long|^input is too long for requested model|exceed context limit/i;
const CONTEXT_CODE = "context_length_exceeded";

/** Weir's own error for a client of an OpenAI format. OpenAI's known code where there is one, else Weir's. */
export function encodeWeirError(error: WeirError, requestId: string): EncodedError {
  const kind = OPENAI_KINDS[error.row.type];
  const code = error.code === "weir:model:unknown" ? "model_not_found" : (kind.code ?? error.code);
  const body = {
    error: { message: error.message, type: kind.type, param: paramOf(error), code },
    weir_code: error.code,
    remedy: error.row.remedy,
    request_id: requestId,
  };
  return {
    status: openaiStatus(error.row.status),
    body: JSON.stringify(body),
    headers: { ...errorHeaders(error), "x-request-id": requestId },
  };
}

/** The path that an error about a field begins with. */
function paramOf(error: WeirError): string | null {
  if (error.code !== "weir:request:invalid_field" && error.code !== "weir:request:unsupported_feature") return null;
  return /^([a-z_]\w*(?:\.\w+|\[\d+\])*)(?::| (?:is|must|appears))/i.exec(error.message)?.[1] ?? null;
}

/** A Messages error envelope, or whatever else an upstream answered, for a client of an OpenAI format. */
export function encodeUpstreamError(status: number, canonical: Buffer, requestId: string): EncodedError {
  const inside = envelopeInside(canonical);
  const error = openaiErrorOf(inside ?? { type: typeOfStatus(status), message: plainText(canonical, status) });
  return {
    status: openaiStatus(status),
    body: JSON.stringify({ error, request_id: requestId }),
    headers: { "x-request-id": requestId },
  };
}

/** The inside of a Messages error (`{type, message}`) in OpenAI's words; code and param of an OpenAI upstream come back. */
export function openaiErrorOf(inside: unknown): OpenaiError {
  const fields: JsonObject = isObject(inside) ? inside : {};
  const { type, message, code, param } = fields;
  const text = typeof message === "string" ? message : "";
  const kind = kindOf(type);
  return {
    message: text.endsWith(TOO_LONG) ? text.slice(0, -TOO_LONG.length) : text,
    type: kind?.type ?? (typeof type === "string" ? type : "server_error"),
    param: typeof param === "string" ? param : null,
    code: typeof code === "string" ? code : isTooLong(text) ? CONTEXT_CODE : (kind?.code ?? null),
  };
}

function kindOf(type: unknown): ErrorKind | undefined {
  if (typeof type !== "string" || !Object.hasOwn(OPENAI_KINDS, type)) return undefined;
  return OPENAI_KINDS[type as AnthropicErrorType]; // hasOwn on the table of all types
}

function isTooLong(message: string): boolean {
  return TOO_LONG_WORDS.test(message);
}

/** OpenAI has no 529; 503 is its word for overload. */
function openaiStatus(status: number): number {
  return status === 529 ? 503 : status;
}

function envelopeInside(canonical: Buffer): JsonObject | null {
  const parsed = parse(canonical);
  return isObject(parsed) && isObject(parsed["error"]) ? parsed["error"] : null;
}

/** An error answer of an OpenAI-compatible server as a Messages error envelope; the message word for word. */
export function decodeOpenaiError(status: number, body: Buffer, requestId?: string): Buffer {
  const parsed = parse(body);
  const inside = anthropicErrorOf(isObject(parsed) ? (parsed["error"] ?? parsed) : undefined, status);
  if (inside["message"] === "") inside["message"] = plainText(body, status);
  const envelope: JsonRecord = { type: "error", error: inside };
  if (requestId !== undefined) envelope["request_id"] = requestId;
  return Buffer.from(JSON.stringify(envelope));
}

/**
 * The inside of a Messages error for an OpenAI error object; `status` 0 for one that came inside a stream. `code` and
 * `param` stay beside type and message, so that a client of an OpenAI format gets them back.
 */
export function anthropicErrorOf(error: unknown, status: number): JsonRecord {
  const fields: JsonObject = isObject(error) ? error : {};
  // Azure and FastAPI servers: {message}, {detail}; others send the text alone.
  const text = typeof error === "string" ? error : (fields["message"] ?? fields["detail"]);
  const message = typeof text === "string" ? text : text === undefined || text === null ? "" : JSON.stringify(text);
  const code = wordOf(fields["code"]);
  const tooLong = code === CONTEXT_CODE || /maximum context length|context window/i.test(message);
  const inside: JsonRecord = {
    type: anthropicType(status, wordOf(fields["type"]), code),
    message: tooLong && !isTooLong(message) ? message + TOO_LONG : message,
  };
  if (code !== null) inside["code"] = code;
  if (typeof fields["param"] === "string") inside["param"] = fields["param"];
  return inside;
}

function anthropicType(status: number, type: string | null, code: string | null): AnthropicErrorType {
  if (type === "insufficient_quota" || code === "insufficient_quota") return "billing_error";
  if (status >= 400) return typeOfStatus(status);
  // In a stream the status was 200: only the words tell. Some servers put the status into `code`.
  const numeric = Number(code);
  if (numeric >= 400 && numeric < 600) return typeOfStatus(numeric);
  if (code === "rate_limit_exceeded" || type === "rate_limit_error") return "rate_limit_error";
  if (code === "invalid_api_key") return "authentication_error";
  if (type === "invalid_request_error") return "invalid_request_error";
  return code === "overloaded" || type === "service_unavailable" ? "overloaded_error" : "api_error";
}

function wordOf(value: unknown): string | null {
  if (typeof value === "string") return value;
  return typeof value === "number" ? String(value) : null;
}

/** What an upstream said that is no JSON error: its own text, up to a length that fits a log line. */
function plainText(body: Buffer, status: number): string {
  const text = body.toString("utf8").trim();
  return text === "" ? `The upstream answered ${status} without a message.` : text.slice(0, 2000);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return null; // Not JSON, such as a load balancer's page: its text is the message.
  }
}
