import fs from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import path from "node:path";

import { syncDirectory } from "./directory-sync.ts";
import { JournalError } from "./journal-error.ts";
import type { SegmentInfo } from "./segment-catalog.ts";
import { SEGMENT_HEADER_BYTES, segmentHeader, segmentSeed } from "./segment-header.ts";
import type { SegmentIo } from "./segment-io.ts";

/** Ends in this until its header is durable, so that a segment file never has half a header. */
export const UNFINISHED_SUFFIX = ".new";

/** The segment file that records are appended to. */
export class ActiveSegment {
  readonly info: SegmentInfo;
  /** Where the CRC of its records starts from. */
  readonly seed: number;
  readonly #fd: number;
  readonly #io: SegmentIo;

  private constructor(info: SegmentInfo, opened: { fd: number; seed: number; io: SegmentIo }) {
    this.info = info;
    this.seed = opened.seed;
    this.#fd = opened.fd;
    this.#io = opened.io;
  }

  /** Creates the file and makes it and its name durable. Rejects with the system error, leaving no file behind. */
  static async create(at: { file: string; segment: number }, journalId: string, io: SegmentIo): Promise<ActiveSegment> {
    const unfinished = at.file + UNFINISHED_SUFFIX;
    try {
      const handle = await open(unfinished, "w", 0o600);
      try {
        await handle.writeFile(segmentHeader(journalId, at.segment));
        await handle.datasync();
      } finally {
        await handle.close();
      }
      await rename(unfinished, at.file);
      await syncDirectory(path.dirname(at.file));
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
    // A plain descriptor, not a FileHandle: the hot path writes synchronously.
    const fd = fs.openSync(at.file, "r+");
    const info = { number: at.segment, file: at.file, sizeBytes: SEGMENT_HEADER_BYTES };
    return new ActiveSegment(info, { fd, seed: segmentSeed(journalId, at.segment), io });
  }

  /**
   * Appends the first `length` of `bytes`, wholly or not at all: after an error the file has its former length again.
   * Throws the system error, or JournalError `failed` when the former length could not be restored.
   */
  append(bytes: Buffer, length: number): void {
    let done = 0;
    try {
      while (done < length) {
        const written = this.#io.writeSync(this.#fd, bytes, done, length - done, this.info.sizeBytes + done);
        if (written <= 0) throw new Error(`the system wrote nothing to ${this.info.file} and gave no reason`);
        done += written;
      }
    } catch (error) {
      this.#undo(error);
      throw error;
    }
    this.info.sizeBytes += length;
  }

  /** Makes everything appended so far durable, without blocking. */
  sync(done: (error: Error | null) => void): void {
    this.#io.fdatasync(this.#fd, done);
  }

  close(): void {
    fs.closeSync(this.#fd);
  }

  #undo(reason: unknown): void {
    try {
      this.#io.ftruncateSync(this.#fd, this.info.sizeBytes);
    } catch (error) {
      throw new JournalError(
        "failed",
        `a write to ${this.info.file} failed (${String(reason)}) and could not be undone (${String(error)})`,
        error,
      );
    }
  }
}
