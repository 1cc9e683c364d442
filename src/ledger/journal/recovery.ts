import { open, readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";

import type { Logger } from "../../core/logger.ts";
import type { OpenRecord } from "../../message/entry.ts";
import { UNFINISHED_SUFFIX } from "./active-segment.ts";
import { Damages } from "./damages.ts";
import { syncDirectory } from "./directory-sync.ts";
import { openFromJson } from "./entry-json.ts";
import { RECORD } from "./record-frame.ts";
import { type SegmentInfo, segmentName, segmentNumber } from "./segment-catalog.ts";
import { checkHeader, SEGMENT_HEADER_BYTES, segmentHeader, segmentSeed } from "./segment-header.ts";
import { type Hole, scanRecords, type ScannedRecord } from "./segment-scan.ts";

/** What an earlier run left. */
export interface Recovered {
  /** Oldest first; all of them are durable and none is appended to again. */
  readonly segments: readonly SegmentInfo[];
  /** Open records without a settle record, with the segment that holds each. */
  readonly opens: readonly { readonly record: OpenRecord; readonly segment: number }[];
  /** Sealed sizes in bytes by segment number. */
  readonly seals: ReadonlyMap<number, number>;
  readonly damages: Damages;
}

interface Scanned {
  readonly info: SegmentInfo;
  readonly headerIntact: boolean;
  readonly holes: readonly Hole[];
  /** The end of the last whole record. */
  readonly end: number;
}

/** Collects the meaning of the records, in their order. */
class Replay {
  readonly opens = new Map<string, { payload: Buffer; segment: number }>();
  readonly seals = new Map<number, number>();

  take(record: ScannedRecord, segment: number): void {
    switch (record.type) {
      case RECORD.open:
        this.opens.set(exchangeIdOf(record.payload), { payload: Buffer.from(record.payload), segment });
        break;
      case RECORD.settle:
        this.opens.delete(exchangeIdOf(record.payload));
        break;
      case RECORD.seal: {
        // Our own text, checked by its CRC: the shape is the one that Seals writes.
        const seal = JSON.parse(record.payload.toString()) as { segment: number; bytes: number };
        this.seals.set(seal.segment, seal.bytes);
        break;
      }
      default:
        break;
    }
  }
}

/**
 * Reads every segment, cuts what was being written when the last run ended, and reports damage. Only bytes that no
 * acknowledged record can be in are cut: the end of the last segment, or of the one before it when that was not sealed yet.
 * Rejects with JournalError `foreign_segment` or `unsupported_version`, or the system error.
 */
export async function recover(directory: string, journalId: string, logger: Logger): Promise<Recovered> {
  const numbers = await listSegments(directory);
  const replay = new Replay();
  const scanned: Scanned[] = [];
  for (const segment of numbers) {
    const scan = await scanSegment({ directory, journalId, segment }, replay);
    scanned.push(scan);
    // The header is known without the file: its damage costs no record.
    if (!scan.headerIntact) logger.error({ file: scan.info.file }, "a journal segment's header is damaged");
  }

  const damages = new Damages(logger);
  for (const [index, scan] of scanned.entries()) {
    judgeGap(scanned[index - 1], scan, damages);
    judgeMiddle(scan, damages);
    if (isCuttable(index, scanned, replay.seals)) await cut(scan, journalId, logger);
    else judgeEnd(scan, replay.seals.get(scan.info.number), damages);
  }
  // A killed process leaves bytes that only the kernel knows; shipping them would put the cursor ahead of the disk.
  for (const { info } of scanned) if (!replay.seals.has(info.number)) await syncFile(info.file);
  return {
    segments: scanned.map((scan) => scan.info),
    opens: [...replay.opens.values()].map(({ payload, segment }) => ({ record: openFromJson(payload), segment })),
    seals: replay.seals,
    damages,
  };
}

/** The segment numbers in the directory, ascending; removes files whose creation was interrupted. */
async function listSegments(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  for (const name of names) {
    if (name.endsWith(UNFINISHED_SUFFIX)) await rm(path.join(directory, name), { force: true });
  }
  return names
    .map(segmentNumber)
    .filter((segment) => segment !== null)
    .sort((a, b) => a - b);
}

async function scanSegment(
  of: { directory: string; journalId: string; segment: number },
  replay: Replay,
): Promise<Scanned> {
  const { directory, journalId, segment } = of;
  const file = path.join(directory, segmentName(segment));
  const bytes = await readFile(file);
  const headerIntact = checkHeader(bytes, { journalId, segment, file });
  const from = { start: SEGMENT_HEADER_BYTES, seed: segmentSeed(journalId, segment) };
  const scan = scanRecords(bytes, from, (record) => replay.take(record, segment));
  return { info: { number: segment, file, sizeBytes: bytes.length }, headerIntact, ...scan };
}

function judgeGap(before: Scanned | undefined, scan: Scanned, damages: Damages): void {
  if (before === undefined || scan.info.number === before.info.number + 1) return;
  const missing = before.info.number + 1;
  damages.add({
    file: path.join(path.dirname(scan.info.file), segmentName(missing)),
    segment: missing,
    offset: SEGMENT_HEADER_BYTES,
    resumeAt: { segment: scan.info.number, offset: SEGMENT_HEADER_BYTES },
    reason: `the file is missing, though segment ${scan.info.number} exists`,
  });
}

function judgeMiddle(scan: Scanned, damages: Damages): void {
  const { file, number: segment } = scan.info;
  for (const hole of scan.holes) {
    damages.add({
      file,
      segment,
      offset: hole.offset,
      resumeAt: { segment, offset: hole.resumeOffset },
      reason: "bytes that are no whole record, with whole records after them",
    });
  }
}

/** Whether the segment is one whose broken end was never acknowledged, and whole otherwise. */
function isCuttable(index: number, scanned: readonly Scanned[], seals: ReadonlyMap<number, number>): boolean {
  const scan = scanned[index];
  if (scan === undefined || scan.holes.length > 0 || seals.has(scan.info.number)) return false;
  const later = scanned.slice(index + 1);
  return later.length === 0 || (later.length === 1 && later[0]?.holes.length === 0);
}

/** Damage at the end of a segment that is not to be cut. */
function judgeEnd(scan: Scanned, sealedBytes: number | undefined, damages: Damages): void {
  const { info, end } = scan;
  const broken = end < info.sizeBytes || info.sizeBytes < SEGMENT_HEADER_BYTES;
  const short = sealedBytes !== undefined && info.sizeBytes < sealedBytes;
  if (!broken && !short) return;
  damages.add({
    file: info.file,
    segment: info.number,
    offset: end,
    resumeAt: { segment: info.number + 1, offset: SEGMENT_HEADER_BYTES },
    reason: short
      ? `the file has ${info.sizeBytes} bytes but had ${sealedBytes} when it was closed`
      : "the end of the file is no whole record, though the file was closed",
  });
}

/** Shortens a file to its whole records, and gives it its header again if that is damaged. */
async function cut(scan: Scanned, journalId: string, logger: Logger): Promise<void> {
  const { info, headerIntact, end } = scan;
  if (headerIntact && end === info.sizeBytes) return;
  const handle = await open(info.file, "r+");
  try {
    const wholeBytes = Math.max(end, SEGMENT_HEADER_BYTES);
    if (!headerIntact) await handle.write(segmentHeader(journalId, info.number), 0, SEGMENT_HEADER_BYTES, 0);
    await handle.truncate(wholeBytes);
    await handle.datasync();
    logger.warn(
      { file: info.file, offset: wholeBytes, bytes: info.sizeBytes - wholeBytes },
      "the journal's end was cut at the last whole record: the bytes after it were being written when Weir ended",
    );
    info.sizeBytes = wholeBytes;
  } finally {
    await handle.close();
  }
}

async function syncFile(file: string): Promise<void> {
  const handle = await open(file, "r+");
  try {
    await handle.datasync();
  } finally {
    await handle.close();
  }
  await syncDirectory(path.dirname(file));
}

/** The exchange id of an entry or open record, whose JSON text begins with it. */
function exchangeIdOf(payload: Buffer): string {
  const start = '{"exchangeId":"'.length;
  const end = payload.indexOf('"', start);
  const id = payload.toString("latin1", start, end);
  if (/^[\w:.-]+$/.test(id)) return id;
  // Our own text, checked by its CRC.
  return (JSON.parse(payload.toString()) as { exchangeId: string }).exchangeId;
}
