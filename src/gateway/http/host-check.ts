import type { IncomingMessage } from "node:http";

import { WeirError } from "../../core/weir-error.ts";

/** A host name or bracketed address with an optional port: nothing else may stand in a Host header (RFC 9110, 7.2). */
const HOST = /^(?:[A-Za-z0-9._~!$&'()*+;=%-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;

/**
 * Refuses what node's parser lets through but two servers may read differently: none, several, empty or malformed Host
 * headers, an empty Transfer-Encoding, and other versions than 1.0 and 1.1. Throws WeirError.
 */
export function checkFraming(request: IncomingMessage): void {
  const { rawHeaders, httpVersion } = request;
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    throw new WeirError("weir:request:bad_version", "The only HTTP versions that Weir speaks are 1.1 and 1.0.");
  }
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? "";
    if (name.length === 4 && name.toLowerCase() === "host") {
      hosts++;
      if (!HOST.test(rawHeaders[i + 1] ?? ""))
        throw new WeirError("weir:request:bad_host", "The Host header is not valid.");
    } else if (name.length === 17 && name.toLowerCase() === "transfer-encoding" && rawHeaders[i + 1] !== "chunked") {
      throw new WeirError("weir:request:bad_encoding", "The only Transfer-Encoding that Weir accepts is chunked.");
    }
  }
  if (hosts > 1) throw new WeirError("weir:request:bad_host", "The request has more than one Host header.");
  if (hosts === 0 && httpVersion !== "1.0") {
    throw new WeirError("weir:request:bad_host", "The request has no Host header.");
  }
}
