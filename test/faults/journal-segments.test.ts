/** Rotation, deletion and damage: what the journal does with its files. */
import fs from "node:fs";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import type { Logger } from "../../src/core/logger.ts";
import { claimedLength } from "../../src/ledger/journal/record-frame.ts";
import { segmentName } from "../../src/ledger/journal/segment-catalog.ts";
import { SEGMENT_HEADER_BYTES } from "../../src/ledger/journal/segment-header.ts";
import {
  cleanUp,
  crashCopy,
  exampleEntry,
  exampleOpen,
  exchange,
  FaultyIo,
  flipBit,
  ids,
  makeDirectory,
  readAll,
  segmentFiles,
  settled,
  startJournal,
  systemError,
  turns,
} from "./journal-fixtures.ts";

afterEach(cleanUp);

const SEGMENT_BYTES = 3000;

function numbers(count: number): string[] {
  return Array.from({ length: count }, (_, n) => `req_${n}`);
}

class ErrorLog implements Logger {
  readonly errors: object[] = [];
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(fields: object): void {
    this.errors.push(fields);
  }
}

describe("rotation", () => {
  it("closes a segment that has reached its size, and reads across segments in order", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (const id of numbers(20)) await exchange(journal, id);
    expect(segmentFiles(dir).length).toBeGreaterThan(4);
    expect(ids((await readAll(journal)).entries)).toEqual(numbers(20));
  });

  it("given only open records, rotates as well", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (const id of numbers(20)) journal.open(exampleOpen(id));
    await expect.poll(() => segmentFiles(dir).length).toBeGreaterThan(1);
  });

  it("given the next segment cannot be created, fails with what was acknowledged readable", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (const id of numbers(6)) journal.open(exampleOpen(id));
    fs.mkdirSync(path.join(dir, `${segmentName(2)}.new`, "in the way"), { recursive: true });
    await settled(journal, exampleEntry("req_0"));
    await expect.poll(() => journal.state).toBe("failed");
    expect(ids((await readAll(journal)).entries)).toEqual(["req_0"]);
  });

  it("given a power cut between two segments, cuts the former where it was not synced, without alarm", async () => {
    const dir = await makeDirectory();
    const io = new FaultyIo();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES, io });
    await exchange(journal, "req_0");
    // The commit that finds the segment full may sync; the sync that ends the segment may not.
    io.syncsToPass = 1;
    const syncs = io.syncs;
    for (let n = 1; n < 8; n++) journal.open(exampleOpen(`req_${n}`));
    while (io.syncs === syncs) await turns(1);
    journal.open(exampleOpen("req_8"));
    await expect.poll(() => segmentFiles(dir).length).toBe(2);
    await expect
      .poll(() => {
        journal.open(exampleOpen(`req_${journal.openExchanges + 1}`));
        return fs.statSync(segmentFiles(dir)[1]!).size;
      })
      .toBeGreaterThan(SEGMENT_HEADER_BYTES);
    const { segment, offset } = journal.durableEnd();
    expect(segment).toBe(1);

    const full = fs.statSync(segmentFiles(dir)[0]!).size;
    const copies = [offset, offset + 1, full - 1, full].map((length) => {
      const copy = crashCopy(dir);
      fs.truncateSync(segmentFiles(copy)[0]!, length);
      return copy;
    });
    io.letGo();
    expect(full).toBeGreaterThan(offset);
    for (const copy of copies) {
      const next = await startJournal(copy, { segmentBytes: SEGMENT_BYTES });
      expect(next.corruption).toBeNull();
      expect(ids((await readAll(next)).entries)).toEqual(["req_0"]);
      expect(ids(next.recoverOpen()), "opens of the next segment are kept").toContain("req_9");
    }
  });

  it("given damage at the end of a former segment once its seal is written, raises the alarm", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (let n = 0; n < 8; n++) journal.open(exampleOpen(`req_${n}`));
    await expect.poll(() => segmentFiles(dir).length).toBe(2);
    await settled(journal, exampleEntry("req_0"));
    const copy = crashCopy(dir);
    const former = segmentFiles(copy)[0]!;
    fs.truncateSync(former, fs.statSync(former).size - 1);
    expect((await startJournal(copy)).corruption).toMatchObject({ file: former });
  });
});

describe("deletion", () => {
  it("deletes whole segments once they are shipped, and only those", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (const id of numbers(10)) await exchange(journal, id);
    const all = segmentFiles(dir);
    const middle = { segment: 3, offset: 100 };
    journal.release(middle);
    await expect.poll(() => segmentFiles(dir)).toEqual(all.slice(2));
    expect(journal.oldest().segment).toBe(3);
    journal.release({ segment: 1, offset: 60 });
    journal.release(journal.durableEnd());
    await expect.poll(() => segmentFiles(dir)).toEqual(all.slice(-1));
    expect(journal.backlogBytes).toBe(0);
  });

  it("carries the open records of exchanges in flight forward before it deletes the segment that holds them", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    const long = exampleOpen("req_long", { userId: "usr_with_a_very_long_exchange" });
    journal.open(long);
    for (let round = 0; round < 3; round++) {
      for (let n = 0; n < 8; n++) await exchange(journal, `req_${round}_${n}`);
      journal.release(journal.durableEnd());
      await expect.poll(() => segmentFiles(dir).length).toBe(1);

      const killed = await startJournal(crashCopy(dir));
      expect(killed.recoverOpen()).toEqual([long]);
    }
    await settled(journal, exampleEntry("req_long"));
    const after = await startJournal(crashCopy(dir));
    expect(after.recoverOpen()).toEqual([]);
    expect(ids((await readAll(after)).entries)).toContain("req_long");
  });

  it("deletes nothing before the carried open records are durable", async () => {
    const dir = await makeDirectory();
    const io = new FaultyIo();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES, io });
    journal.open(exampleOpen("req_long"));
    for (const id of numbers(8)) await exchange(journal, id);
    // A rotation may be under way after the first; after the second nothing is.
    await journal.flush();
    await journal.flush();
    const before = segmentFiles(dir);
    // The commit before the deletion may sync, the sync of the carried records may not.
    io.syncsToPass = 1;
    const syncs = io.syncs;
    journal.release(journal.durableEnd());
    while (io.syncs < syncs + 2) await turns(1);
    await turns(50);
    expect(segmentFiles(dir)).toEqual(before);
    io.letGo();
    await expect.poll(() => segmentFiles(dir).length).toBe(1);
  });

  it("given an exchange that settles while its record is being carried, has it settled, not open, after a kill", async () => {
    const dir = await makeDirectory();
    const io = new FaultyIo();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES, io });
    journal.open(exampleOpen("req_long"));
    for (const id of numbers(8)) await exchange(journal, id);
    journal.release(journal.durableEnd());
    journal.settle(exampleEntry("req_long"), () => {});
    for (let step = 0; step < 30; step++) {
      await turns(1);
      const killed = await startJournal(crashCopy(dir));
      const found = [...ids(killed.recoverOpen()), ...ids((await readAll(killed)).entries)];
      expect(found.filter((id) => id === "req_long")).toHaveLength(1);
      await killed.stop();
    }
    await journal.flush();
    const killed = await startJournal(crashCopy(dir));
    expect(killed.recoverOpen()).toEqual([]);
  });

  it("keeps recovered opens over deletion and further restarts until they are settled", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    first.open(exampleOpen("req_old"));
    await first.stop();
    for (let restart = 0; restart < 4; restart++) {
      const next = await startJournal(dir);
      expect(ids(next.recoverOpen())).toEqual(["req_old"]);
      next.release(next.durableEnd());
      await expect.poll(() => segmentFiles(dir).length).toBe(1);
      await next.stop();
    }
  });
});

describe("a corrupt middle", () => {
  /** A stopped journal with 12 entries in several segments. */
  async function stopped(): Promise<{ dir: string; files: string[] }> {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES });
    for (const id of numbers(12)) await exchange(journal, id);
    await journal.stop();
    return { dir, files: segmentFiles(dir) };
  }

  it("stops shipping before it with file and offset, keeps the file, and takes new exchanges in a new segment", async () => {
    const { dir, files } = await stopped();
    const file = files[1]!;
    const offset = recordStarts(fs.readFileSync(file))[2]!;
    flipBit(file, (offset + 30) * 8);
    const damaged = fs.readFileSync(file);
    const logger = new ErrorLog();
    const journal = await startJournal(dir, { logger });
    expect(logger.errors).toEqual([expect.objectContaining({ file, offset })]);
    expect(journal.corruption).toMatchObject({ file, segment: 2 });
    expect(journal.state).toBe("open");
    await exchange(journal, "req_new");

    const { entries, end, error } = await readAll(journal);
    expect(ids(entries).length).toBeGreaterThan(1);
    expect(numbers(12).slice(0, entries.length)).toEqual(ids(entries));
    expect(error).toMatchObject({ code: "corrupt", message: expect.stringContaining(`${file} at byte`) });
    expect(fs.readFileSync(file)).toEqual(damaged);

    const rest = await readAll(journal, journal.corruption!.resumeAt);
    expect(rest.error).toBeNull();
    expect(ids(rest.entries).at(-1)).toBe("req_new");
    expect(entries.length + rest.entries.length).toBeGreaterThanOrEqual(12);
    journal.release(end);
    await journal.stop();

    const again = await startJournal(dir, { logger });
    expect(again.corruption).toMatchObject({ file, segment: 2 });
    expect(fs.readFileSync(file)).toEqual(damaged);
  });

  it("given a missing segment between two others, stops there", async () => {
    const { dir, files } = await stopped();
    fs.rmSync(files[2]!);
    const journal = await startJournal(dir);
    expect(journal.corruption).toMatchObject({
      file: files[2],
      segment: 3,
      reason: expect.stringContaining("missing"),
    });
    const { error } = await readAll(journal);
    expect(error).toMatchObject({ code: "corrupt" });
    expect((await readAll(journal, journal.corruption!.resumeAt)).error).toBeNull();
  });

  it("given a closed segment that was shortened, stops there, also when it ends with a whole record", async () => {
    for (const shortenBy of [1, 10, 400]) {
      const { dir, files } = await stopped();
      const file = files[1]!;
      fs.truncateSync(file, fs.statSync(file).size - shortenBy);
      const journal = await startJournal(dir);
      expect(journal.corruption).toMatchObject({ file });
      expect((await readAll(journal)).error).toMatchObject({ code: "corrupt" });
    }
  });

  it("given several damaged places, stops at each", async () => {
    const { dir, files } = await stopped();
    flipBit(files[1]!, 300 * 8);
    flipBit(files[2]!, 300 * 8);
    const journal = await startJournal(dir);
    const first = await readAll(journal);
    expect(first.error).toMatchObject({ message: expect.stringContaining(files[1]!) });
    const second = await readAll(journal, journal.corruption!.resumeAt);
    expect(second.error).toMatchObject({ message: expect.stringContaining(files[2]!) });
  });

  it("given a damaged file header, loses nothing, since the header is known without it", async () => {
    const { dir, files } = await stopped();
    flipBit(files[1]!, 20 * 8);
    const logger = new ErrorLog();
    const journal = await startJournal(dir, { logger });
    expect(logger.errors).toHaveLength(1);
    expect(ids((await readAll(journal)).entries)).toEqual(numbers(12));
  });
});

/** Where the records of a segment begin. */
function recordStarts(bytes: Buffer): number[] {
  const starts: number[] = [];
  for (let at = SEGMENT_HEADER_BYTES; at < bytes.length; at += claimedLength(bytes, at) ?? bytes.length)
    starts.push(at);
  return starts;
}

describe("an I/O error between two segments", () => {
  it("fails the journal and tells everyone who waits", async () => {
    const dir = await makeDirectory();
    const io = new FaultyIo();
    const journal = await startJournal(dir, { segmentBytes: SEGMENT_BYTES, io });
    for (const id of numbers(8)) journal.open(exampleOpen(id));
    await expect.poll(() => segmentFiles(dir).length).toBe(2);
    io.syncError = systemError("EIO");
    const outcomes = await Promise.allSettled(numbers(8).map((id) => settled(journal, exampleEntry(id))));
    expect(new Set(outcomes.map((outcome) => outcome.status))).toEqual(new Set(["rejected"]));
    expect(journal.state).toBe("failed");
  });
});
