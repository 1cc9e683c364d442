/**
 * The one registry of errors that a caller can meet. Each row: HTTP status, the Anthropic error type that clients match
 * on, and what the reader can do. The public message is given where the error is raised; nothing internal goes into it.
 *
 * `retry` is the `x-should-retry` header: `false` stops Claude Code's and the SDKs' own retries where they cannot help.
 */
export interface ErrorRow {
  readonly status: number;
  readonly type: AnthropicErrorType;
  readonly retry?: boolean;
  readonly remedy: string;
}

export type AnthropicErrorType =
  | "invalid_request_error"
  | "authentication_error"
  | "permission_error"
  | "not_found_error"
  | "request_too_large"
  | "rate_limit_error"
  | "billing_error"
  | "timeout_error"
  | "api_error"
  | "overloaded_error";

export const ERRORS = {
  "weir:request:malformed_json": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Send one valid JSON object.",
  },
  "weir:request:invalid_field": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Correct the named field.",
  },
  "weir:request:bad_encoding": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Send UTF-8, optionally compressed with gzip, deflate, br or zstd.",
  },
  "weir:request:unsupported_feature": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Leave the named field out, or choose a model that is served by an upstream which has it.",
  },
  "weir:request:too_large": {
    status: 413,
    type: "request_too_large",
    retry: false,
    remedy: "Send a smaller request, or ask for a higher limits.max_request_bytes.",
  },
  "weir:request:url_too_long": { status: 414, type: "invalid_request_error", retry: false, remedy: "Shorten the URL." },
  "weir:request:unsupported_media": {
    status: 415,
    type: "invalid_request_error",
    retry: false,
    remedy: "Send content-type: application/json.",
  },
  "weir:request:bad_host": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Send exactly one valid Host header.",
  },
  "weir:request:bad_version": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Speak HTTP/1.1.",
  },
  "weir:request:malformed_target": {
    status: 400,
    type: "invalid_request_error",
    retry: false,
    remedy: "Ask for a path.",
  },
  "weir:request:not_found": {
    status: 404,
    type: "not_found_error",
    retry: false,
    remedy: "See docs/guides/endpoints.md for the endpoints that Weir serves.",
  },
  "weir:request:method_not_allowed": {
    status: 405,
    type: "invalid_request_error",
    retry: false,
    remedy: "Use the method named in the allow header.",
  },
  "weir:auth:missing": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Send your Weir key as x-api-key or Authorization: Bearer.",
  },
  "weir:auth:unknown_key": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Check the key, or ask your administrator for a new one (weir keys create).",
  },
  "weir:auth:expired_key": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Ask for a new key (weir keys rotate).",
  },
  "weir:auth:revoked_key": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Ask your administrator for a new key.",
  },
  "weir:auth:unknown_session": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Sign in again: /login in Claude Code.",
  },
  "weir:auth:expired_session": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Sign in again: /login in Claude Code.",
  },
  "weir:auth:ended_session": {
    status: 401,
    type: "authentication_error",
    retry: false,
    remedy: "Sign in again, or ask your administrator whether your access has ended.",
  },
  "weir:access:address": {
    status: 403,
    type: "permission_error",
    retry: false,
    remedy: "Call from an allowed network.",
  },
  "weir:access:model": {
    status: 403,
    type: "permission_error",
    retry: false,
    remedy: "Use a model that your key allows; GET /v1/models lists them.",
  },
  "weir:access:endpoint": {
    status: 403,
    type: "permission_error",
    retry: false,
    remedy: "Use a key whose scopes include this endpoint.",
  },
  "weir:access:tag": {
    status: 403,
    type: "permission_error",
    retry: false,
    remedy: "Name a project tag that the configuration allows (tags.allowed), or none.",
  },
  "weir:access:not_owner": {
    status: 404,
    type: "not_found_error",
    retry: false,
    remedy: "Only the owner of an object sees it.",
  },
  "weir:policy:none": {
    status: 404,
    type: "not_found_error",
    retry: false,
    remedy: "Nothing is needed where this is meant; else add a policy under managed.policies.",
  },
  "weir:model:unknown": {
    status: 404,
    type: "not_found_error",
    retry: false,
    remedy: "GET /v1/models lists what is served.",
  },
  "weir:limit:requests": {
    status: 429,
    type: "rate_limit_error",
    remedy: "Wait for retry-after, or ask for a higher request limit.",
  },
  "weir:limit:tokens": {
    status: 429,
    type: "rate_limit_error",
    remedy: "Wait for retry-after, or ask for a higher token limit.",
  },
  "weir:limit:concurrency": {
    status: 429,
    type: "rate_limit_error",
    remedy: "Run fewer requests at once, or ask for more concurrency.",
  },
  "weir:budget:exceeded": {
    status: 429,
    type: "billing_error",
    retry: false,
    remedy: "Wait for the reset, or ask for a higher budget.",
  },
  "weir:session:paused": {
    status: 403,
    type: "permission_error",
    retry: false,
    remedy: "Let the session go on with `weir session resume`, or start a new one.",
  },
  "weir:upstream:failed": {
    status: 502,
    type: "api_error",
    remedy: "Try again; if it goes on, the operator should look at the upstream's health.",
  },
  "weir:upstream:timeout": {
    status: 504,
    type: "timeout_error",
    remedy: "Try again; the operator can raise timeouts.upstream_ttfb_ms.",
  },
  "weir:upstream:bad_answer": {
    status: 502,
    type: "api_error",
    remedy: "Try again; if it persists, the operator should look at the upstream named in the log.",
  },
  "weir:upstream:credential": {
    status: 502,
    type: "api_error",
    remedy: "The operator should look at the upstream's credential with `weir doctor`.",
  },
  "weir:upstream:no_target": {
    status: 503,
    type: "api_error",
    remedy: "The operator should configure an upstream that serves this model.",
  },
  "weir:upstream:full": {
    status: 529,
    type: "overloaded_error",
    remedy: "Try again after retry-after; the operator may raise max_concurrent or add an upstream.",
  },
  "weir:server:overloaded": { status: 529, type: "overloaded_error", remedy: "Try again after retry-after." },
  "weir:server:draining": { status: 503, type: "overloaded_error", remedy: "Weir is restarting; try again." },
  "weir:server:journal_full": {
    status: 503,
    type: "api_error",
    remedy: "The operator should free disk space or restore PostgreSQL.",
  },
  "weir:server:store_unavailable": {
    status: 503,
    type: "api_error",
    remedy: "The operator should restore PostgreSQL.",
  },
  "weir:server:internal": { status: 500, type: "api_error", remedy: "Report the request id to the operator." },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;
