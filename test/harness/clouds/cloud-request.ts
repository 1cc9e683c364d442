import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";

/** A request as a stand-in received it, byte for byte. */
export interface CloudRequest {
  readonly method: string;
  /** Path with query, exactly as it came over the wire. */
  readonly url: string;
  /** Path alone, its escapes kept. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves with the monotonic time at which the caller closed the connection before the answer was finished. */
  readonly closedEarly: Promise<number>;
  readonly isClosed: () => boolean;
}

/** Reads a request to its end; null when the caller left while sending it. */
export async function readRequest(incoming: IncomingMessage, response: ServerResponse): Promise<CloudRequest | null> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of incoming as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
  } catch {
    return null;
  }
  const early = Promise.withResolvers<number>();
  let isClosed = false;
  response.once("close", () => {
    if (response.writableFinished) return;
    isClosed = true;
    early.resolve(performance.now());
  });
  const { method = "", url = "", headers, rawHeaders } = incoming;
  const mark = url.indexOf("?");
  return {
    method,
    url,
    path: mark < 0 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1)),
    headers,
    rawHeaders,
    body: Buffer.concat(chunks),
    closedEarly: early.promise,
    isClosed: () => isClosed,
  };
}

/** One header's value, or null; several lines of it are joined as HTTP says. */
export function headerOf(request: CloudRequest, name: string): string | null {
  const value = request.headers[name];
  if (value === undefined) return null;
  return typeof value === "string" ? value : value.join(", ");
}

/** The token of an `Authorization: Bearer` header, or null. */
export function bearerOf(request: CloudRequest): string | null {
  return /^bearer (\S+)$/i.exec(headerOf(request, "authorization") ?? "")?.[1] ?? null;
}
