import fs from "node:fs";
import path from "node:path";

import { afterEach, describe, expect, it } from "vitest";

import {
  cleanUp,
  exchange,
  ids,
  makeDirectory,
  makeJournal,
  readAll,
  segmentFiles,
  startJournal,
} from "../../../test/faults/journal-fixtures.ts";

afterEach(cleanUp);

async function usedDirectory(): Promise<{ dir: string; journalId: string }> {
  const dir = await makeDirectory();
  const journal = await startJournal(dir);
  await exchange(journal, "req_1");
  await journal.stop();
  return { dir, journalId: journal.journalId };
}

describe("the journal's id", () => {
  it.each([
    ["lost", (file: string) => fs.rmSync(file)],
    ["damaged", (file: string) => fs.writeFileSync(file, "\u0000\u0000")],
  ])("given the id file is %s, is restored from the segments", async (_what, breakFile) => {
    const { dir, journalId } = await usedDirectory();
    breakFile(path.join(dir, "id"));
    const journal = await startJournal(dir);
    expect(journal.journalId).toBe(journalId);
    expect(ids((await readAll(journal)).entries)).toEqual(["req_1"]);
    expect(fs.readFileSync(path.join(dir, "id"), "utf8").trim()).toBe(journalId);
  });

  it("given neither id file nor a readable segment header, refuses to start rather than ship twice", async () => {
    const { dir } = await usedDirectory();
    fs.rmSync(path.join(dir, "id"));
    for (const file of segmentFiles(dir)) fs.writeFileSync(file, Buffer.alloc(100));
    await expect(makeJournal(dir).start()).rejects.toThrow(/id is missing or damaged .* restore the file/);
  });

  it("given a segment of another journal, refuses to start and names the file", async () => {
    const { dir } = await usedDirectory();
    const other = await usedDirectory();
    const [file] = segmentFiles(dir);
    fs.copyFileSync(segmentFiles(other.dir)[0]!, file!);
    await expect(makeJournal(dir).start()).rejects.toMatchObject({
      code: "foreign_segment",
      message: expect.stringContaining(other.journalId),
    });
    expect(fs.existsSync(path.join(dir, "lock")), "a failed start leaves no lock").toBe(false);
  });
});
