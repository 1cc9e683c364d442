import { crc32 } from "node:zlib";

import { JournalError } from "./journal-error.ts";

/*
 * The head of a segment file, wholly determined by journal and number, so that the records of a segment whose head is
 * damaged can still be checked:
 *   0  8  "WEIRJRNL"      8  4  format version     12  4  zero
 *  16  8  segment number  24 16  journal id (UUID)  40  4  zero  44  4  CRC-32 of everything before
 */
export const SEGMENT_HEADER_BYTES = 48;

const MAGIC = Buffer.from("WEIRJRNL", "latin1");
const VERSION = 1;
const CRC_AT = 44;

/** The header bytes of segment `segment` of the journal with the UUID `journalId`. */
export function segmentHeader(journalId: string, segment: number): Buffer {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  header.writeBigUInt64LE(BigInt(segment), 16);
  Buffer.from(journalId.replaceAll("-", ""), "hex").copy(header, 24);
  header.writeUInt32LE(crc32(header.subarray(0, CRC_AT)), CRC_AT);
  return header;
}

/**
 * Where the CRC of every record of this segment starts from: the CRC of the header without its own CRC (with it, every
 * header would have the same one).
 */
export function segmentSeed(journalId: string, segment: number): number {
  return segmentHeader(journalId, segment).readUInt32LE(CRC_AT);
}

/** The journal id in a segment's header; null when the header is damaged. */
export function headerJournalId(bytes: Buffer): string | null {
  if (!isIntact(bytes)) return null;
  const hex = bytes.toString("hex", 24, 40);
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/**
 * Whether `bytes` begin with the header that `segment` of `journalId` must have. Throws JournalError when the header is
 * intact but says something else: a file of another journal, another number or another version is not damage.
 */
export function checkHeader(bytes: Buffer, expected: { journalId: string; segment: number; file: string }): boolean {
  const { journalId, segment, file } = expected;
  if (!isIntact(bytes)) return false;
  if (bytes.subarray(0, SEGMENT_HEADER_BYTES).equals(segmentHeader(journalId, segment))) return true;
  const version = bytes.readUInt32LE(8);
  if (version !== VERSION) {
    throw new JournalError(
      "unsupported_version",
      `${file} has journal format ${version}, this Weir reads ${VERSION}; start the version of Weir that wrote it`,
    );
  }
  throw new JournalError(
    "foreign_segment",
    `${file} is segment ${bytes.readBigUInt64LE(16)} of journal ${headerJournalId(bytes)}, not segment ${segment} of ` +
      `${journalId}; one directory holds one journal: move the file to where it belongs`,
  );
}

function isIntact(bytes: Buffer): boolean {
  return (
    bytes.length >= SEGMENT_HEADER_BYTES &&
    bytes.subarray(0, MAGIC.length).equals(MAGIC) &&
    crc32(bytes.subarray(0, CRC_AT)) === bytes.readUInt32LE(CRC_AT)
  );
}
