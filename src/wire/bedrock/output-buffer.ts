const EMPTY = Buffer.alloc(0);

/**
 * The buffer that the pieces of one chunk's translation are written into: allocated once for each chunk, and grown only
 * when the guess was too small.
 */
export class OutputBuffer {
  bytes: Buffer = EMPTY;
  length = 0;

  /** Starts a new buffer. */
  begin(guessBytes: number): void {
    this.bytes = Buffer.allocUnsafe(guessBytes);
    this.length = 0;
  }

  /** Makes sure that `more` bytes can be written from `length` on. */
  reserve(more: number): void {
    const needed = this.length + more;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.bytes.length * 2));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  append(text: string): void {
    this.reserve(text.length * 3);
    this.length += this.bytes.write(text, this.length, "utf8");
  }

  /** What was written; the buffer is the caller's then. */
  take(): Buffer {
    const taken = this.bytes.subarray(0, this.length);
    this.bytes = EMPTY;
    this.length = 0;
    return taken;
  }
}
