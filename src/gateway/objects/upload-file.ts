import type { IncomingMessage } from "node:http";
import { Readable } from "node:stream";

import { WeirError } from "../../core/weir-error.ts";
import type { Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import type { GatewayServices } from "../services.ts";
import type { Snapshot } from "../snapshot.ts";
import { createObject } from "./create-object.ts";
import { callerHeaders } from "./object-headers.ts";
import { objectUpstreams } from "./object-upstreams.ts";

/**
 * `POST /v1/files`: the body goes to the upstream as it comes, no faster than the upstream takes it, never kept whole. It
 * is the upstream's to read (multipart, content encoding and all); Weir only counts its bytes. Files go to the first
 * upstream.
 */
export async function uploadFile(exchange: Exchange, services: GatewayServices): Promise<void> {
  const [upstream] = objectUpstreams(exchange.snapshot.routes);
  if (upstream === undefined)
    throw new WeirError("weir:upstream:no_target", "No upstream that keeps files is configured.");
  const limit = maxUploadBytes(exchange.snapshot);
  const headers = callerHeaders(exchange, upstream);
  const length = exchange.header("content-length");
  if (Number(length ?? 0) > limit) throw tooLarge(limit);
  if (length !== null) headers.push("content-length", length);
  const encoding = exchange.header("content-encoding");
  if (encoding !== null) headers.push("content-encoding", encoding);
  const body = Readable.from(bounded(exchange.request, limit), { objectMode: false });
  try {
    await createObject(exchange, services, { kind: "file", upstream, headers, body });
  } finally {
    // Refused before it was sent, say: what is left of the client's body is not read through this.
    body.destroy();
  }
}

/** How large a file may be: as any other request, until the configuration has a limit of its own for files. */
function maxUploadBytes(snapshot: Snapshot): number {
  return snapshot.maxRequestBytes;
}

/** The bytes of a request's body up to a limit; fails with a WeirError beyond it, with ClientGone when the client leaves. */
async function* bounded(request: IncomingMessage, limit: number): AsyncGenerator<Buffer> {
  let size = 0;
  try {
    // The connection must outlive its body, so that an early answer of the upstream still reaches the client.
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      const bytes: Buffer = chunk;
      size += bytes.length;
      if (size > limit) throw tooLarge(limit);
      yield bytes;
    }
  } catch (error) {
    throw error instanceof WeirError ? error : new ClientGone();
  }
}

function tooLarge(limit: number): WeirError {
  return new WeirError("weir:request:too_large", `The request exceeds the maximum size of ${limit} bytes.`);
}
