import type { ServerResponse } from "node:http";

import type { Until } from "./cloud-fault.ts";

/** Writes one answer: in slices where asked, at the reader's pace, and ends it in every way a connection can end. */
export class AnswerWriter {
  readonly #response: ServerResponse;
  readonly #sliceBytes: number | null;
  /** Resolves when the reader has gone or the answer is over. */
  readonly #closed: Promise<void>;

  constructor(response: ServerResponse, sliceBytes: number | null) {
    this.#response = response;
    this.#sliceBytes = sliceBytes;
    this.#closed = new Promise((resolve) => void response.once("close", () => resolve()));
    // Slices and events must reach the reader as they were written.
    response.socket?.setNoDelay(true);
  }

  get isGone(): boolean {
    return this.#response.destroyed;
  }

  head(status: number, headers: Readonly<Record<string, string | number>>): void {
    this.#response.writeHead(status, headers);
    this.#response.flushHeaders();
  }

  /** Resolves once the socket has room again, or the reader has gone. */
  async write(bytes: Buffer): Promise<void> {
    const size = this.#sliceBytes ?? bytes.length;
    for (let start = 0; start < bytes.length && !this.isGone; start += size) {
      const hasRoom = this.#response.write(bytes.subarray(start, start + size));
      if (this.#sliceBytes !== null) await new Promise((resolve) => setImmediate(resolve));
      if (!hasRoom && !this.isGone) await Promise.race([this.#drained(), this.#closed]);
    }
  }

  /** The body is complete. */
  end(): void {
    if (!this.isGone) this.#response.end();
  }

  /** Ends the connection in the middle of the answer, after what was written has been handed to the socket. */
  async cut(how: "fin" | "rst"): Promise<void> {
    const { socket } = this.#response;
    if (socket === null || this.isGone) return;
    // What was written reaches the socket with the end of this turn; a reset would overtake it there.
    await new Promise((resolve) => setImmediate(resolve));
    if (socket.writableLength > 0) await Promise.race([this.#flushed(), this.#closed]);
    if (how === "fin") socket.destroySoon();
    else socket.resetAndDestroy();
  }

  /** Waits; false when the reader has gone before. */
  async waitFor(until: Until): Promise<boolean> {
    if (this.isGone) return false;
    const done = new AbortController();
    const due = typeof until === "number" ? sleepUnless(until, done.signal) : until;
    await Promise.race([due, this.#closed]);
    done.abort();
    return !this.isGone;
  }

  /** Nothing more; resolves when the reader has gone. */
  async silence(): Promise<void> {
    if (!this.isGone) await this.#closed;
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => void this.#response.once("drain", () => resolve()));
  }

  #flushed(): Promise<void> {
    return new Promise((resolve) => void this.#response.socket?.once("drain", () => resolve()));
  }
}

function sleepUnless(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, waitMs);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
