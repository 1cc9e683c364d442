import type { Readable } from "node:stream";

/** A body read to its end; null when it was longer than allowed. What is too long is read but not kept. */
export async function readExport(payload: Readable, maxBytes: number): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of payload) {
    // Without an encoding, node's request streams give buffers.
    const part = chunk as Buffer;
    bytes += part.length;
    if (bytes <= maxBytes) chunks.push(part);
    else chunks.length = 0;
  }
  return bytes > maxBytes ? null : Buffer.concat(chunks, bytes);
}
