import { afterEach, describe, expect, it } from "vitest";

import {
  appended,
  cleanUp,
  exampleEntry,
  exampleOpen,
  exchange,
  FaultyIo,
  ids,
  makeDirectory,
  makeJournal,
  ManualTicker,
  readAll,
  segmentFiles,
  settled,
  startJournal,
  systemError,
  turns,
} from "../../../test/faults/journal-fixtures.ts";

afterEach(cleanUp);

describe("an exchange in the journal", () => {
  it("given open and settle, is read back as the entry that was settled", async () => {
    const journal = await startJournal(await makeDirectory());
    const entry = exampleEntry("req_1", { modelAsked: 'a "quoted" \\ name with é and 😀' });
    expect(journal.open(exampleOpen("req_1"))).toBe(true);
    expect(journal.openExchanges).toBe(1);
    await settled(journal, entry);
    expect(journal.openExchanges).toBe(0);
    expect((await readAll(journal)).entries).toEqual([entry]);
  });

  it("given only open, is not shipped but recovered by the next start", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    const record = exampleOpen("req_left", { userId: "usr_9" });
    first.open(record);
    await exchange(first, "req_done");
    await first.stop();

    const second = await startJournal(dir);
    expect(ids((await readAll(second)).entries)).toEqual(["req_done"]);
    expect(second.recoverOpen()).toEqual([record]);
    await settled(second, exampleEntry("req_left", { outcome: "interrupted", usageSource: "estimated" }));
    expect(second.recoverOpen()).toEqual([]);
    await second.stop();

    const third = await startJournal(dir);
    expect(third.recoverOpen()).toEqual([]);
    expect(ids((await readAll(third)).entries)).toEqual(["req_done", "req_left"]);
  });

  it("given only open by a Weir that did not know of formats, is recovered as Messages", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    // JSON leaves out what is undefined: the text is the one that an earlier Weir wrote.
    first.open(exampleOpen("req_left", { clientFormat: undefined }));
    await first.stop();

    const second = await startJournal(dir);
    expect(second.recoverOpen()).toEqual([exampleOpen("req_left", { clientFormat: "anthropic" })]);
  });

  it("given open twice, is a mistake that writes nothing", async () => {
    const journal = await startJournal(await makeDirectory());
    journal.open(exampleOpen("req_1"));
    const before = journal.backlogBytes;
    expect(() => journal.open(exampleOpen("req_1"))).toThrow(/req_1 is open already/);
    expect(journal.backlogBytes).toBe(before);
  });

  it("given a record that cannot be written as JSON numbers, is refused and leaves nothing", async () => {
    const journal = await startJournal(await makeDirectory());
    expect(() => journal.open(exampleOpen("req_1", { reservedMicroUsd: Number.NaN }))).toThrow(/not finite/);
    expect(journal.openExchanges).toBe(0);
    journal.open(exampleOpen("req_1"));
    await expect(settled(journal, exampleEntry("req_1", { costMicroUsd: Number.NaN }))).rejects.toThrow(/not finite/);
    await settled(journal, exampleEntry("req_1"));
    expect((await readAll(journal)).entries).toEqual([exampleEntry("req_1")]);
  });
});

describe("settling twice is settling once", () => {
  it("given the second while the first is on its way, both hear when the first is durable", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    journal.open(exampleOpen("req_1"));
    io.syncsToPass = 0;
    const heard: string[] = [];
    journal.settle(exampleEntry("req_1"), () => heard.push("first"));
    journal.settle(exampleEntry("req_1"), () => heard.push("second, queued"));
    await turns(3);
    journal.settle(exampleEntry("req_1"), () => heard.push("third, syncing"));
    await turns(3);
    expect(heard).toEqual([]);
    io.letGo();
    await journal.flush();
    expect(heard).toEqual(["first", "second, queued", "third, syncing"]);
    expect(ids((await readAll(journal)).entries)).toEqual(["req_1"]);
  });

  it("given the second after the first is durable, answers null and writes nothing", async () => {
    const journal = await startJournal(await makeDirectory());
    await exchange(journal, "req_1");
    await settled(journal, exampleEntry("req_1", { costMicroUsd: 1 }));
    expect((await readAll(journal)).entries).toEqual([exampleEntry("req_1")]);
  });

  it("given another attempt of the same exchange, refuses it, before and after the first is durable", async () => {
    const journal = await startJournal(await makeDirectory());
    journal.open(exampleOpen("req_1"));
    const first = settled(journal, exampleEntry("req_1"));
    const other = exampleEntry("req_1", { attempt: 2 });
    await expect(settled(journal, other)).rejects.toMatchObject({ code: "settled_differently" });
    await first;
    await expect(settled(journal, other)).rejects.toThrow(/settled as attempt 1, not 2/);
    expect((await readAll(journal)).entries).toEqual([exampleEntry("req_1")]);
  });

  it("given an exchange that was never opened, says so and writes nothing", async () => {
    const journal = await startJournal(await makeDirectory());
    await expect(settled(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "not_open" });
    expect((await readAll(journal)).entries).toEqual([]);
  });
});

describe("append, for entries without an open record", () => {
  it("ships the entry like a settled one", async () => {
    const journal = await startJournal(await makeDirectory());
    await appended(journal, exampleEntry("req_batch"));
    expect((await readAll(journal)).entries).toEqual([exampleEntry("req_batch")]);
  });

  it("given an exchange that is open, asks to settle it instead", async () => {
    const journal = await startJournal(await makeDirectory());
    journal.open(exampleOpen("req_1"));
    await expect(appended(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "already_open" });
  });

  it("given a full backlog, has to wait", async () => {
    const journal = await startJournal(await makeDirectory(), { maxBacklogBytes: 1 });
    await expect(appended(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "backlog_full" });
  });
});

describe("group commit", () => {
  it("makes everything that arrived in one turn durable with one fdatasync", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    const all = Array.from({ length: 100 }, (_, n) => `req_${n}`);
    for (const id of all) journal.open(exampleOpen(id));
    io.syncs = 0;
    await Promise.all(all.map((id) => settled(journal, exampleEntry(id))));
    expect(io.syncs).toBe(1);
  });

  it("has one fdatasync in flight; what arrives meanwhile goes into the next", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    for (const id of ["a", "b", "c"]) journal.open(exampleOpen(id));
    io.syncsToPass = 0;
    io.syncs = 0;
    const durable: string[] = [];
    const settle = (id: string): void => journal.settle(exampleEntry(id), () => durable.push(id));
    settle("a");
    await turns(3);
    settle("b");
    await turns(3);
    settle("c");
    await turns(3);
    expect({ syncs: io.syncs, durable }).toEqual({ syncs: 1, durable: [] });
    io.letGo();
    await journal.flush();
    expect({ syncs: io.syncs, durable }).toEqual({ syncs: 2, durable: ["a", "b", "c"] });
  });

  it("calls back only after fdatasync, and lets nothing be read before", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    journal.open(exampleOpen("req_1"));
    io.syncsToPass = 0;
    let durable = false;
    journal.settle(exampleEntry("req_1"), () => {
      durable = true;
    });
    await turns(5);
    expect(durable).toBe(false);
    expect((await readAll(journal)).entries).toEqual([]);
    io.letGo();
    await journal.flush();
    expect(durable).toBe(true);
    expect((await readAll(journal)).entries).toHaveLength(1);
  });

  it("goes on taking exchanges while fdatasync hangs", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    journal.open(exampleOpen("req_1"));
    io.syncsToPass = 0;
    journal.settle(exampleEntry("req_1"), () => {});
    await turns(3);
    expect(journal.open(exampleOpen("req_2"))).toBe(true);
    io.letGo();
  });

  it("never calls back within the call itself, not even with an error", async () => {
    const journal = await startJournal(await makeDirectory());
    let inside = true;
    const heard = new Promise<boolean>((resolve) => journal.settle(exampleEntry("unknown"), () => resolve(inside)));
    inside = false;
    expect(await heard).toBe(false);
  });

  it("given a callback that throws, still tells the others", async () => {
    const errors: object[] = [];
    const logger = { debug() {}, info() {}, warn() {}, error: (fields: object) => errors.push(fields) };
    const journal = await startJournal(await makeDirectory(), { logger });
    for (const id of ["a", "b"]) journal.open(exampleOpen(id));
    journal.settle(exampleEntry("a"), () => {
      throw new Error("a caller's mistake");
    });
    await settled(journal, exampleEntry("b"));
    expect(errors).toHaveLength(1);
  });

  it("given a spacing, still settles everything", async () => {
    const io = new FaultyIo();
    const clock = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };
    const journal = await startJournal(await makeDirectory(), { io, clock, commitSpacingMs: 5 });
    for (let n = 0; n < 5; n++) await exchange(journal, `req_${n}`);
    expect(ids((await readAll(journal)).entries)).toEqual(["req_0", "req_1", "req_2", "req_3", "req_4"]);
  });

  it("flush also makes open records durable, and resolves with nothing to do", async () => {
    const journal = await startJournal(await makeDirectory());
    const before = journal.durableEnd();
    journal.open(exampleOpen("req_1"));
    expect(journal.durableEnd()).toEqual(before);
    await journal.flush();
    expect(journal.durableEnd().offset).toBeGreaterThan(before.offset);
    await journal.flush();
  });
});

describe("a disk that fails", () => {
  it("given an I/O error on open, refuses this and every further exchange, and says why", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    journal.open(exampleOpen("req_0"));
    io.writeError = systemError("EIO");
    expect(journal.open(exampleOpen("req_1"))).toBe(false);
    expect(journal.state).toBe("failed");
    io.writeError = null;
    expect(journal.open(exampleOpen("req_2"))).toBe(false);
    await expect(settled(journal, exampleEntry("req_0"))).rejects.toMatchObject({ code: "failed" });
    await expect(journal.flush()).rejects.toThrow(/write on .* failed: .*EIO.*restart Weir/);
  });

  it("given an I/O error on settle, every waiting caller gets the error", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    for (const id of ["a", "b"]) journal.open(exampleOpen(id));
    io.writeError = systemError("EIO");
    const outcomes = await Promise.allSettled(["a", "b"].map((id) => settled(journal, exampleEntry(id))));
    expect(outcomes.map((outcome) => outcome.status)).toEqual(["rejected", "rejected"]);
    expect(journal.state).toBe("failed");
  });

  it("given a failed fdatasync, fails for good, since the next one may falsely succeed", async () => {
    const io = new FaultyIo();
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { io });
    await exchange(journal, "req_before");
    journal.open(exampleOpen("req_1"));
    io.syncError = systemError("EIO");
    await expect(settled(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "failed" });
    io.syncError = null;
    await expect(settled(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "failed" });
    expect(ids((await readAll(journal)).entries)).toEqual(["req_before"]);
    await journal.stop();

    const next = await startJournal(dir);
    const { entries } = await readAll(next);
    // Written but never known to be durable: it may be there, once, or still be open.
    expect([...ids(entries), ...ids(next.recoverOpen())]).toEqual(["req_before", "req_1"]);
  });

  it("given a partial write that cannot be undone, fails; the next start cuts it off", async () => {
    const io = new FaultyIo();
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { io });
    await exchange(journal, "req_before");
    io.writeError = systemError("ENOSPC");
    io.bytesBeforeError = 100;
    io.truncateError = systemError("EIO");
    expect(journal.open(exampleOpen("req_1"))).toBe(false);
    expect(journal.state).toBe("failed");
    await journal.stop();
    const next = await startJournal(dir);
    expect(next.corruption).toBeNull();
    expect(next.recoverOpen()).toEqual([]);
    expect(ids((await readAll(next)).entries)).toEqual(["req_before"]);
  });
});

describe("a full disk", () => {
  it("given no space for an open record, leaves no part of it and refuses until space is seen again", async () => {
    const io = new FaultyIo();
    const ticker = new ManualTicker();
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { io, ticker });
    await exchange(journal, "req_0");
    io.writeError = systemError("ENOSPC");
    io.bytesBeforeError = 30;
    expect(journal.open(exampleOpen("req_1"))).toBe(false);
    expect(journal.state).toBe("disk_full");
    expect(journal.openExchanges).toBe(0);
    io.writeError = null;
    expect(journal.open(exampleOpen("req_1"))).toBe(false);

    ticker.tick();
    await expect.poll(() => journal.state).toBe("open");
    await exchange(journal, "req_1");
    expect(ids((await readAll(journal)).entries)).toEqual(["req_0", "req_1"]);
  });

  it("given no space at all for a settle, the caller gets the error, the exchange stays open and can settle later", async () => {
    const io = new FaultyIo();
    const journal = await startJournal(await makeDirectory(), { io });
    journal.open(exampleOpen("req_1"));
    io.writeError = systemError("ENOSPC");
    io.bytesBeforeError = 50;
    await expect(settled(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "disk_full" });
    await expect(appended(journal, exampleEntry("req_2"))).rejects.toMatchObject({ code: "disk_full" });
    expect(journal.openExchanges).toBe(1);
    io.writeError = null;
    await settled(journal, exampleEntry("req_1"));
    expect(ids((await readAll(journal)).entries)).toEqual(["req_1"]);
  });
});

describe("a full backlog", () => {
  it("refuses new exchanges, settles those in flight, and takes new ones once shipped", async () => {
    const journal = await startJournal(await makeDirectory(), { maxBacklogBytes: 3000 });
    let taken = 0;
    while (journal.open(exampleOpen(`req_${taken}`))) taken += 1;
    expect(journal.state).toBe("backlog_full");
    expect(taken).toBeGreaterThan(2);
    for (let n = 0; n < taken; n++) await settled(journal, exampleEntry(`req_${n}`));
    const { entries, end } = await readAll(journal);
    expect(entries).toHaveLength(taken);
    journal.release(end);
    expect(journal.state).toBe("open");
    expect(journal.open(exampleOpen("req_next"))).toBe(true);
  });
});

describe("the journal's life", () => {
  it("is closed before start and after stop, and says so", async () => {
    const journal = makeJournal(await makeDirectory());
    expect(journal.state).toBe("closed");
    expect(journal.open(exampleOpen("req_1"))).toBe(false);
    await expect(settled(journal, exampleEntry("req_1"))).rejects.toMatchObject({ code: "closed" });
    await journal.start();
    expect(journal.state).toBe("open");
    await journal.stop();
    expect(journal.state).toBe("closed");
    expect(journal.open(exampleOpen("req_1"))).toBe(false);
    await expect(journal.flush()).rejects.toMatchObject({ code: "closed" });
    await expect(journal.read({ segment: 1, offset: 0 }, 1000)).rejects.toMatchObject({ code: "closed" });
  });

  it("stop makes what is on its way durable, and may be called twice", async () => {
    const journal = await startJournal(await makeDirectory());
    journal.open(exampleOpen("req_1"));
    const durable = settled(journal, exampleEntry("req_1"));
    await Promise.all([journal.stop(), journal.stop()]);
    await durable;
  });

  it("keeps its id over restarts, and gives every directory its own", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    const { journalId } = first;
    await first.stop();
    expect((await startJournal(dir)).journalId).toBe(journalId);
    expect((await startJournal(await makeDirectory())).journalId).not.toBe(journalId);
  });

  it("begins a new segment at each start, so that no file of an earlier run grows", async () => {
    const dir = await makeDirectory();
    for (let run = 1; run <= 3; run++) {
      const journal = await startJournal(dir);
      expect(segmentFiles(dir)).toHaveLength(run);
      await journal.stop();
    }
  });

  it.each([
    ["segmentBytes", 0],
    ["maxBacklogBytes", Number.NaN],
    ["reserveBytes", -1],
    ["commitSpacingMs", 1.5],
  ])("refuses the option %s = %s with its name and range", async (name, value) => {
    const dir = await makeDirectory();
    expect(() => makeJournal(dir, { [name]: value })).toThrow(new RegExp(`${name} is ${value}; it must be an integer`));
  });
});
