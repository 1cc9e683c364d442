import { findWhole, recordType, RECORD_HEADER_BYTES, wholeLength } from "./record-frame.ts";

/** Damaged bytes with a whole record somewhere after them in the same file. */
export interface Hole {
  readonly offset: number;
  /** Where the next whole record begins. */
  readonly resumeOffset: number;
}

export interface RecordScan {
  /** The end of the last whole record, or the start of the scan when there is none. */
  readonly end: number;
  readonly holes: readonly Hole[];
}

/** What is known of one whole record during a scan. */
export interface ScannedRecord {
  readonly type: number;
  /** A view into the scanned bytes; copy it to keep it. */
  readonly payload: Buffer;
}

/** Visits every whole record in `bytes` from `start` on, skipping damage. */
export function scanRecords(
  bytes: Buffer,
  from: { start: number; seed: number },
  visit: (record: ScannedRecord) => void,
): RecordScan {
  const holes: Hole[] = [];
  let at = from.start;
  while (at < bytes.length) {
    const length = wholeLength(bytes, at, from.seed);
    if (length > 0) {
      visit({ type: recordType(bytes, at), payload: bytes.subarray(at + RECORD_HEADER_BYTES, at + length) });
      at += length;
      continue;
    }
    const resumeOffset = findWhole(bytes, at, from.seed);
    if (resumeOffset === -1) break;
    holes.push({ offset: at, resumeOffset });
    at = resumeOffset;
  }
  return { end: Math.min(at, bytes.length), holes };
}
