import fs from "node:fs";

import { afterEach, describe, expect, it } from "vitest";

import {
  cleanUp,
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
} from "../../../test/faults/journal-fixtures.ts";

afterEach(cleanUp);

describe("reading the journal", () => {
  it("given nothing settled, is null", async () => {
    const journal = await startJournal(await makeDirectory());
    const { end } = await readAll(journal);
    expect(await journal.read(end, 1000)).toBeNull();
    expect(await journal.read(journal.durableEnd(), 1000)).toBeNull();
  });

  it("gives the same entries for any batch size, each batch following the last", async () => {
    const journal = await startJournal(await makeDirectory(), { segmentBytes: 5000 });
    const all = Array.from({ length: 30 }, (_, n) => `req_${n}`);
    for (const id of all) await exchange(journal, id);
    for (const maxBytes of [1, 100, 1500, 4096, 1 << 20]) {
      expect(ids((await readAll(journal, journal.oldest(), maxBytes)).entries), `${maxBytes}`).toEqual(all);
    }
    let position = journal.oldest();
    for (let batch = await journal.read(position, 2000); batch !== null; batch = await journal.read(position, 2000)) {
      expect(batch.entries.reduce((sum, entry) => sum + entry.length, 0)).toBeLessThanOrEqual(2000);
      expect(batch.to).not.toEqual(position);
      position = batch.to;
    }
    expect(position).toEqual(journal.durableEnd());
  });

  it("given a record larger than the batch size, gives it alone", async () => {
    const journal = await startJournal(await makeDirectory());
    const big = exampleEntry("req_1", { modelAsked: "x".repeat(50_000) });
    journal.open(exampleOpen("req_1"));
    await settled(journal, big);
    expect((await readAll(journal, journal.oldest(), 10)).entries).toEqual([big]);
  });

  it("works while the journal is being written, and sees everything once", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir, { segmentBytes: 20_000 });
    const total = 400;
    const writing = (async () => {
      for (let n = 0; n < total; n += 4) {
        await Promise.all([0, 1, 2, 3].map((k) => exchange(journal, `req_${n + k}`)));
      }
    })();
    const seen: string[] = [];
    let position = journal.oldest();
    while (seen.length < total) {
      const { entries, end, error } = await readAll(journal, position);
      expect(error).toBeNull();
      seen.push(...ids(entries));
      position = end;
      journal.release(position);
      await turns(1);
    }
    await writing;
    expect(new Set(seen).size).toBe(total);
    expect(seen).toHaveLength(total);
    await journal.flush();
    await expect.poll(() => segmentFiles(dir).length).toBe(1);
  });

  it("given a cursor before the oldest segment, says that the cursor went back", async () => {
    const journal = await startJournal(await makeDirectory(), { segmentBytes: 2000 });
    const early = journal.oldest();
    for (let n = 0; n < 10; n++) await exchange(journal, `req_${n}`);
    journal.release(journal.durableEnd());
    await journal.flush();
    await expect.poll(() => journal.oldest().segment).toBeGreaterThan(early.segment + 1);
    await expect(journal.read(early, 1000)).rejects.toMatchObject({ code: "position_gone" });
  });

  it("given a cursor at the end of a deleted segment, goes on with the next, also after restarts", async () => {
    const dir = await makeDirectory();
    const first = await startJournal(dir);
    await exchange(first, "req_1");
    const cursor = (await readAll(first)).end;
    await first.stop();
    for (let restart = 0; restart < 2; restart++) {
      const next = await startJournal(dir);
      expect((await readAll(next, cursor)).error).toBeNull();
      next.release(cursor);
      await next.flush();
      await next.stop();
    }
    const last = await startJournal(dir);
    expect(last.oldest().segment).toBeGreaterThan(cursor.segment);
    await exchange(last, "req_2");
    expect(ids((await readAll(last, cursor)).entries)).toEqual(["req_2"]);
  });

  it("given a cursor ahead of the journal, refuses to read and to release", async () => {
    const journal = await startJournal(await makeDirectory());
    const { segment, offset } = journal.durableEnd();
    const ahead = { segment, offset: offset + 1 };
    await expect(journal.read(ahead, 1000)).rejects.toThrow(/ahead of the journal .*older copy/);
    await expect(journal.read({ segment: segment + 1, offset: 0 }, 1000)).rejects.toMatchObject({
      code: "position_ahead",
    });
    expect(() => journal.release(ahead)).toThrow(/has not come so far/);
  });

  it("given bytes that go bad while the journal runs, stops there and reports it", async () => {
    const dir = await makeDirectory();
    const journal = await startJournal(dir);
    await exchange(journal, "req_1");
    const middle = journal.durableEnd();
    await exchange(journal, "req_2");
    await exchange(journal, "req_3");
    const file = segmentFiles(dir).at(-1)!;
    flipBit(file, (middle.offset + 20) * 8);
    const { entries, end, error } = await readAll(journal);
    expect(ids(entries)).toEqual(["req_1"]);
    expect(error).toMatchObject({
      code: "corrupt",
      message: expect.stringContaining(`${file} at byte ${middle.offset}`),
    });
    expect(end).toEqual(middle);
    expect(journal.corruption).toMatchObject({ file, offset: middle.offset });
    expect(ids((await readAll(journal, journal.corruption!.resumeAt)).entries)).toEqual(["req_2", "req_3"]);
    expect(fs.existsSync(file)).toBe(true);
  });
});
