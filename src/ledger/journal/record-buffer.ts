import { JournalError } from "./journal-error.ts";
import { frameRecord, MAX_PAYLOAD_BYTES, RECORD_HEADER_BYTES, type RecordType } from "./record-frame.ts";

const INITIAL_BYTES = 64 * 1024;
/** A buffer that one burst grew beyond this is not kept. */
const KEPT_BYTES = 4 * 1024 * 1024;

/** Framed records, one after the other, ready for one write. The memory is used again after `clear`. */
export class RecordBuffer {
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** How many of `bytes` are records. */
  get length(): number {
    return this.#length;
  }

  /** Appends one record. Throws JournalError `invalid_record`, leaving the buffer as it was, when it is too long. */
  add(type: RecordType, json: string, seed: number): void {
    const at = this.#length;
    if (json.length > MAX_PAYLOAD_BYTES) throw tooLong(json);
    // A UTF-16 unit takes at most three bytes of UTF-8.
    this.#makeRoom(at + RECORD_HEADER_BYTES + json.length * 3);
    const payloadBytes = this.#bytes.write(json, at + RECORD_HEADER_BYTES);
    if (payloadBytes > MAX_PAYLOAD_BYTES) throw tooLong(json);
    frameRecord(this.#bytes, at, { type, payloadBytes, seed });
    this.#length = at + RECORD_HEADER_BYTES + payloadBytes;
  }

  clear(): void {
    this.#length = 0;
    if (this.#bytes.length > KEPT_BYTES) this.#bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  }

  #makeRoom(bytes: number): void {
    if (bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(bytes, this.#bytes.length * 2));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

function tooLong(json: string): JournalError {
  return new JournalError(
    "invalid_record",
    `a record may have at most ${MAX_PAYLOAD_BYTES} bytes, this one begins ${json.slice(0, 80)}; nothing was written`,
  );
}
