import type { WeirError } from "../../core/weir-error.ts";

/** The Messages API's error envelope as JSON text. */
export function errorBody(error: WeirError, requestId: string): string {
  return JSON.stringify({
    type: "error",
    error: { type: error.row.type, message: error.message, code: error.code, remedy: error.row.remedy },
    request_id: requestId,
  });
}

/** Headers that tell a client whether and when to try again. */
export function errorHeaders(error: WeirError): Record<string, string> {
  const headers: Record<string, string> = { ...error.facts.headers };
  if (error.facts.retryAfterSeconds !== undefined) {
    headers["retry-after"] = String(Math.max(1, Math.ceil(error.facts.retryAfterSeconds)));
  }
  if (error.row.retry !== undefined) headers["x-should-retry"] = String(error.row.retry);
  return headers;
}
