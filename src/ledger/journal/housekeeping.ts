import { unlink } from "node:fs/promises";
import path from "node:path";

import type { Logger } from "../../core/logger.ts";
import type { ActiveSegment } from "./active-segment.ts";
import { syncDirectory } from "./directory-sync.ts";
import { openJson } from "./entry-json.ts";
import type { BetweenCommits, GroupCommit } from "./group-commit.ts";
import { isNoSpace, JournalError } from "./journal-error.ts";
import type { JournalTail } from "./journal-tail.ts";
import type { OpenExchanges } from "./open-exchanges.ts";
import { RecordBuffer } from "./record-buffer.ts";
import { RECORD } from "./record-frame.ts";
import type { Seals } from "./seals.ts";
import type { SegmentCatalog, SegmentInfo } from "./segment-catalog.ts";
import type { SpaceGuard } from "./space-guard.ts";

export interface HousekeepingParts {
  readonly tail: JournalTail;
  readonly commit: GroupCommit;
  readonly catalog: SegmentCatalog;
  readonly exchanges: OpenExchanges;
  readonly seals: Seals;
  readonly space: SpaceGuard;
  readonly logger: Logger;
  /** A segment that has reached this size is closed. */
  readonly segmentBytes: number;
  /** Creates the file of a segment; rejects with the system error. */
  readonly createSegment: (segment: number) => Promise<ActiveSegment>;
}

/**
 * Rotation and deletion of segments. Runs between two commits, so that every settle record that is in a file is durable and
 * its exchange no longer open: a carried open record can then never come to lie after its settle record.
 */
export class Housekeeping implements BetweenCommits {
  readonly #parts: HousekeepingParts;
  #reclaimWanted = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  get due(): boolean {
    return this.#rotationDue || this.#reclaimWanted;
  }

  /** Has released segments deleted after the next commit. */
  wantReclaim(): void {
    this.#reclaimWanted = true;
  }

  async run(): Promise<void> {
    const { tail, space, logger } = this.#parts;
    try {
      if (this.#rotationDue) await this.#rotate();
      if (this.#reclaimWanted) {
        this.#reclaimWanted = false;
        await this.#reclaim();
      }
    } catch (error) {
      if (isNoSpace(error)) space.ranOut();
      else if (error instanceof JournalError && error.code === "disk_full")
        logger.warn({ err: error }, "old segments stay");
      else tail.fail("rotation or deletion", error);
    }
  }

  get #rotationDue(): boolean {
    const { tail, space, segmentBytes } = this.#parts;
    return tail.segment.info.sizeBytes >= segmentBytes && !space.full;
  }

  async #rotate(): Promise<void> {
    const { tail, commit, catalog, seals, createSegment } = this.#parts;
    const next = await createSegment(tail.segment.info.number + 1);
    // What was queued meanwhile carries the checksum of the former segment: it goes there, in the turn of the switch.
    const waiters = commit.write();
    const former = tail.segment.info;
    const moved = tail.moveTo(next);
    catalog.add(next.info);
    try {
      await moved;
    } catch (error) {
      commit.complete(waiters, tail.fail("fdatasync", error));
      return;
    }
    seals.owe(former.number, former.sizeBytes);
    commit.complete(waiters, null);
    commit.schedule();
    this.#reclaimWanted = true;
  }

  async #reclaim(): Promise<void> {
    const { catalog, seals, logger } = this.#parts;
    const victims = catalog.reclaimable();
    const last = victims.at(-1);
    if (last === undefined) return;
    await this.#carryOpens(last.number);
    catalog.hideUpTo(last.number);
    let removed: SegmentInfo | null = null;
    try {
      // Oldest first: an open record never outlives the settle record that answers it.
      for (const victim of victims) {
        await unlink(victim.file);
        catalog.remove(victim.number);
        removed = victim;
      }
    } catch (error) {
      logger.error({ err: error }, "cannot delete a shipped journal segment; it will be tried again");
    }
    if (removed === null) return;
    await syncDirectory(path.dirname(removed.file));
    seals.forgetBefore(catalog.oldest().segment);
    logger.debug({ upTo: removed.file }, "shipped journal segments deleted");
  }

  /** Repeats, durably, the open records that would be lost with the segments up to `segment`, and the owed seals. */
  async #carryOpens(segment: number): Promise<void> {
    const { tail, exchanges, seals } = this.#parts;
    const held = exchanges.heldUpTo(segment);
    const records = new RecordBuffer();
    for (const { record } of held) records.add(RECORD.open, openJson(record), tail.segment.seed);
    seals.addTo(records, tail.segment.seed);
    if (records.length === 0) return;
    tail.append(records);
    seals.paid();
    for (const exchange of held) exchange.segment = tail.segment.info.number;
    await tail.synced();
  }
}
