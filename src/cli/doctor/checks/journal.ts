import { readdir, readFile, stat } from "node:fs/promises";
import path from "node:path";

import { JournalError } from "../../../ledger/journal/journal-error.ts";
import { RECORD } from "../../../ledger/journal/record-frame.ts";
import {
  checkHeader,
  headerJournalId,
  SEGMENT_HEADER_BYTES,
  segmentSeed,
} from "../../../ledger/journal/segment-header.ts";
import { segmentNumber } from "../../../ledger/journal/segment-catalog.ts";
import { scanRecords } from "../../../ledger/journal/segment-scan.ts";
import { isSystemError } from "../../system-error.ts";
import type { Check } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";
import { formatBytes } from "../format-bytes.ts";

export const journalCheck: Check = {
  id: "journal",
  title: "Journal",
  run: (examination) =>
    examination.withConfig(async (config) => {
      const directory = examination.context.inspect.journalDirectory(config);
      const weir = config.listen.port === 0 ? null : await examination.weir(config);
      // The files of a running journal change while they are read; its state is part of Weir's readiness.
      const isRunning = weir?.state === "ready" || weir?.state === "not_ready";
      return isRunning ? describeRunning(await segmentsIn(directory)) : await examineJournal(directory);
    }),
};

interface Segment {
  readonly number: number;
  readonly file: string;
  readonly sizeBytes: number;
}

/** Looks for damage and for exchanges that were open when Weir ended. Reads only. */
export async function examineJournal(directory: string): Promise<Finding> {
  const segments = await segmentsIn(directory);
  if (segments.length === 0) return ok("empty");
  const size = `${segments.length} ${segments.length === 1 ? "segment" : "segments"}, ${sizeOf(segments)}`;
  const open = new Set<string>();
  let damaged: { file: string; offset: number } | null = null;
  try {
    for (const { number, file } of segments) {
      const bytes = await readFile(file);
      const journalId = await journalIdOf(directory, bytes);
      if (journalId === null) {
        damaged ??= { file, offset: 0 };
        continue;
      }
      checkHeader(bytes, { journalId, segment: number, file });
      const from = { start: SEGMENT_HEADER_BYTES, seed: segmentSeed(journalId, number) };
      const { holes } = scanRecords(bytes, from, ({ type, payload }) => follow(open, type, payload));
      const [hole] = holes;
      if (hole !== undefined) damaged ??= { file, offset: hole.offset };
    }
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return fail(error.message, "Do as it says before you start Weir.");
  }
  if (damaged !== null) {
    return fail(
      `${size}; damaged: ${damaged.file} at byte ${damaged.offset}`,
      "Restore that file from a copy before you start Weir. Without a copy: Weir starts, keeps the file, and ships nothing from there on until its log's advice is followed.",
    );
  }
  if (open.size === 0) return ok(size);
  return warn(
    `${size}; ${open.size} ${open.size === 1 ? "exchange was" : "exchanges were"} open when Weir ended`,
    "The next start settles them with an estimate; nothing needs to be done.",
  );
}

function describeRunning(segments: readonly Segment[]): Finding {
  return ok(`in use by the running Weir, ${sizeOf(segments)}`);
}

async function segmentsIn(directory: string): Promise<Segment[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isSystemError(error) && error.code === "ENOENT") return [];
    throw error;
  }
  const segments: Segment[] = [];
  for (const name of names.sort()) {
    const number = segmentNumber(name);
    if (number === null) continue;
    const file = path.join(directory, name);
    segments.push({ number, file, sizeBytes: (await stat(file)).size });
  }
  return segments;
}

async function journalIdOf(directory: string, bytes: Buffer): Promise<string | null> {
  const stored = await readFile(path.join(directory, "id"), "utf8").catch(() => "");
  return stored.trim() === "" ? headerJournalId(bytes) : stored.trim();
}

function follow(open: Set<string>, type: number, payload: Buffer): void {
  if (type !== RECORD.open && type !== RECORD.settle) return;
  // Checked by its CRC: Weir's own text, which has an exchange id.
  const { exchangeId } = JSON.parse(payload.toString("utf8")) as { exchangeId: string };
  if (type === RECORD.open) open.add(exchangeId);
  else open.delete(exchangeId);
}

function sizeOf(segments: readonly Segment[]): string {
  return formatBytes(segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0));
}
