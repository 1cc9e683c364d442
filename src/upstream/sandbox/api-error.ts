import type { AnthropicErrorType } from "../../core/error-codes.ts";

/** The error type that the Messages API pairs with each status; other statuses fall back by class. */
const TYPE_BY_STATUS: Readonly<Record<number, AnthropicErrorType>> = {
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

/** An error answer as the Messages API gives it: status, typed envelope, optional headers. */
export class ApiError extends Error {
  readonly status: number;
  readonly type: AnthropicErrorType;
  readonly headers: Readonly<Record<string, string>>;
  /** Machine-readable refinement that the API puts into `error.details.error_code`; null for none. */
  readonly errorCode: string | null;

  constructor(status: number, message: string, extra: ApiErrorExtra = {}) {
    super(message);
    this.name = "ApiError";
    this.status = status;
    this.type = TYPE_BY_STATUS[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
    this.headers = extra.headers ?? {};
    this.errorCode = extra.errorCode ?? null;
  }
}

/** What an ApiError may carry besides its status and message. */
export interface ApiErrorExtra {
  readonly headers?: Readonly<Record<string, string>>;
  readonly errorCode?: string;
}

/** A 400 with the given message. */
export function invalid(message: string): ApiError {
  return new ApiError(400, message);
}

/** The JSON envelope of an error. */
export function errorEnvelope(error: ApiError, requestId: string | null): object {
  const details = error.errorCode === null ? {} : { details: { error_code: error.errorCode } };
  return { type: "error", error: { type: error.type, message: error.message, ...details }, request_id: requestId };
}
