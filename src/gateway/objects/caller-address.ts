import { TLSSocket } from "node:tls";

import type { Exchange } from "../exchange.ts";

const SCHEME = /^https?$/;
const HOST = /^[A-Za-z0-9._~[\]:-]+$/;

/**
 * The address under which the caller reached Weir, base prefix included, without a trailing slash. Clients follow the
 * links in answers with their Weir key, so a link must lead back here and never to the upstream. What a proxy says of the
 * original request is believed only of a trusted one.
 */
export function callerBaseUrl(exchange: Exchange): string {
  const { request, endpoint } = exchange;
  const trusted = exchange.snapshot.access.trustedProxies.includes(request.socket.remoteAddress ?? "");
  const forwarded = (name: string, shape: RegExp): string | null => {
    const value = trusted ? exchange.header(name) : null;
    return value !== null && shape.test(value) ? value : null;
  };
  const scheme = forwarded("x-forwarded-proto", SCHEME) ?? (request.socket instanceof TLSSocket ? "https" : "http");
  const host = forwarded("x-forwarded-host", HOST) ?? request.headers.host ?? "";
  const path = request.url ?? "";
  // A target in absolute form carries the address itself.
  const prefix = path.startsWith("/") ? path.slice(0, Math.max(0, path.indexOf(endpoint.path))) : "";
  return `${scheme}://${host}${prefix}`;
}
