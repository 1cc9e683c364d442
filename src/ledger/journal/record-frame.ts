import { crc32 } from "node:zlib";

/*
 * One record:
 *   0  2  FF FE: bytes that UTF-8 text never contains, so that a reader can find the next record after damage and no
 *         user's string can pass for one
 *   2  4  CRC-32 of everything from byte 6 on, continued from the segment's seed
 *   6  1  type
 *   7  1  zero
 *   8  4  length of the payload
 *  12  …  payload, UTF-8 JSON
 * Numbers are little-endian. The seed is the CRC of the segment's file header, so that a record of another journal or
 * segment (a stale disk block, a mixed-up copy) never counts as whole.
 */
export const RECORD_HEADER_BYTES = 12;

/** No payload is longer; a longer length field is damage. */
export const MAX_PAYLOAD_BYTES = 1 << 20;

export const RECORD = { open: 1, settle: 2, seal: 3 } as const;
export type RecordType = (typeof RECORD)[keyof typeof RECORD];

const SYNC_0 = 0xff;
const SYNC_1 = 0xfe;
const SYNC = Buffer.from([SYNC_0, SYNC_1]);
const CRC_AT = 2;
const TYPE_AT = 6;
const LENGTH_AT = 8;

/** Writes the header before the `payloadBytes` that already lie at `at + RECORD_HEADER_BYTES`. */
export function frameRecord(
  bytes: Buffer,
  at: number,
  frame: { type: RecordType; payloadBytes: number; seed: number },
) {
  bytes[at] = SYNC_0;
  bytes[at + 1] = SYNC_1;
  bytes[at + TYPE_AT] = frame.type;
  bytes[at + TYPE_AT + 1] = 0;
  bytes.writeUInt32LE(frame.payloadBytes, at + LENGTH_AT);
  const end = at + RECORD_HEADER_BYTES + frame.payloadBytes;
  bytes.writeUInt32LE(crc32(bytes.subarray(at + TYPE_AT, end), frame.seed), at + CRC_AT);
}

/** The length that the header at `at` claims for its whole record; null when no header lies there. */
export function claimedLength(bytes: Buffer, at: number): number | null {
  if (at + RECORD_HEADER_BYTES > bytes.length || bytes[at] !== SYNC_0 || bytes[at + 1] !== SYNC_1) return null;
  const payloadBytes = bytes.readUInt32LE(at + LENGTH_AT);
  return payloadBytes > MAX_PAYLOAD_BYTES ? null : RECORD_HEADER_BYTES + payloadBytes;
}

/** The length of the record at `at`, or 0 when no whole, undamaged record lies there. */
export function wholeLength(bytes: Buffer, at: number, seed: number): number {
  const length = claimedLength(bytes, at);
  if (length === null || at + length > bytes.length) return 0;
  const crc = crc32(bytes.subarray(at + TYPE_AT, at + length), seed);
  return crc === bytes.readUInt32LE(at + CRC_AT) ? length : 0;
}

/** Where the first whole record at or after `from` begins; -1 when there is none. */
export function findWhole(bytes: Buffer, from: number, seed: number): number {
  for (let at = bytes.indexOf(SYNC, from); at !== -1; at = bytes.indexOf(SYNC, at + 1)) {
    if (wholeLength(bytes, at, seed) > 0) return at;
  }
  return -1;
}

/** The type byte of the whole record at `at`; a number that `RECORD` does not list belongs to a newer version. */
export function recordType(bytes: Buffer, at: number): number {
  return bytes[at + TYPE_AT] ?? 0;
}
