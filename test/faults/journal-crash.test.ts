/**
 * What a killed process, a torn write or a damaged disk may leave of the journal, and what is read back from it.
 *
 * A kill is simulated by copying the directory between two system calls. That is exact for SIGKILL, where the kernel keeps
 * all that was written. A power cut cannot be simulated like this: which unsynced blocks reach the disk, and in which order,
 * is the disk's and the file system's business. Cutting the file anywhere behind the last synced byte, as done here, covers
 * the usual case (a prefix survives) and not the others.
 */
import fs from "node:fs";
import path from "node:path";

import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";

import { silentLogger } from "../../src/core/logger.ts";
import type { FileJournal } from "../../src/ledger/journal/file-journal.ts";
import { recover } from "../../src/ledger/journal/recovery.ts";
import { segmentName } from "../../src/ledger/journal/segment-catalog.ts";
import {
  cleanUp,
  crashCopy,
  exampleEntry,
  exampleOpen,
  exchange,
  flipBit,
  ids,
  makeDirectory,
  readAll,
  segmentFiles,
  settled,
  startJournal,
  turns,
} from "./journal-fixtures.ts";
import type { JournalPosition } from "../../src/ledger/journal/journal.ts";

afterEach(cleanUp);

const SMALL_SEGMENT_BYTES = 3000;

type Step =
  | { readonly do: "open" }
  | { readonly do: "settle"; readonly which: number }
  | { readonly do: "ship" }
  | { readonly do: "wait"; readonly turns: number }
  | { readonly do: "restart" };

const anyStep: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Step>({ do: "open" }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("settle" as const), which: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("wait" as const), turns: fc.integer({ min: 1, max: 8 }) }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "ship" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ do: "restart" }) },
);

const anyCourse = fc.array(anyStep, { minLength: 1, maxLength: 60 });

/** A journal in use, with what its callers know. */
class Scenario {
  readonly dir: string;
  journal: FileJournal;
  readonly opened = new Set<string>();
  /** Settled, and told that it is durable. */
  readonly acknowledged = new Set<string>();
  /** Settled, whether or not anyone was told. */
  readonly settledIds = new Set<string>();
  readonly shipped = new Set<string>();
  /** Where shipping stands; kept across restarts, as the store keeps it. */
  cursor: JournalPosition | null = null;

  constructor(dir: string, journal: FileJournal) {
    this.dir = dir;
    this.journal = journal;
  }

  static async begin(): Promise<Scenario> {
    const dir = await makeDirectory();
    return new Scenario(dir, await startJournal(dir, { segmentBytes: SMALL_SEGMENT_BYTES }));
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "open":
        this.open();
        break;
      case "settle":
        this.settle(step.which);
        break;
      case "ship":
        await this.ship();
        break;
      case "wait":
        await turns(step.turns);
        break;
      case "restart":
        await this.restart();
        break;
    }
  }

  open(): void {
    const id = `req_${this.opened.size}`;
    expect(this.journal.open(exampleOpen(id))).toBe(true);
    this.opened.add(id);
  }

  settle(which: number): void {
    const open = [...this.opened].filter((id) => !this.settledIds.has(id));
    const id = open[which % open.length];
    if (id === undefined) return;
    this.settledIds.add(id);
    this.journal.settle(exampleEntry(id), (error) => {
      if (error === null) this.acknowledged.add(id);
    });
  }

  async ship(): Promise<void> {
    // From its own cursor, as the real shipper: what was released before may be deleted while it is read again.
    const { entries, end, error } = await readAll(this.journal, this.cursor ?? this.journal.oldest());
    expect(error).toBeNull();
    for (const id of ids(entries)) this.shipped.add(id);
    this.cursor = end;
    this.journal.release(end);
    await this.journal.flush();
  }

  async restart(): Promise<void> {
    await this.journal.stop();
    this.journal = await startJournal(this.dir, { segmentBytes: SMALL_SEGMENT_BYTES });
  }
}

/** What a new start makes of a directory: rows once each, and open exchanges. */
async function recoverFrom(
  dir: string,
): Promise<{ journal: FileJournal; rows: string[]; open: string[]; error: Error | null }> {
  const journal = await startJournal(dir, { segmentBytes: SMALL_SEGMENT_BYTES });
  const { entries, error } = await readAll(journal);
  return { journal, rows: ids(entries), open: ids(journal.recoverOpen()), error };
}

function isSubset(some: Iterable<string>, all: ReadonlySet<string>): boolean {
  return [...some].every((one) => all.has(one));
}

describe("a killed process", () => {
  it("given any course of events, loses no open and no acknowledged settle, invents and repeats none", async () => {
    await fc.assert(
      fc.asyncProperty(anyCourse, async (steps) => {
        const scenario = await Scenario.begin();
        for (const step of steps) await scenario.take(step);
        const { acknowledged, shipped, opened, settledIds } = scenario;
        const acknowledgedByNow = new Set(acknowledged);
        const copy = crashCopy(scenario.dir);

        const { rows, open, error } = await recoverFrom(copy);
        expect(error).toBeNull();
        const known = new Set([...rows, ...shipped]);
        expect(isSubset(acknowledgedByNow, known), "acknowledged = readable or shipped").toBe(true);
        expect(isSubset(rows, settledIds), "nothing invented").toBe(true);
        expect(new Set(rows).size, "nothing twice").toBe(rows.length);
        expect(open.toSorted(), "open = opened and not settled").toEqual(
          [...opened].filter((id) => !known.has(id)).toSorted(),
        );
        await cleanUp();
      }),
      { numRuns: 60 },
    );
  });

  it("given that only a part of the unsynced bytes survived, still loses no acknowledged settle", async () => {
    await fc.assert(
      fc.asyncProperty(anyCourse, fc.double({ min: 0, max: 1, noNaN: true }), async (steps, part) => {
        const scenario = await Scenario.begin();
        for (const step of steps) await scenario.take(step);
        const acknowledged = new Set(scenario.acknowledged);
        const { segment, offset } = scenario.journal.durableEnd();
        const copy = crashCopy(scenario.dir);
        const file = path.join(copy, segmentName(segment));
        fs.truncateSync(file, offset + Math.floor((fs.statSync(file).size - offset) * part));

        const { rows, open, error } = await recoverFrom(copy);
        expect(error).toBeNull();
        expect(isSubset(acknowledged, new Set([...rows, ...scenario.shipped]))).toBe(true);
        expect(isSubset(rows, scenario.settledIds)).toBe(true);
        expect(isSubset(open, scenario.opened)).toBe(true);
        expect(open.filter((id) => acknowledged.has(id))).toEqual([]);
        await cleanUp();
      }),
      { numRuns: 40 },
    );
  });

  it("given a second kill while the first is being recovered from, settles each interrupted exchange once", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    for (let n = 0; n < 6; n++) first.open(exampleOpen(`req_${n}`));
    const dirAfterFirst = crashCopy(dir);
    const second = await startJournal(dirAfterFirst);
    const afterFirst = second.recoverOpen();
    expect(afterFirst).toHaveLength(6);
    for (const record of afterFirst.slice(0, 3)) {
      await settled(second, exampleEntry(record.exchangeId, { outcome: "interrupted" }));
    }
    const { journal, rows, open } = await recoverFrom(crashCopy(dirAfterFirst));
    expect(rows).toEqual(["req_0", "req_1", "req_2"]);
    expect(open).toEqual(["req_3", "req_4", "req_5"]);
    for (const record of journal.recoverOpen()) await settled(journal, exampleEntry(record.exchangeId));
    expect(ids((await readAll(journal)).entries)).toEqual(["req_0", "req_1", "req_2", "req_3", "req_4", "req_5"]);
  });

  it("given the same journal replayed from any cursor, every entry comes out the same, once", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SMALL_SEGMENT_BYTES });
    for (let n = 0; n < 12; n++) await exchange(journal, `req_${n}`);
    const all = (await readAll(journal)).entries;
    const cursors = [journal.oldest()];
    for (let at = cursors[0]!; ;) {
      const batch = await journal.read(at, 1);
      if (batch === null) break;
      at = batch.to;
      cursors.push(at);
    }
    expect(cursors.length).toBeGreaterThan(24);
    for (const cursor of cursors) {
      const before = (await readAll(journal)).entries.length;
      const { entries } = await readAll(journal, cursor);
      expect(all.slice(all.length - entries.length)).toEqual(entries);
      expect(before).toBe(all.length);
    }
  });
});

describe("a torn end", () => {
  async function tornDirectory(): Promise<{ dir: string; journalId: string; whole: number; full: number }> {
    const dir = await makeDirectory();
    const journal = await startJournal(dir);
    await exchange(journal, "req_1");
    journal.open(exampleOpen("req_2"));
    await journal.flush();
    const whole = journal.durableEnd().offset;
    await settled(journal, exampleEntry("req_2"));
    const full = journal.durableEnd().offset;
    await journal.stop();
    return { dir, journalId: journal.journalId, whole, full };
  }

  it("given the last record cut at any byte, is cut at the last whole record", async () => {
    const { dir, journalId, whole, full } = await tornDirectory();
    const file = segmentFiles(dir).at(-1)!;
    const bytes = fs.readFileSync(file);
    expect(full - whole).toBeGreaterThan(500);
    for (let length = whole; length < full; length++) {
      fs.writeFileSync(file, bytes.subarray(0, length));
      const { opens, damages, segments } = await recover(dir, journalId, silentLogger);
      expect(ids(opens.map((open) => open.record))).toEqual(["req_2"]);
      expect(damages.first).toBeNull();
      expect(segments.at(-1)?.sizeBytes).toBe(whole);
      expect(fs.readFileSync(file), `cut at ${length}`).toEqual(bytes.subarray(0, whole));
    }
  });

  it("given the last record cut, ships every record before it and those that come after", async () => {
    const { dir, whole, full } = await tornDirectory();
    for (const length of [whole, whole + 1, whole + 11, whole + 12, whole + 13, full - 1, full]) {
      const copy = crashCopy(dir);
      fs.truncateSync(segmentFiles(copy).at(-1)!, length);
      const { journal: next, rows, open, error } = await recoverFrom(copy);
      expect({ error, corruption: next.corruption }).toEqual({ error: null, corruption: null });
      expect(rows).toEqual(length === full ? ["req_1", "req_2"] : ["req_1"]);
      expect(open).toEqual(length === full ? [] : ["req_2"]);
      await exchange(next, "req_3");
      expect(ids((await readAll(next)).entries)).toEqual([...rows, "req_3"]);
    }
  });

  it("given the file cut at any byte, its header included, keeps exactly the records before the cut", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir);
    const ends: number[] = [];
    for (let n = 0; n < 5; n++) {
      await exchange(journal, `req_${n}`);
      ends.push(journal.durableEnd().offset);
    }
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: ends.at(-1)! }), async (length) => {
        const copy = crashCopy(dir);
        fs.truncateSync(segmentFiles(copy).at(-1)!, length);
        const { journal: next, rows } = await recoverFrom(copy);
        expect(rows).toEqual(ends.filter((end) => end <= length).map((_, n) => `req_${n}`));
        await next.stop();
      }),
      { numRuns: 60, examples: [[0], [1], [47], [48], [49]] },
    );
  });

  it("given garbage or zeros after the last record, cuts them off", async () => {
    for (const tail of [Buffer.alloc(4096), Buffer.from([0xff, 0xfe]), Buffer.alloc(700, 0xff), Buffer.from("{}")]) {
      const dir = await makeDirectory();
      const journal = await startJournal(dir);
      await exchange(journal, "req_1");
      await journal.stop();
      fs.appendFileSync(segmentFiles(dir).at(-1)!, tail);
      const { journal: next, rows, error } = await recoverFrom(dir);
      expect({ rows, error, corruption: next.corruption }).toEqual({ rows: ["req_1"], error: null, corruption: null });
    }
  });

  it("given a cursor beyond the cut, loses nothing that is settled afterwards", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    await exchange(first, "req_1");
    await exchange(first, "req_2");
    const cursor = (await readAll(first)).end;
    await first.stop();
    fs.truncateSync(segmentFiles(dir).at(-1)!, cursor.offset - 10);
    const second = await startJournal(dir);
    for (let n = 3; n < 9; n++) await exchange(second, `req_${n}`);
    expect(ids((await readAll(second, cursor)).entries)).toEqual([
      "req_3",
      "req_4",
      "req_5",
      "req_6",
      "req_7",
      "req_8",
    ]);
  });
});

describe("a changed bit", () => {
  it("anywhere in any segment, invents nothing, loses nothing before it, and is never shipped over in silence", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: SMALL_SEGMENT_BYTES });
    const all = Array.from({ length: 12 }, (_, n) => `req_${n}`);
    for (const id of all) await exchange(journal, id);
    await journal.stop();
    const sizes = segmentFiles(dir).map((file) => fs.statSync(file).size);
    expect(sizes.length).toBeGreaterThan(3);
    const place = fc
      .nat({ max: sizes.length - 1 })
      .chain((segment) =>
        fc.record({ segment: fc.constant(segment), bit: fc.nat({ max: (sizes[segment] ?? 1) * 8 - 1 }) }),
      );
    await fc.assert(
      fc.asyncProperty(place, async ({ segment, bit }) => {
        const copy = crashCopy(dir);
        const file = segmentFiles(copy)[segment]!;
        flipBit(file, bit);
        const damaged = fs.readFileSync(file);
        const { journal: next, rows, error } = await recoverFrom(copy);
        expect(all.slice(0, rows.length), "a prefix of what was settled").toEqual(rows);
        if (error !== null) {
          expect(error).toMatchObject({ code: "corrupt" });
          expect(next.corruption).toMatchObject({ file });
          expect(next.corruption!.offset).toBeLessThanOrEqual(bit / 8);
          expect(fs.readFileSync(file), "the damaged file is kept as it was").toEqual(damaged);
          const rest = await readAll(next, next.corruption!.resumeAt);
          expect(rest.error).toBeNull();
          expect(rows.length + rest.entries.length).toBeGreaterThanOrEqual(all.length - 1);
        } else {
          // Only the very last record may go: its damage looks like a write that never finished.
          expect(rows.length).toBeGreaterThanOrEqual(all.length - 1);
        }
        await next.stop();
      }),
      { numRuns: 150 },
    );
  });
});
