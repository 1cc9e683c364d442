const LF = 10;
const CR = 13;

/** Where one event lies in a buffer: `end` is after the blank line that closes it. */
export type EventVisitor = (buffer: Buffer, start: number, end: number) => void;

/**
 * Finds the events of a server-sent event stream in passing chunks, however they are cut, without touching the bytes.
 * Lines may end in LF or CRLF (a lone CR, which the standard also allows, no Messages API sends). An event longer than
 * `maxEventBytes` is skipped: its bytes pass, it is not visited.
 */
export class EventSplitter {
  readonly #visit: EventVisitor;
  readonly #maxEventBytes: number;
  /** Bytes of an event whose end has not come yet. */
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  /** How the held bytes end: enough to recognise a blank line that is cut in two. */
  #tail: "none" | "lf" | "lf-cr" = "none";
  #skipping = false;

  constructor(visit: EventVisitor, maxEventBytes: number) {
    this.#visit = visit;
    this.#maxEventBytes = maxEventBytes;
  }

  /** Whether the stream stands between two events, where a further event may be inserted. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0 && !this.#skipping;
  }

  /**
   * Takes the next chunk. `visit` is called for each event that it completes; positions are relative to the buffer given
   * to `visit`, which is the chunk itself unless the event began in an earlier one.
   */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    let start = 0;
    if (this.#heldBytes > 0 || this.#skipping) {
      const end = this.#endOfHeld(chunk);
      if (end < 0) {
        this.#hold(chunk);
        return;
      }
      this.#finishHeld(chunk.subarray(0, end));
      start = end;
    }
    for (;;) {
      const end = endOfEvent(chunk, start);
      if (end < 0) break;
      if (end - start <= this.#maxEventBytes) this.#visit(chunk, start, end);
      start = end;
    }
    if (start < chunk.length) this.#hold(chunk.subarray(start));
  }

  /** Where, in `chunk`, the event that began earlier ends; -1 when it goes on. */
  #endOfHeld(chunk: Buffer): number {
    if (this.#tail === "lf") {
      if (chunk[0] === LF) return 1;
      if (chunk[0] === CR && chunk[1] === LF) return 2;
    }
    if (this.#tail === "lf-cr" && chunk[0] === LF) return 1;
    return endOfEvent(chunk, 0);
  }

  #hold(bytes: Buffer): void {
    this.#tail = tailOf(bytes, this.#tail);
    if (this.#skipping) return;
    this.#heldBytes += bytes.length;
    this.#pieces.push(bytes);
    if (this.#heldBytes > this.#maxEventBytes) {
      this.#skipping = true;
      this.#pieces = [];
      this.#heldBytes = 0;
    }
  }

  #finishHeld(rest: Buffer): void {
    const skipped = this.#skipping || this.#heldBytes + rest.length > this.#maxEventBytes;
    this.#pieces.push(rest);
    const event = skipped ? rest : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#heldBytes = 0;
    this.#tail = "none";
    this.#skipping = false;
    if (!skipped) this.#visit(event, 0, event.length);
  }
}

/** The offset after the first blank line at or after `start`, or -1. */
function endOfEvent(buffer: Buffer, start: number): number {
  let at = start;
  for (;;) {
    const lf = buffer.indexOf(LF, at);
    if (lf < 0) return -1;
    if (buffer[lf + 1] === LF) return lf + 2;
    if (buffer[lf + 1] === CR && buffer[lf + 2] === LF) return lf + 3;
    at = lf + 1;
  }
}

function tailOf(bytes: Buffer, before: "none" | "lf" | "lf-cr"): "none" | "lf" | "lf-cr" {
  const last = bytes.at(-1);
  if (last === LF) return "lf";
  if (last !== CR) return "none";
  const previous = bytes.length > 1 ? bytes.at(-2) === LF : before === "lf";
  return previous ? "lf-cr" : "none";
}
