import type { IncomingMessage, ServerResponse } from "node:http";

import type { Clock } from "../../core/clock.ts";
import type { ApiError } from "./api-error.ts";
import { errorEnvelope } from "./api-error.ts";

/** One call of the sandbox's API: the request with its whole body, and where the answer goes. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly requestId: string;
  /** Parts of the path that the route's placeholders matched, in order. */
  readonly params: readonly string[];
  /** The query string without its question mark. */
  readonly query: string;
  readonly body: Buffer;
}

/** The API version that the client asks for. */
export function versionOf(call: Call): string {
  return String(call.request.headers["anthropic-version"] ?? "");
}

/** Headers of every answer. */
export function baseHeaders(requestId: string): Record<string, string> {
  return {
    "request-id": requestId,
    "x-weir-sandbox": "1",
    "anthropic-organization-id": "00000000-0000-4000-8000-000000000000",
  };
}

const REQUESTS_A_MINUTE = 4_000;
const TOKENS_A_MINUTE = 4_000_000;

/** The rate limit headers of a message answer. The sandbox limits nothing; they are there because a gateway meets them. */
export function rateLimitHeaders(clock: Clock): Record<string, string> {
  const reset = new Date(clock.nowMs() + 1_000).toISOString();
  return {
    "anthropic-ratelimit-requests-limit": String(REQUESTS_A_MINUTE),
    "anthropic-ratelimit-requests-remaining": String(REQUESTS_A_MINUTE - 1),
    "anthropic-ratelimit-requests-reset": reset,
    "anthropic-ratelimit-tokens-limit": String(TOKENS_A_MINUTE),
    "anthropic-ratelimit-tokens-remaining": String(TOKENS_A_MINUTE),
    "anthropic-ratelimit-tokens-reset": reset,
  };
}

/** Sends a value as JSON. */
export function sendJson(call: Call, value: unknown, extraHeaders: Readonly<Record<string, string>> = {}): void {
  sendBody(call, JSON.stringify(value), { "content-type": "application/json", ...extraHeaders });
}

/** Sends a whole body with status 200. */
export function sendBody(call: Call, body: string | Buffer, headers: Readonly<Record<string, string>>): void {
  if (call.response.destroyed) return;
  const length = String(Buffer.byteLength(body));
  call.response.writeHead(200, { ...baseHeaders(call.requestId), "content-length": length, ...headers });
  call.response.end(body);
}

/** Sends an error envelope. A response that has begun cannot carry one and is cut instead. */
export function sendError(response: ServerResponse, requestId: string, error: ApiError): void {
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const body = JSON.stringify(errorEnvelope(error, requestId));
  const isRetryable = error.status === 429 || error.status === 529 || error.status >= 500;
  response.writeHead(error.status, {
    ...baseHeaders(requestId),
    "content-type": "application/json",
    "content-length": String(Buffer.byteLength(body)),
    "x-should-retry": String(isRetryable),
    ...error.headers,
  });
  response.end(body);
}

/** Waits; false when the client went away before. */
export function waitOrGone(response: ServerResponse, waitMs: number): Promise<boolean> {
  if (response.destroyed) return Promise.resolve(false);
  if (waitMs <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const gone = (): void => {
      clearTimeout(timer);
      resolve(false);
    };
    const timer = setTimeout(() => {
      response.off("close", gone);
      resolve(true);
    }, waitMs);
    response.once("close", gone);
  });
}

/** Resolves when the client has gone. */
export function whenGone(response: ServerResponse): Promise<void> {
  return response.destroyed
    ? Promise.resolve()
    : new Promise((resolve) => void response.once("close", () => resolve()));
}
