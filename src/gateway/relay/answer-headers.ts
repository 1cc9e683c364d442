import type { IncomingHttpHeaders } from "node:http";

import type { Target } from "../../routing/route-table.ts";
import type { Exchange } from "../exchange.ts";
import { returnHeaders } from "../http/forward-headers.ts";

/** The head of the response to the client: what of the upstream's head may pass, and what Weir adds. */
export function answerHeaders(
  exchange: Exchange,
  target: Target,
  upstream: IncomingHttpHeaders,
): Record<string, string | string[]> {
  return Object.assign(returnHeaders(upstream), weirHeaders(exchange, target), exchange.budgetHeaders);
}

/** The headers on every answer that an upstream gave: the request id, and who answered. */
function weirHeaders(exchange: Exchange, target: Target | null): Record<string, string> {
  const headers: Record<string, string> = { "request-id": exchange.id };
  if (target === null) return headers;
  headers["x-weir-upstream"] = target.upstream.name;
  if (target.upstream.isSandbox) headers["x-weir-sandbox"] = "1";
  return headers;
}
