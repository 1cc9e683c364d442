import type { IncomingMessage } from "node:http";

import type { AddressList } from "../../core/address-list.ts";

/**
 * The client's address: the peer of the connection, or, where the peer is a trusted proxy, the last address in
 * `X-Forwarded-For` that is not itself a trusted proxy. The header is never believed from anyone else.
 */
export function clientAddress(request: IncomingMessage, trustedProxies: AddressList): string {
  let address = plain(request.socket.remoteAddress ?? "");
  if (trustedProxies.empty || !trustedProxies.includes(address)) return address;
  const forwarded = request.headers["x-forwarded-for"];
  if (typeof forwarded !== "string") return address;
  for (const hop of forwarded.split(",").toReversed()) {
    address = plain(hop.trim());
    if (!trustedProxies.includes(address)) break;
  }
  return address;
}

/** An address with a port, an IPv6 address in brackets, or one without. */
const WITH_PORT = /^(?:\[([^\]]+)\]|([^:]+))(?::\d+)?$/;

/** The bare address, without the port that some load balancers add; one that a dual-stack socket shows as IPv6, as IPv4. */
function plain(text: string): string {
  const [, bracketed, bare] = WITH_PORT.exec(text) ?? [];
  const address = bracketed ?? bare ?? text;
  return address.startsWith("::ffff:") && address.includes(".") ? address.slice(7) : address;
}
