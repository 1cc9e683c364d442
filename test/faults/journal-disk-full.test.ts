/** Promise 10, the journal's part: a full disk refuses and never corrupts; what was acknowledged can be read. */
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { FileJournal } from "../../src/ledger/journal/file-journal.ts";
import type { FileJournalOptions } from "../../src/ledger/journal/journal-options.ts";
import {
  appended,
  cleanUp,
  crashCopy,
  exampleEntry,
  exampleOpen,
  exchange,
  ids,
  makeDirectory,
  ManualTicker,
  readAll,
  segmentFiles,
  settled,
  startJournal,
} from "./journal-fixtures.ts";

const IN_FLIGHT = 40;
const SIZES: Partial<FileJournalOptions> = { segmentBytes: 128 * 1024, reserveBytes: 256 * 1024 };

function mountTmpfs(directory: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "weir-journal-test", directory], { stdio: "pipe" });
}

/** Why a tmpfs cannot be mounted here; null when it can. */
async function whyNoMount(): Promise<string | null> {
  const probe = await makeDirectory();
  try {
    mountTmpfs(probe);
    execFileSync("umount", [probe]);
    return null;
  } catch (error) {
    return String(error).split("\n")[0] ?? "mount failed";
  } finally {
    await cleanUp();
  }
}

const reason = await whyNoMount();
const howToRun =
  reason === null
    ? ""
    : ` (skipped: ${reason}; run as root on Linux: npx vitest run test/faults/journal-disk-full.test.ts)`;

describe.skipIf(reason !== null)(`the journal on a disk of 2 MiB${howToRun}`, () => {
  let disk = "";

  beforeEach(() => {
    disk = fs.mkdtempSync(path.join(os.tmpdir(), "weir-journal-disk-"));
    mountTmpfs(disk);
  });

  afterEach(async () => {
    await cleanUp();
    execFileSync("umount", [disk]);
    fs.rmdirSync(disk);
  });

  /** Exchanges, many in flight, until the disk is full. */
  async function fillUp(journal: FileJournal, prefix: string): Promise<{ acknowledged: string[]; inFlight: string[] }> {
    const acknowledged: string[] = [];
    const inFlight: string[] = [];
    for (let n = 0; journal.open(exampleOpen(`${prefix}_${n}`)); n++) {
      inFlight.push(`${prefix}_${n}`);
      const oldest = inFlight.length > IN_FLIGHT ? inFlight.shift() : undefined;
      if (oldest === undefined) continue;
      await settled(journal, exampleEntry(oldest));
      acknowledged.push(oldest);
    }
    return { acknowledged, inFlight };
  }

  it("given it fills up, refuses new exchanges, settles those in flight, and has every acknowledged entry", async () => {
    const dir = path.join(disk, "journal");
    const journal = await startJournal(dir, SIZES);
    const { acknowledged, inFlight } = await fillUp(journal, "req");
    expect(journal.state).toBe("disk_full");
    expect(acknowledged.length).toBeGreaterThan(500);
    expect(inFlight.length).toBeGreaterThanOrEqual(IN_FLIGHT);
    await expect(appended(journal, exampleEntry("batch_1"))).rejects.toMatchObject({ code: "disk_full" });

    await Promise.all(inFlight.map((id) => settled(journal, exampleEntry(id))));
    const all = [...acknowledged, ...inFlight];
    const { entries, error } = await readAll(journal);
    expect(error).toBeNull();
    expect(ids(entries).toSorted()).toEqual(all.toSorted());
    expect(entries[7]).toEqual(exampleEntry(ids(entries)[7]!));

    const killed = await startJournal(crashCopy(dir));
    expect(killed.corruption).toBeNull();
    expect(killed.recoverOpen()).toEqual([]);
    expect(ids((await readAll(killed)).entries).toSorted()).toEqual(all.toSorted());
  });

  it("given a restart while it is full, starts, refuses, settles what was left open, and ships", async () => {
    const dir = path.join(disk, "journal");
    const first = await startJournal(dir, SIZES);
    const { acknowledged, inFlight } = await fillUp(first, "req");
    await first.stop();

    const second = await startJournal(dir, SIZES);
    expect(second.state).toBe("disk_full");
    expect(second.open(exampleOpen("req_refused"))).toBe(false);
    expect(ids(second.recoverOpen()).toSorted()).toEqual(inFlight.toSorted());
    for (const id of inFlight) await settled(second, exampleEntry(id, { outcome: "interrupted" }));
    const { entries, error } = await readAll(second);
    expect(error).toBeNull();
    expect(ids(entries).toSorted()).toEqual([...acknowledged, ...inFlight].toSorted());
  });

  it("given its entries are shipped, deletes them, sets space aside again and takes exchanges; none lost over rounds", async () => {
    const dir = path.join(disk, "journal");
    const ticker = new ManualTicker();
    const journal = await startJournal(dir, { ...SIZES, ticker });
    const shipped: string[] = [];
    const acknowledged: string[] = [];
    let cursor = journal.oldest();
    for (let round = 0; round < 3; round++) {
      const filled = await fillUp(journal, `round${round}`);
      expect(journal.state).toBe("disk_full");
      await Promise.all(filled.inFlight.map((id) => settled(journal, exampleEntry(id))));
      acknowledged.push(...filled.acknowledged, ...filled.inFlight);
      const { entries, end, error } = await readAll(journal, cursor, 64 * 1024);
      expect(error).toBeNull();
      shipped.push(...ids(entries));
      cursor = end;
      journal.release(cursor);
      await expect.poll(() => segmentFiles(dir).length).toBe(1);
      ticker.tick();
      await expect.poll(() => journal.state).toBe("open");
      expect(fs.statSync(path.join(dir, "reserve")).size).toBe(SIZES.reserveBytes);
    }
    expect(shipped.toSorted()).toEqual(acknowledged.toSorted());
  });

  it("given another program takes all space, those in flight settle from the reserve, and it recovers when space returns", async () => {
    const ticker = new ManualTicker();
    const journal = await startJournal(path.join(disk, "journal"), { ...SIZES, ticker });
    const inFlight = Array.from({ length: 100 }, (_, n) => `req_${n}`);
    for (const id of inFlight) journal.open(exampleOpen(id));
    takeAllSpace(path.join(disk, "other"));

    for (const id of inFlight) await settled(journal, exampleEntry(id));
    expect(journal.state).toBe("disk_full");
    expect(journal.open(exampleOpen("req_refused"))).toBe(false);
    ticker.tick();
    await journal.flush();
    expect(journal.state).toBe("disk_full");

    fs.rmSync(path.join(disk, "other"));
    ticker.tick();
    await expect.poll(() => journal.state).toBe("open");
    await exchange(journal, "req_after");
    expect(ids((await readAll(journal)).entries)).toEqual([...inFlight, "req_after"]);
  });

  it("given more in flight than the reserve can hold, says so to each caller that it cannot settle, and keeps the rest", async () => {
    const journal = await startJournal(path.join(disk, "journal"), { ...SIZES, reserveBytes: 16 * 1024 });
    const inFlight = Array.from({ length: 200 }, (_, n) => `req_${n}`);
    for (const id of inFlight) journal.open(exampleOpen(id));
    takeAllSpace(path.join(disk, "other"));
    const acknowledged: string[] = [];
    const refused: string[] = [];
    for (const id of inFlight) {
      await settled(journal, exampleEntry(id)).then(
        () => acknowledged.push(id),
        () => refused.push(id),
      );
    }
    expect(acknowledged.length).toBeGreaterThan(5);
    expect(refused.length).toBeGreaterThan(5);
    expect(ids((await readAll(journal)).entries)).toEqual(acknowledged);
    expect(journal.openExchanges).toBe(refused.length);
  });
});

function takeAllSpace(file: string): void {
  const fd = fs.openSync(file, "w");
  try {
    for (;;) fs.writeSync(fd, Buffer.alloc(4096, 1));
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
  } finally {
    fs.closeSync(fd);
  }
}
