import { typeOfStatus } from "../anthropic/error-type.ts";
import type { AnthropicErrorType } from "../../core/error-codes.ts";

/** What an error answer says, in the Messages API's terms. */
export interface ErrorFacts {
  readonly type: string;
  readonly message: string;
  readonly requestId: string | null;
}

const TYPES: ReadonlySet<string> = new Set<AnthropicErrorType>([
  "invalid_request_error",
  "authentication_error",
  "permission_error",
  "not_found_error",
  "request_too_large",
  "rate_limit_error",
  "billing_error",
  "timeout_error",
  "api_error",
  "overloaded_error",
]);

export function isErrorType(type: unknown): type is AnthropicErrorType {
  return typeof type === "string" && TYPES.has(type);
}

/** The Messages API's envelope as JSON text. */
export function envelope({ type, message, requestId }: ErrorFacts): string {
  const body = { type: "error", error: { type, message } };
  return JSON.stringify(requestId === null ? body : { ...body, request_id: requestId });
}

/** Reads an error envelope; null when the text is none. */
export function readEnvelope(body: unknown): ErrorFacts | null {
  if (!isObject(body) || !isObject(body["error"])) return null;
  const { type, message } = body["error"];
  if (typeof type !== "string" || typeof message !== "string") return null;
  const requestId = body["request_id"];
  return { type, message, requestId: typeof requestId === "string" ? requestId : null };
}

/** An error answer as an envelope with all its members; what is none is put into one. */
export interface Envelope {
  readonly [member: string]: unknown;
  readonly error: { readonly [member: string]: unknown; readonly type: string; readonly message: string };
}

/** Reads a canonical error answer; `requestId` is for one that names none. */
export function envelopeOf(status: number, text: string, requestId: string): Envelope {
  const parsed = parseJson(text);
  const facts = readEnvelope(parsed);
  if (facts === null || !isObject(parsed) || !isObject(parsed["error"])) {
    const error = { type: typeOfStatus(status), message: wordsOf(status, text) };
    return { type: "error", error, request_id: requestId };
  }
  const { type, message } = facts;
  return { request_id: requestId, ...parsed, error: { ...parsed["error"], type, message } };
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // No JSON is an answer too: callers go on with the text.
  }
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Longest stretch of an answer that is no JSON, such as a proxy's page, that goes into a message. */
const MAX_TEXT = 1_000;

/** What to say of an error answer whose body is no error of the format: its own words where it has any. */
export function wordsOf(status: number, text: string): string {
  const words = text.trim();
  return words === "" ? `The upstream answered ${status} without a message.` : words.slice(0, MAX_TEXT);
}
