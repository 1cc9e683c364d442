import path from "node:path";

import type { JournalPosition } from "./journal.ts";
import { SEGMENT_HEADER_BYTES } from "./segment-header.ts";

const NAME = /^(\d{12})\.segment$/;

/** The file name of a segment; names sort as their numbers. */
export function segmentName(segment: number): string {
  return `${String(segment).padStart(12, "0")}.segment`;
}

/** The number in a segment's file name; null for any other file. */
export function segmentNumber(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** One segment file as the running journal knows it. */
export interface SegmentInfo {
  readonly number: number;
  readonly file: string;
  /** Bytes written, the header included; grows while the segment is the current one. */
  sizeBytes: number;
}

interface Listed {
  readonly info: SegmentInfo;
  /** Bytes in all segments before this one since the journal was started. */
  readonly startsAt: number;
}

/** The segments on disk, oldest first, the current one last, and how far they have been shipped. */
export class SegmentCatalog {
  readonly #directory: string;
  #segments: Listed[] = [];
  #releasedBytes = 0;
  #released: JournalPosition = { segment: 0, offset: 0 };
  #hiddenUpTo = 0;

  constructor(directory: string) {
    this.#directory = directory;
  }

  fileOf(segment: number): string {
    return path.join(this.#directory, segmentName(segment));
  }

  /** Adds the next segment, which becomes the current one. */
  add(info: SegmentInfo): void {
    const last = this.#segments.at(-1);
    this.#segments.push({ info, startsAt: last === undefined ? 0 : last.startsAt + last.info.sizeBytes });
  }

  /** The segment with this number, unless it is being deleted. */
  get(segment: number): SegmentInfo | undefined {
    return this.#kept().find((listed) => listed.info.number === segment)?.info;
  }

  oldest(): JournalPosition {
    return { segment: this.#kept()[0]?.info.number ?? 1, offset: SEGMENT_HEADER_BYTES };
  }

  /** Bytes on disk that have not been released. */
  get backlogBytes(): number {
    const last = this.#segments.at(-1);
    return last === undefined ? 0 : last.startsAt + last.info.sizeBytes - this.#releasedBytes;
  }

  /** Moves the released position forward; an earlier one changes nothing. */
  release(position: JournalPosition): void {
    for (const { info, startsAt } of this.#segments) {
      if (info.number > position.segment) break;
      const within = info.number === position.segment ? Math.min(position.offset, info.sizeBytes) : info.sizeBytes;
      if (startsAt + within <= this.#releasedBytes) continue;
      this.#releasedBytes = startsAt + within;
      this.#released = { segment: info.number, offset: within };
    }
  }

  /** Segments, oldest first, that are wholly released; never the current one. */
  reclaimable(): SegmentInfo[] {
    const { segment, offset } = this.#released;
    return this.#segments
      .slice(0, -1)
      .map((listed) => listed.info)
      .filter((info) => info.number < segment || (info.number === segment && offset >= info.sizeBytes));
  }

  /** Hides segments up to `segment` from readers: their files are about to go. They stay reclaimable until removed. */
  hideUpTo(segment: number): void {
    this.#hiddenUpTo = segment;
  }

  remove(segment: number): void {
    this.#segments = this.#segments.filter((listed) => listed.info.number !== segment);
  }

  #kept(): Listed[] {
    return this.#segments.filter((listed) => listed.info.number > this.#hiddenUpTo);
  }
}
