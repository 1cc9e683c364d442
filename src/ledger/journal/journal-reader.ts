import { open } from "node:fs/promises";

import type { Damages } from "./damages.ts";
import { corruptError, JournalError, systemCode } from "./journal-error.ts";
import type { JournalBatch, JournalCorruption, JournalPosition } from "./journal.ts";
import { comparePositions } from "./position.ts";
import { claimedLength, findWhole, RECORD, RECORD_HEADER_BYTES, recordType, wholeLength } from "./record-frame.ts";
import type { Seals } from "./seals.ts";
import type { SegmentCatalog, SegmentInfo } from "./segment-catalog.ts";
import { SEGMENT_HEADER_BYTES, segmentSeed } from "./segment-header.ts";

export interface ReaderParts {
  readonly journalId: string;
  readonly catalog: SegmentCatalog;
  readonly seals: Seals;
  readonly damages: Damages;
  readonly durableEnd: () => JournalPosition;
}

/** A stretch of one segment that may be read. */
interface Stretch {
  readonly segment: SegmentInfo;
  readonly from: number;
  readonly limit: number;
}

/** Reads settled entries back from the durable part of the journal, while it is being written. */
export class SegmentReader {
  readonly #parts: ReaderParts;

  constructor(parts: ReaderParts) {
    this.#parts = parts;
  }

  /** See `JournalReader.read`. */
  async read(position: JournalPosition, maxBytes: number): Promise<JournalBatch | null> {
    const stretch = this.#locate(position);
    if (stretch === null) return null;
    const bytes = await this.#load(stretch, maxBytes);
    const seed = segmentSeed(this.#parts.journalId, stretch.segment.number);
    const entries: Buffer[] = [];
    let at = 0;
    for (let length = wholeLength(bytes, 0, seed); length > 0; length = wholeLength(bytes, at, seed)) {
      if (recordType(bytes, at) === RECORD.settle) {
        entries.push(bytes.subarray(at + RECORD_HEADER_BYTES, at + length));
      }
      at += length;
    }
    if (at === 0) throw corruptError(await this.#noteDamage(stretch));
    const from = { segment: stretch.segment.number, offset: stretch.from };
    return { from, to: { segment: stretch.segment.number, offset: stretch.from + at }, entries };
  }

  /** The next readable stretch at or after `position`; null at the durable end. */
  #locate(position: JournalPosition): Stretch | null {
    const { catalog, damages, durableEnd } = this.#parts;
    const end = durableEnd();
    let at = this.#firstExisting(position);
    if (comparePositions(at, end) > 0) throw aheadError(position, end);
    for (;;) {
      const damage = damages.at(at);
      if (damage !== null) throw corruptError(damage);
      if (comparePositions(at, end) >= 0) return null;
      const segment = catalog.get(at.segment);
      if (segment === undefined) throw goneError(at, catalog.oldest());
      const readable = at.segment === end.segment ? end.offset : segment.sizeBytes;
      const limit = Math.min(readable, damages.limitAfter(at) ?? readable);
      if (at.offset < limit) return { segment, from: at.offset, limit };
      at = { segment: at.segment + 1, offset: SEGMENT_HEADER_BYTES };
    }
  }

  /** `position`, or the oldest one if it lies at the end of a segment that was deleted after it had been shipped. */
  #firstExisting(position: JournalPosition): JournalPosition {
    const { catalog, seals } = this.#parts;
    const oldest = catalog.oldest();
    const offset = Math.max(position.offset, SEGMENT_HEADER_BYTES);
    if (position.segment >= oldest.segment) return { segment: position.segment, offset };
    const sealedBytes = seals.sizeOf(position.segment);
    const shippedWhole = position.segment === oldest.segment - 1 && sealedBytes !== undefined && offset >= sealedBytes;
    if (!shippedWhole) throw goneError(position, oldest);
    return oldest;
  }

  /** At most `maxBytes` of the stretch, but at least its first record. */
  async #load(stretch: Stretch, maxBytes: number): Promise<Buffer> {
    const { segment, from, limit } = stretch;
    const handle = await open(segment.file, "r").catch((error: unknown) => {
      // Deleted since it was located: someone released it in between.
      throw systemCode(error) === "ENOENT"
        ? goneError({ segment: segment.number }, this.#parts.catalog.oldest())
        : error;
    });
    try {
      const load = async (length: number): Promise<Buffer> => {
        const bytes = Buffer.allocUnsafeSlow(Math.min(length, limit - from));
        const { bytesRead } = await handle.read(bytes, 0, bytes.length, from);
        return bytes.subarray(0, bytesRead);
      };
      const bytes = await load(Math.max(maxBytes, RECORD_HEADER_BYTES));
      const first = claimedLength(bytes, 0);
      return first !== null && first > bytes.length ? await load(first) : bytes;
    } finally {
      await handle.close();
    }
  }

  /** Bytes that were whole at start, or written since, and are not now. */
  async #noteDamage(stretch: Stretch): Promise<JournalCorruption> {
    const { segment, from, limit } = stretch;
    const bytes = await this.#load(stretch, limit - from);
    const next = findWhole(bytes, 0, segmentSeed(this.#parts.journalId, segment.number));
    const corruption = {
      file: segment.file,
      segment: segment.number,
      offset: from,
      resumeAt:
        next === -1
          ? { segment: segment.number + 1, offset: SEGMENT_HEADER_BYTES }
          : { segment: segment.number, offset: from + next },
      reason: "a record that was durable does not match its checksum",
    };
    this.#parts.damages.add(corruption);
    return corruption;
  }
}

function goneError(position: { segment: number }, oldest: JournalPosition): JournalError {
  return new JournalError(
    "position_gone",
    `segment ${position.segment} was deleted after it had been shipped; the oldest is ${oldest.segment}. The shipper's ` +
      `cursor went back, as after restoring PostgreSQL from a backup: restore the missing rows from a later backup, then set ` +
      `the cursor to segment ${oldest.segment}, offset ${oldest.offset}`,
  );
}

function aheadError(position: JournalPosition, end: JournalPosition): JournalError {
  return new JournalError(
    "position_ahead",
    `the shipper's cursor (segment ${position.segment}, offset ${position.offset}) is ahead of the journal (segment ` +
      `${end.segment}, offset ${end.offset}): the journal's directory was replaced by an older copy. Start Weir with an ` +
      `empty journal directory and keep this one`,
  );
}
