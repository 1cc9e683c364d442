/** What the journal's tests share: records, directories that clean up after themselves, and ways to break a journal. */
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import * as fc from "fast-check";

import { ManualClock } from "../../src/core/clock.ts";
import { type Logger, silentLogger } from "../../src/core/logger.ts";
import { FileJournal } from "../../src/ledger/journal/file-journal.ts";
import type { FileJournalOptions } from "../../src/ledger/journal/journal-options.ts";
import type { Journal, JournalPosition, JournalReader } from "../../src/ledger/journal/journal.ts";
import { nodeSegmentIo, type SegmentIo } from "../../src/ledger/journal/segment-io.ts";
import type { Ticker } from "../../src/ledger/journal/ticker.ts";
import type { Entry, OpenRecord } from "../../src/message/entry.ts";

export function exampleOpen(exchangeId: string, changes: Partial<OpenRecord> = {}): OpenRecord {
  return {
    exchangeId,
    organizationId: "org_1",
    teamId: "team_1",
    userId: null,
    keyId: "key_1",
    userType: "developer",
    sessionId: "3f0e5c9e-9c3e-4a53-8d0c-4c3c1b7f1c11",
    agentId: null,
    parentAgentId: null,
    tag: null,
    endpoint: "/v1/messages",
    clientFormat: "anthropic",
    modelAsked: "claude-sonnet-4-5",
    modelServed: "claude-sonnet-4-5-20250929",
    stream: true,
    reservedMicroUsd: 20_000,
    estimatedInputTokens: 1_200,
    priceVersion: "2026-11-01",
    admittedAtMs: 1_763_664_000_000,
    ...changes,
  };
}

export function exampleEntry(exchangeId: string, changes: Partial<Entry> = {}): Entry {
  const { estimatedInputTokens, ...common } = exampleOpen(exchangeId);
  return {
    ...common,
    attempt: 1,
    attempts: 1,
    target: "anthropic",
    targetModel: "claude-sonnet-4-5-20250929",
    routeReason: "affinity",
    status: 200,
    outcome: "complete",
    usage: {
      inputTokens: estimatedInputTokens,
      outputTokens: 350,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      cacheReadTokens: 24_000,
      webSearchRequests: 0,
      serviceTier: "standard",
      speed: null,
      inferenceGeo: "us",
    },
    usageSource: "reported",
    costMicroUsd: 16_450,
    cacheMove: null,
    cacheLossMicroUsd: 0,
    settledAtMs: 1_763_664_004_000,
    latencyMs: 4000.25,
    timeToFirstTokenMs: 612.5,
    upstreamRequestId: "req_011CSHoEeqs5C35K2UUqR7Fy",
    ...changes,
  };
}

/** Text as an attacker or a broken client would send it: quotes, controls, NUL, lone surrogates, any plane. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({
    unit: fc.constantFrom('"', "\\", "\u0000", "\ud800", "\udfff", "\u2028", "é", "😀", "\u007f", "\\u0000", "a"),
  }),
  fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
);

/** What the journal makes of a text: the same, as far as PostgreSQL's jsonb can hold it. */
export function stored(text: string): string {
  return text.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

const directories: string[] = [];
const journals: FileJournal[] = [];

export async function makeDirectory(): Promise<string> {
  const directory = await mkdtemp(path.join(os.tmpdir(), "weir-journal-"));
  directories.push(directory);
  return directory;
}

/** Stops every journal and removes every directory that a test made; call it after each test. */
export async function cleanUp(): Promise<void> {
  for (const journal of journals.splice(0)) await journal.stop();
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true, force: true });
}

export function makeJournal(dir: string, options: Partial<FileJournalOptions> = {}): FileJournal {
  const journal = new FileJournal({
    dir,
    clock: new ManualClock(Date.now()),
    logger: silentLogger,
    reserveBytes: 8192,
    ticker: new ManualTicker(),
    ...options,
  });
  journals.push(journal);
  return journal;
}

export async function startJournal(dir: string, options: Partial<FileJournalOptions> = {}): Promise<FileJournal> {
  const journal = makeJournal(dir, options);
  await journal.start();
  return journal;
}

/** Resolves when the record is durable, rejects with the journal's error. */
export function settled(journal: Journal, entry: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.settle(entry, (error) => (error === null ? resolve() : reject(error)));
  });
}

export function appended(journal: Journal, entry: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(entry, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Opens and settles one exchange. */
export async function exchange(journal: Journal, exchangeId: string): Promise<void> {
  if (!journal.open(exampleOpen(exchangeId))) throw new Error(`the journal is ${journal.state}`);
  await settled(journal, exampleEntry(exchangeId));
}

export interface ReadBack {
  readonly entries: Entry[];
  readonly end: JournalPosition;
  /** What stopped the reading before the durable end. */
  readonly error: Error | null;
}

/** Everything that can be shipped from `from` on. */
export async function readAll(
  journal: JournalReader,
  from: JournalPosition = journal.oldest(),
  maxBytes = 4096,
): Promise<ReadBack> {
  const entries: Entry[] = [];
  let end = from;
  try {
    for (let batch = await journal.read(end, maxBytes); batch !== null; batch = await journal.read(end, maxBytes)) {
      // The journal promises texts of Entry; the tests compare them field by field.
      for (const text of batch.entries) entries.push(JSON.parse(text.toString()) as Entry);
      end = batch.to;
    }
    return { entries, end, error: null };
  } catch (error) {
    return { entries, end, error: error instanceof Error ? error : new Error(String(error)) };
  }
}

export function ids(entries: readonly { readonly exchangeId: string }[]): string[] {
  return entries.map((entry) => entry.exchangeId);
}

/** The directory as a killed process would leave it at this moment, in a place of its own; without the lock of the living. */
export function crashCopy(directory: string): string {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), "weir-journal-"));
  directories.push(copy);
  for (const name of fs.readdirSync(directory)) {
    // A deletion or rename may be under way in the thread pool; a file that is gone by now is gone in the copy.
    if (name !== "lock") copyIfExists(path.join(directory, name), path.join(copy, name));
  }
  return copy;
}

function copyIfExists(from: string, to: string): void {
  try {
    fs.copyFileSync(from, to);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
}

/** The segment files, oldest first, with full paths. */
export function segmentFiles(directory: string): string[] {
  return fs
    .readdirSync(directory)
    .filter((name) => name.endsWith(".segment"))
    .sort()
    .map((name) => path.join(directory, name));
}

/** Changes one bit of a file. */
export function flipBit(file: string, bit: number): void {
  const bytes = fs.readFileSync(file);
  const at = Math.floor(bit / 8);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit % 8));
  fs.writeFileSync(file, bytes);
}

/** Ticks when the test says so. */
export class ManualTicker implements Ticker {
  readonly #tasks = new Set<() => void>();

  every(_intervalMs: number, task: () => void): () => void {
    this.#tasks.add(task);
    return () => this.#tasks.delete(task);
  }

  tick(): void {
    for (const task of this.#tasks) task();
  }
}

/** Writes errors to the standard error output, for processes that a test starts. */
export const stderrLogger: Logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (fields, message) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
};

/** The real system calls, until told to fail or to wait. */
export class FaultyIo implements SegmentIo {
  /** Thrown by the next writes. */
  writeError: Error | null = null;
  /** How many bytes the next write takes before `writeError` strikes; one after the other. */
  bytesBeforeError = 0;
  truncateError: Error | null = null;
  syncError: Error | null = null;
  /** How many further fdatasyncs may finish; those after them wait for `letGo`. */
  syncsToPass = Number.POSITIVE_INFINITY;
  syncs = 0;
  readonly #held: (() => void)[] = [];

  writeSync(...[fd, bytes, from, length, position]: Parameters<SegmentIo["writeSync"]>): number {
    if (this.writeError === null) return nodeSegmentIo.writeSync(fd, bytes, from, length, position);
    const part = Math.min(this.bytesBeforeError, length);
    if (part === 0) throw this.writeError;
    this.bytesBeforeError -= part;
    return nodeSegmentIo.writeSync(fd, bytes, from, part, position);
  }

  ftruncateSync(fd: number, length: number): void {
    if (this.truncateError !== null) throw this.truncateError;
    nodeSegmentIo.ftruncateSync(fd, length);
  }

  fdatasync(fd: number, done: (error: Error | null) => void): void {
    this.syncs += 1;
    const finish = (): void => {
      const error = this.syncError;
      if (error === null) nodeSegmentIo.fdatasync(fd, done);
      else setImmediate(() => done(error));
    };
    if (this.syncsToPass <= 0) {
      this.#held.push(finish);
      return;
    }
    this.syncsToPass -= 1;
    finish();
  }

  /** Lets the held fdatasyncs finish. */
  letGo(): void {
    this.syncsToPass = Number.POSITIVE_INFINITY;
    for (const finish of this.#held.splice(0)) finish();
  }
}

/** A system error as Node reports it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made by a test`), { code });
}

/** Resolves after the callbacks that are due now have run, several times over. */
export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
}
