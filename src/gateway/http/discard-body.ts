import type { IncomingMessage } from "node:http";

/** A body that nobody wants is read to its end only up to this size; beyond it the connection is closed instead. */
const MAX_DISCARDED_BYTES = 256 * 1024;

/**
 * Reads and drops the rest of a request, so that its connection can be used again and a malformed rest is noticed before
 * the answer. Resolves at its end, or when it turns out too large; rejects when the connection closes first.
 */
export function discardBody(request: IncomingMessage): Promise<void> {
  if (request.complete || request.readableEnded) return Promise.resolve();
  return new Promise((resolve, reject) => {
    let size = 0;
    const onData = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > MAX_DISCARDED_BYTES) finish(resolve);
    };
    const onEnd = (): void => finish(resolve);
    const onClose = (): void => finish(() => reject(new Error("the connection closed")));
    const finish = (settle: () => void): void => {
      request.off("data", onData).off("end", onEnd).off("close", onClose).off("error", onClose);
      settle();
    };
    request.on("data", onData).on("end", onEnd).on("close", onClose).on("error", onClose);
  });
}
