import path from "node:path";

import type { OpenRecord } from "../../message/entry.ts";
import { ActiveSegment } from "./active-segment.ts";
import type { Damages } from "./damages.ts";
import { GroupCommit } from "./group-commit.ts";
import { Housekeeping } from "./housekeeping.ts";
import { isNoSpace, JournalError } from "./journal-error.ts";
import { loadJournalId } from "./journal-id.ts";
import type { FileJournalOptions } from "./journal-options.ts";
import { SegmentReader } from "./journal-reader.ts";
import { JournalTail } from "./journal-tail.ts";
import { OpenExchanges } from "./open-exchanges.ts";
import { recover } from "./recovery.ts";
import { Seals } from "./seals.ts";
import { SegmentCatalog } from "./segment-catalog.ts";
import { SpaceGuard } from "./space-guard.ts";
import { SpaceReserve } from "./space-reserve.ts";

/** The parts of a journal that has started. */
export interface RunningJournal {
  readonly journalId: string;
  readonly tail: JournalTail;
  readonly commit: GroupCommit;
  readonly housekeeping: Housekeeping;
  readonly catalog: SegmentCatalog;
  readonly exchanges: OpenExchanges;
  readonly space: SpaceGuard;
  readonly reader: SegmentReader;
  readonly damages: Damages;
  /** What the last run left open. */
  readonly recovered: readonly OpenRecord[];
}

/**
 * Reads back what the last run left and begins a new segment. A segment of an earlier run is never appended to: a cursor
 * that is ahead of a shortened file can then not land among records that it has not shipped.
 */
export async function bootJournal(options: Required<FileJournalOptions>): Promise<RunningJournal> {
  const { dir, clock, logger, io, segmentBytes, reserveBytes, commitSpacingMs } = options;
  const journalId = await loadJournalId(dir, logger);
  const { segments, opens, seals: foundSeals, damages } = await recover(dir, journalId, logger);

  const catalog = new SegmentCatalog(dir);
  const seals = new Seals(foundSeals);
  const exchanges = new OpenExchanges();
  for (const info of segments) {
    catalog.add(info);
    if (seals.sizeOf(info.number) === undefined) seals.owe(info.number, info.sizeBytes);
  }
  for (const { record, segment } of opens) exchanges.add(record, segment);

  const reserve = new SpaceReserve(path.join(dir, "reserve"), reserveBytes);
  await reserve.measure();
  const createSegment = (segment: number): Promise<ActiveSegment> =>
    ActiveSegment.create({ file: catalog.fileOf(segment), segment }, journalId, io);
  const first = await firstSegment(() => createSegment((segments.at(-1)?.number ?? 0) + 1), reserve);
  catalog.add(first.info);

  const whenSpace = (): void => {
    housekeeping.wantReclaim();
    commit.schedule();
  };
  const space = new SpaceGuard(reserve, { reserveBytes, logger, whenSpace });
  const tail = new JournalTail(first, { space, logger });
  const commit = new GroupCommit({ tail, exchanges, seals, clock, logger, commitSpacingMs });
  const parts = { tail, commit, catalog, exchanges, seals, space, logger, segmentBytes, createSegment };
  const housekeeping = new Housekeeping(parts);
  commit.between(housekeeping);
  const reader = new SegmentReader({ journalId, catalog, seals, damages, durableEnd: () => tail.durableEnd });

  await space.begin();
  await sealFormer(commit);
  const recovered = opens.map((open) => open.record);
  return { journalId, tail, commit, housekeeping, catalog, exchanges, space, reader, damages, recovered };
}

/** On a full disk the first segment takes from the space that the last run set aside. */
async function firstSegment(create: () => Promise<ActiveSegment>, reserve: SpaceReserve): Promise<ActiveSegment> {
  for (;;) {
    try {
      return await create();
    } catch (error) {
      if (!isNoSpace(error)) throw error;
      if (reserve.give(0)) continue;
      throw new JournalError(
        "disk_full",
        `no space for a journal segment beside ${reserve.file}: free at least 1 MiB on that disk, then start Weir again`,
        error,
      );
    }
  }
}

/** Makes the seals of the earlier segments durable, unless the disk is full: then they go out with the next write. */
async function sealFormer(commit: GroupCommit): Promise<void> {
  const error = await new Promise<Error | null>((resolve) => commit.wait(resolve));
  if (error !== null && !(error instanceof JournalError && error.code === "disk_full")) throw error;
}
