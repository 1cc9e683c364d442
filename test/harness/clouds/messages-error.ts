import type { CloudError } from "./dialect.ts";

/** The error type that the Messages API pairs with each status. */
const TYPES: Readonly<Record<number, string>> = {
  400: "invalid_request_error",
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  504: "timeout_error",
  529: "overloaded_error",
};

/** The error envelope of the Messages API. */
export function messagesError(error: CloudError, requestId: string | null): Record<string, unknown> {
  const type = error.code ?? TYPES[error.status] ?? (error.status < 500 ? "invalid_request_error" : "api_error");
  return { type: "error", error: { type, message: error.message }, request_id: requestId };
}

/** How the Messages API says that a prompt does not fit; clients recognise the wording. */
export const MESSAGES_PROMPT_TOO_LONG: CloudError = {
  status: 400,
  message: "prompt is too long: 215000 tokens > 200000 maximum",
};
