import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import { JournalError } from "./journal-error.ts";
import { nodeSegmentIo, type SegmentIo } from "./segment-io.ts";
import { systemTicker, type Ticker } from "./ticker.ts";

const MIB = 1024 * 1024;
const LARGEST_SEGMENT_BYTES = 1024 * MIB;

export interface FileJournalOptions {
  /** The journal's own directory on a local disk; made when it does not exist. */
  readonly dir: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** A segment that has reached this size is closed; a start reads whole segments into memory. Default 64 MiB. */
  readonly segmentBytes?: number;
  /** More unreleased bytes than this refuse new exchanges. Default 4 GiB. */
  readonly maxBacklogBytes?: number;
  /**
   * Disk space set aside so that exchanges in flight can settle when the disk is full: about 2 KiB for each exchange that
   * may be in flight at once. Default 16 MiB.
   */
  readonly reserveBytes?: number;
  /**
   * Least time between the starts of two commits. 0 (default) commits as soon as the last one is done; 2 makes commits
   * larger, and so cheaper, once there are more than 500 settles a second, and delays a settle by at most that time.
   */
  readonly commitSpacingMs?: number;
  /** How often a full disk is looked at again. Default 1 s. */
  readonly spaceCheckMs?: number;
  readonly ticker?: Ticker;
  readonly io?: SegmentIo;
}

/** The options with their defaults. Throws JournalError `invalid_option`. */
export function withDefaults(options: FileJournalOptions): Required<FileJournalOptions> {
  const complete = {
    ...options,
    segmentBytes: options.segmentBytes ?? 64 * MIB,
    maxBacklogBytes: options.maxBacklogBytes ?? 4096 * MIB,
    reserveBytes: options.reserveBytes ?? 16 * MIB,
    commitSpacingMs: options.commitSpacingMs ?? 0,
    spaceCheckMs: options.spaceCheckMs ?? 1_000,
    ticker: options.ticker ?? systemTicker,
    io: options.io ?? nodeSegmentIo,
  };
  requireInteger("segmentBytes", complete.segmentBytes, { least: 1, most: LARGEST_SEGMENT_BYTES });
  requireInteger("maxBacklogBytes", complete.maxBacklogBytes, { least: 1, most: Number.MAX_SAFE_INTEGER });
  requireInteger("reserveBytes", complete.reserveBytes, { least: 0, most: Number.MAX_SAFE_INTEGER });
  requireInteger("commitSpacingMs", complete.commitSpacingMs, { least: 0, most: 1_000 });
  requireInteger("spaceCheckMs", complete.spaceCheckMs, { least: 1, most: 3_600_000 });
  return complete;
}

function requireInteger(name: string, value: number, range: { least: number; most: number }): void {
  if (Number.isInteger(value) && value >= range.least && value <= range.most) return;
  throw new JournalError(
    "invalid_option",
    `journal option ${name} is ${value}; it must be an integer from ${range.least} to ${range.most}`,
  );
}
