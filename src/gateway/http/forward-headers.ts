import type { IncomingHttpHeaders } from "node:http";

/** Request headers besides `anthropic-*` and `x-claude-code-*` that upstreams get as they came. */
const FORWARDED = new Set(["content-type", "accept", "user-agent", "x-app", "idempotency-key"]);
const FORWARDED_PREFIXES = ["anthropic-", "x-claude-code-", "x-stainless-"];

/** Response headers besides `anthropic-*` that clients get as they came. */
const RETURNED = new Set(["content-type", "retry-after", "x-should-retry", "content-encoding", "content-disposition"]);

/**
 * The request's headers for an upstream as a flat list: an open list for `anthropic-*`, an allowlist for the rest. Client
 * credentials and hop-by-hop headers are on neither; headers named by `Connection` are dropped. Repeats of an open-list
 * header are kept as they came.
 */
export function forwardHeaders(rawHeaders: readonly string[], connection: string | undefined): string[] {
  const named = connection === undefined ? null : connection.toLowerCase().split(/\s*,\s*/);
  const out: string[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? "").toLowerCase();
    if (!FORWARDED.has(name) && !FORWARDED_PREFIXES.some((prefix) => name.startsWith(prefix))) continue;
    if (named !== null && named.includes(name)) continue;
    out.push(name, rawHeaders[i + 1] ?? "");
  }
  return out;
}

/**
 * The upstream's headers that the client gets. Its rate-limit headers describe the organisation's quota: dropped, like those
 * that its `Connection` names.
 */
export function returnHeaders(headers: IncomingHttpHeaders): Record<string, string | string[]> {
  const { connection } = headers;
  const named = connection === undefined ? null : connection.toLowerCase().split(/\s*,\s*/);
  const out: Record<string, string | string[]> = {};
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || (named !== null && named.includes(name))) continue;
    if (RETURNED.has(name) || (name.startsWith("anthropic-") && !name.startsWith("anthropic-ratelimit-")))
      out[name] = value;
  }
  return out;
}
