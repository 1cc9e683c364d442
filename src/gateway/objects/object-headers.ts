import type { IncomingHttpHeaders } from "node:http";

import type { Upstream } from "../../upstream/upstream.ts";
import { required, type Exchange } from "../exchange.ts";
import { forwardHeaders, returnHeaders } from "../http/forward-headers.ts";

/** What the API asks for; sent for callers that do not say. */
const DEFAULT_API_VERSION = "2023-06-01";
/** Headers that belong to the caller's own request and not to a further one that Weir makes on their behalf. */
const OF_ONE_REQUEST = new Set(["content-type", "accept", "idempotency-key"]);

/** The caller's request headers for an upstream, their credentials replaced by Weir's own. A flat list. */
export function callerHeaders(exchange: Exchange, upstream: Upstream): string[] {
  const { request } = exchange;
  const headers = forwardHeaders(request.rawHeaders, request.headers.connection);
  return completed(headers, upstream, identityHeaders(exchange, upstream));
}

/** Headers for a request that follows from the caller's: what selects their workspace and features, nothing else. */
export function followUpHeaders(exchange: Exchange, upstream: Upstream): string[] {
  const { request } = exchange;
  const sent = forwardHeaders(request.rawHeaders, request.headers.connection);
  const headers: string[] = [];
  for (let i = 0; i < sent.length; i += 2) {
    const name = sent[i] ?? "";
    if (!OF_ONE_REQUEST.has(name)) headers.push(name, sent[i + 1] ?? "");
  }
  return completed(headers, upstream, identityHeaders(exchange, upstream));
}

/** Headers for a request that Weir makes of itself. */
export function ownHeaders(upstream: Upstream): string[] {
  return completed([], upstream, []);
}

/** The head of the answer to the client: what of the upstream's may pass, and what Weir adds. */
export function answerHeaders(
  exchange: Exchange,
  upstream: Upstream,
  headers: IncomingHttpHeaders,
): Record<string, string | string[]> {
  const answer = returnHeaders(headers);
  answer["request-id"] = exchange.id;
  answer["x-weir-upstream"] = upstream.name;
  if (upstream.isSandbox) answer["x-weir-sandbox"] = "1";
  return Object.assign(answer, exchange.budgetHeaders);
}

function completed(headers: string[], upstream: Upstream, identity: readonly string[]): string[] {
  if (!hasHeader(headers, "anthropic-version")) headers.push("anthropic-version", DEFAULT_API_VERSION);
  headers.push("accept-encoding", "identity", ...upstream.fixedHeaders, ...identity);
  return headers;
}

function hasHeader(headers: readonly string[], name: string): boolean {
  return headers.some((text, index) => index % 2 === 0 && text === name);
}

/** For a proxy of the operator's own behind Weir: who asks, under the names that such proxies read. */
function identityHeaders(exchange: Exchange, upstream: Upstream): string[] {
  if (!upstream.settings.forwardUserIdentity) return [];
  const { user, key } = required(exchange.identity, "identity");
  const headers = ["x-claude-gateway-user-id", user?.id ?? key.id];
  if (user !== null && user.email !== null) {
    headers.push("x-claude-gateway-user-email", user.email, "x-litellm-end-user-id", user.email);
  }
  return headers;
}
