/** Kills a process that uses the journal, again and again, and compares what was promised with what is read back. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import fs from "node:fs";
import path from "node:path";

import { expect } from "vitest";

import type { JournalPosition } from "../../src/ledger/journal/journal.ts";
import { exampleEntry, ids, makeDirectory, readAll, startJournal } from "./journal-fixtures.ts";

const CHILD = path.join(import.meta.dirname, "journal-kill-child.ts");

/** What clients and PostgreSQL know, read from the log of the killed processes as it grows. */
class Promised {
  readonly log: string;
  readonly opened = new Set<string>();
  readonly acknowledged = new Set<string>();
  /** Rows of committed batches, in order, repeats included. */
  readonly rows: string[] = [];
  cursor: JournalPosition | null = null;
  #batch: string[] = [];
  #readBytes = 0;

  constructor(log: string) {
    this.log = log;
  }

  /** Takes in the whole lines that were written since the last call. */
  readOn(): void {
    const fd = fs.openSync(this.log, "r");
    try {
      const bytes = Buffer.alloc(fs.fstatSync(fd).size - this.#readBytes);
      fs.readSync(fd, bytes, 0, bytes.length, this.#readBytes);
      const whole = bytes.lastIndexOf("\n") + 1;
      this.#readBytes += whole;
      for (const line of bytes.toString("latin1", 0, whole).split("\n")) this.#take(line);
    } finally {
      fs.closeSync(fd);
    }
  }

  #take(line: string): void {
    const [kind, ...words] = line.split(" ");
    if (kind === "o") this.opened.add(words[0]!);
    else if (kind === "a") this.acknowledged.add(words[0]!);
    else if (kind === "s") this.#batch = words.filter((word) => word !== "");
    else if (kind === "c") {
      this.rows.push(...this.#batch);
      this.cursor = { segment: Number(words[0]), offset: Number(words[1]) };
    }
  }
}

/** Runs the child and kills it some time after it has acknowledged `acknowledgements` entries. */
async function runAndKill(
  dir: string,
  promised: Promised,
  at: { round: number; acknowledgements: number },
): Promise<void> {
  const { cursor } = promised;
  const from = cursor === null ? [] : [String(cursor.segment), String(cursor.offset)];
  const enough = promised.acknowledged.size + at.acknowledgements;
  const child = spawn(process.execPath, [CHILD, dir, promised.log, String(at.round), ...from], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  const exited = once(child, "exit");
  let complaints = "";
  child.stderr.on("data", (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  const ready = (): boolean => {
    promised.readOn();
    return promised.acknowledged.size >= enough || child.exitCode !== null;
  };
  // The interval is odd so that kills do not fall into step with the child's commits.
  await expect.poll(ready, { timeout: 60_000, interval: 7 }).toBe(true);
  child.kill("SIGKILL");
  await exited;
  promised.readOn();
  expect(complaints).toBe("");
  expect(child.signalCode, "it was still running when it was killed").toBe("SIGKILL");
}

/**
 * Kills once after each of the given numbers of acknowledged entries; returns how many were acknowledged in all. Throws when
 * an entry is lost, doubled or invented.
 */
export async function killAndCheck(acknowledgements: readonly number[]): Promise<number> {
  const dir = path.join(await makeDirectory(), "journal");
  const promised = new Promised(path.join(await makeDirectory(), "log"));
  fs.writeFileSync(promised.log, "");
  for (const [round, count] of acknowledgements.entries()) {
    await runAndKill(dir, promised, { round, acknowledgements: count });
    // On a copy, so that the next process finds what the killed one left and not what the check made of it.
    await checkCopy(dir, promised);
  }
  return promised.acknowledged.size;
}

async function checkCopy(dir: string, promised: Promised): Promise<void> {
  const copy = path.join(await makeDirectory(), "copy");
  fs.cpSync(dir, copy, { recursive: true });
  // The lock of the killed process is in the copy: the start takes it over.
  const journal = await startJournal(copy);
  const { entries, error } = await readAll(journal, promised.cursor ?? journal.oldest(), 256 * 1024);
  expect(error).toBeNull();
  expect(journal.corruption).toBeNull();

  const rows = [...promised.rows, ...ids(entries)];
  const known = new Set(rows);
  const open = new Set(ids(journal.recoverOpen()));
  expect(rows.length - known.size, "entries that came twice").toBe(0);
  expect(
    [...promised.acknowledged].filter((id) => !known.has(id)),
    "acknowledged and lost",
  ).toEqual([]);
  expect(
    [...promised.opened].filter((id) => !known.has(id) && !open.has(id)),
    "opened and lost",
  ).toEqual([]);
  expect(
    [...open].filter((id) => known.has(id)),
    "settled and still open",
  ).toEqual([]);
  for (const entry of entries) expect(entry).toEqual(exampleEntry(entry.exchangeId));
  expect(
    [...known, ...open].filter((id) => !/^req_\d+_\d+$/.test(id)),
    "invented",
  ).toEqual([]);
  await journal.stop();
  fs.rmSync(copy, { recursive: true });
}
