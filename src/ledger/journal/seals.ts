import type { RecordBuffer } from "./record-buffer.ts";
import { RECORD } from "./record-frame.ts";

/**
 * A seal record says, in a later segment, how long an earlier one was when it became durable as a whole. No settle record
 * of a segment becomes durable before the seal of the segment before it. So a broken end of a sealed segment is damage,
 * while the broken end of one that is not sealed was never acknowledged.
 */
export class Seals {
  readonly #sizes: Map<number, number>;
  readonly #owed = new Map<number, number>();

  /** `found`: sealed sizes in bytes by segment number, as read at start. */
  constructor(found: ReadonlyMap<number, number>) {
    this.#sizes = new Map(found);
  }

  /** The size that `segment` was sealed at. */
  sizeOf(segment: number): number | undefined {
    return this.#sizes.get(segment);
  }

  /** Notes that `segment` is durable as a whole; its seal goes out with the next write. */
  owe(segment: number, sizeBytes: number): void {
    this.#sizes.set(segment, sizeBytes);
    this.#owed.set(segment, sizeBytes);
  }

  /** Adds the owed seals to what is written next. Call `paid` once that has been written. */
  addTo(records: RecordBuffer, seed: number): void {
    for (const [segment, bytes] of this.#owed) records.add(RECORD.seal, JSON.stringify({ segment, bytes }), seed);
  }

  paid(): void {
    this.#owed.clear();
  }

  /** Forgets segments that are gone, except the last, which a shipper's cursor may still rest in. */
  forgetBefore(segment: number): void {
    for (const sealed of this.#sizes.keys()) if (sealed < segment - 1) this.#sizes.delete(sealed);
  }
}
