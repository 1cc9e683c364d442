import { once } from "node:events";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";

import { errors } from "undici";

export interface StreamSending {
  readonly socket: Socket;
  /** Bytes that the head has announced; null where the body is sent in chunks. */
  readonly contentLength: number | null;
  /** Called whenever the upstream has taken something. */
  readonly moved: () => void;
  /** Aborted when the exchange is over. */
  readonly signal: AbortSignal;
}

/**
 * Sends a body that is a stream, no faster than the upstream takes it. Rejects with the stream's own error, with undici's
 * RequestContentLengthMismatchError when it is not as long as announced, and when `signal` is aborted.
 */
export async function sendStream(
  body: Readable,
  { socket, contentLength, moved, signal }: StreamSending,
): Promise<void> {
  let sent = 0;
  for await (const chunk of body) {
    signal.throwIfAborted();
    // What a byte stream yields; one of texts yields strings.
    const bytes: Buffer = typeof chunk === "string" ? Buffer.from(chunk) : (chunk as Buffer);
    if (bytes.length === 0) continue;
    sent += bytes.length;
    if (contentLength !== null && sent > contentLength) throw new errors.RequestContentLengthMismatchError();
    if (!write(socket, bytes, contentLength === null)) await once(socket, "drain", { signal });
    moved();
  }
  if (contentLength === null) socket.write("0\r\n\r\n", "latin1");
  else if (sent !== contentLength) throw new errors.RequestContentLengthMismatchError();
}

function write(socket: Socket, bytes: Buffer, inChunks: boolean): boolean {
  if (!inChunks) return socket.write(bytes);
  socket.cork();
  socket.write(`${bytes.length.toString(16)}\r\n`, "latin1");
  socket.write(bytes);
  const flowing = socket.write("\r\n", "latin1");
  socket.uncork();
  return flowing;
}
