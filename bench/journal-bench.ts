/**
 * What the journal costs: `node bench/journal-bench.ts [directory]`. Prints CPU microseconds of the whole process (with the
 * thread pool and the kernel's share) and of the main thread alone, for open() and for whole exchanges, at several loads. The directory
 * should lie on the disk that the journal will use; default is a new one under the system's temporary directory. The
 * reference lines say what the bare system calls cost in the same run: on a busy or virtual machine, compare with those.
 */
import fs from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";

import { systemClock } from "../src/core/clock.ts";
import { silentLogger } from "../src/core/logger.ts";
import { FileJournal } from "../src/ledger/journal/file-journal.ts";
import { nodeSegmentIo } from "../src/ledger/journal/segment-io.ts";
import type { Entry, OpenRecord } from "../src/message/entry.ts";

const OPENS = 20_000;
const BATCH = 100;
const ROUNDS = 5;
const LABEL_WIDTH = 36;
const PACED_SECONDS = 2;

let commits = 0;
const countingIo = {
  ...nodeSegmentIo,
  fdatasync: (fd: number, done: (error: Error | null) => void): void => {
    commits += 1;
    nodeSegmentIo.fdatasync(fd, done);
  },
};

interface Cpu {
  readonly processUs: number;
  readonly mainUs: number;
}

function cpuNow(): Cpu {
  const all = process.cpuUsage();
  const main = process.threadCpuUsage();
  return { processUs: all.user + all.system, mainUs: main.user + main.system };
}

function cpuSince(start: Cpu, count: number): Cpu {
  const now = cpuNow();
  return { processUs: (now.processUs - start.processUs) / count, mainUs: (now.mainUs - start.mainUs) / count };
}

let serial = 0;

function openRecord(): OpenRecord {
  serial += 1;
  return {
    // Through a buffer, so that the string is flat, as one that has been sent in a header is.
    exchangeId: Buffer.from(`req_01k9z3abcdef${String(serial).padStart(14, "0")}`, "latin1").toString("latin1"),
    organizationId: "org_01k9z3abcdefghjkmnpqrstvwx",
    teamId: "team_01k9z3abcdefghjkmnpqrstvwx",
    userId: "usr_01k9z3abcdefghjkmnpqrstvwx",
    keyId: "key_01k9z3abcdefghjkmnpqrstvwx",
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
    reservedMicroUsd: 20_000 + (serial % 1000),
    estimatedInputTokens: 1_200 + (serial % 5000),
    priceVersion: "2026-11-01",
    admittedAtMs: 1_763_664_000_000 + serial,
  };
}

function entryOf(record: OpenRecord): Entry {
  const { estimatedInputTokens: inputTokens, ...common } = record;
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
      inputTokens,
      outputTokens: inputTokens % 977,
      cacheWrite5mTokens: 0,
      cacheWrite1hTokens: 0,
      cacheReadTokens: inputTokens * 7,
      webSearchRequests: 0,
      serviceTier: "standard",
      speed: null,
      inferenceGeo: "us",
    },
    usageSource: "reported",
    costMicroUsd: inputTokens * 3,
    cacheMove: null,
    cacheLossMicroUsd: 0,
    settledAtMs: record.admittedAtMs + 4_000,
    latencyMs: inputTokens / 7,
    timeToFirstTokenMs: inputTokens / 13,
    upstreamRequestId: `req_${record.exchangeId}`,
  };
}

interface Pair {
  readonly record: OpenRecord;
  readonly entry: Entry;
}

function pairs(count: number): Pair[] {
  return Array.from({ length: count }, () => {
    const record = openRecord();
    return { record, entry: entryOf(record) };
  });
}

function open(journal: FileJournal, record: OpenRecord): void {
  if (!journal.open(record)) throw new Error(`the journal is ${journal.state}`);
}

/**
 * open() is synchronous, so its wall time is its CPU time unless the thread is interrupted: the median over small batches
 * leaves the interruptions out. Few exchanges are open at a time, as in a gateway.
 */
async function measureOpen(journal: FileJournal): Promise<void> {
  const list = pairs(OPENS);
  const batchesUs: number[] = [];
  for (let at = 0; at < list.length; at += BATCH) {
    const batch = list.slice(at, at + BATCH);
    const startMs = performance.now();
    for (const { record } of batch) open(journal, record);
    batchesUs.push(((performance.now() - startMs) * 1000) / BATCH);
    for (const { entry } of batch) journal.settle(entry, throwError);
    await journal.flush();
  }
  batchesUs.sort((a, b) => a - b);
  const at = (quantile: number): string => (batchesUs[Math.floor(batchesUs.length * quantile)] ?? 0).toFixed(2);
  console.log(`${"open()".padEnd(LABEL_WIDTH)} median ${at(0.5)} us, lowest tenth ${at(0.1)} us`);
}

function throwError(error: Error | null): void {
  if (error !== null) throw error;
}

function median(rounds: readonly Cpu[]): Cpu {
  const sorted = rounds.toSorted((a, b) => a.processUs - b.processUs);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new Error("nothing was measured");
  return middle;
}

async function measureReference(parent: string): Promise<void> {
  const dir = await mkdtemp(path.join(parent, "weir-journal-bench-"));
  const fd = fs.openSync(path.join(dir, "file"), "w");
  const bytes = Buffer.alloc(1_000, "x");
  try {
    for (const length of [570, 1_000]) {
      const rounds: Cpu[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        fs.ftruncateSync(fd, 0);
        const start = cpuNow();
        for (let i = 0; i < OPENS; i++) fs.writeSync(fd, bytes, 0, length, i * length);
        rounds.push(cpuSince(start, OPENS));
      }
      print(`reference: write of ${length} bytes`, median(rounds), "");
    }
    const start = cpuNow();
    for (let i = 0; i < 1_000; i++) {
      fs.writeSync(fd, bytes, 0, bytes.length);
      await new Promise((resolve) => fs.fdatasync(fd, resolve));
    }
    print("reference: write and fdatasync", cpuSince(start, 1_000), "");
  } finally {
    fs.closeSync(fd);
    await rm(dir, { recursive: true });
  }
}

/** Keeps `inFlight` exchanges open and settling at any time. */
function runPairs(journal: FileJournal, list: readonly Pair[], inFlight: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let done = 0;
    const one = (): void => {
      const pair = list[next++];
      if (pair === undefined) return;
      open(journal, pair.record);
      journal.settle(pair.entry, (error) => {
        if (error !== null) return reject(error);
        done += 1;
        if (done === list.length) resolve();
        else one();
      });
    };
    for (let i = 0; i < inFlight; i++) one();
  });
}

async function measureClosed(journal: FileJournal, inFlight: number): Promise<void> {
  const rounds: Cpu[] = [];
  let count = 0;
  let elapsedMs = 0;
  let commitsInAll = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const list = pairs(Math.min(20_000, Math.max(1_000, inFlight * 100)));
    commits = 0;
    const startedMs = performance.now();
    const start = cpuNow();
    await runPairs(journal, list, inFlight);
    rounds.push(cpuSince(start, list.length));
    elapsedMs += performance.now() - startedMs;
    count += list.length;
    commitsInAll += commits;
  }
  const facts = `${((count / elapsedMs) * 1000).toFixed(0)}/s, ${(count / commitsInAll).toFixed(1)} a commit`;
  print(`open()+settle(), ${inFlight} at once`, median(rounds), facts);
}

/** Open and settle at a steady rate, as a gateway does; the pacing's own cost is measured without journal and taken off. */
async function measurePaced(journal: FileJournal, perSecond: number): Promise<void> {
  const count = perSecond * PACED_SECONDS;
  const list = pairs(count);
  const idle = await pace(count, perSecond, () => {});
  const waitsMs: number[] = [];
  commits = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const busy = await pace(count, perSecond, (index) => {
    const pair = list[index];
    if (pair === undefined) return;
    open(journal, pair.record);
    const settledAt = performance.now();
    journal.settle(pair.entry, (error) => {
      if (error !== null) throw error;
      waitsMs.push(performance.now() - settledAt);
    });
  });
  await journal.flush();
  delay.disable();
  waitsMs.sort((a, b) => a - b);
  const at = (quantile: number): string => (waitsMs[Math.floor(waitsMs.length * quantile)] ?? 0).toFixed(2);
  const cpu = { processUs: busy.processUs - idle.processUs, mainUs: busy.mainUs - idle.mainUs };
  const facts =
    `${(count / commits).toFixed(1)} a commit, durable after p50 ${at(0.5)} ms p99 ${at(0.99)} ms, ` +
    `loop delay p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`;
  print(`open()+settle(), ${perSecond}/s`, cpu, facts);
}

function pace(count: number, perSecond: number, act: (index: number) => void): Promise<Cpu> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const start = cpuNow();
    let index = 0;
    const turn = (): void => {
      try {
        const due = Math.min(count, Math.floor(((performance.now() - startedMs) / 1000) * perSecond));
        while (index < due) act(index++);
        if (index < count) setTimeout(turn, 1);
        else resolve(cpuSince(start, count));
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    };
    turn();
  });
}

function print(what: string, cpu: Cpu, facts: string): void {
  const figures = `${cpu.processUs.toFixed(2).padStart(7)} us CPU, main thread ${cpu.mainUs.toFixed(2).padStart(6)} us`;
  console.log(`${what.padEnd(LABEL_WIDTH)} ${figures}   ${facts}`);
}

async function measureAll(parent: string, commitSpacingMs: number): Promise<void> {
  console.log(`\ncommitSpacingMs ${commitSpacingMs}`);
  const dir = await mkdtemp(path.join(parent, "weir-journal-bench-"));
  const journal = new FileJournal({
    dir,
    clock: systemClock,
    logger: silentLogger,
    commitSpacingMs,
    io: countingIo,
  });
  await journal.start();
  try {
    await measureOpen(journal);
    for (const inFlight of [1, 16, 64, 256, 1024]) await measureClosed(journal, inFlight);
    for (const perSecond of [200, 2_000, 8_000]) await measurePaced(journal, perSecond);
  } finally {
    await journal.stop();
    await rm(dir, { recursive: true });
  }
}

const parent = process.argv[2] ?? os.tmpdir();
await measureReference(parent);
for (const commitSpacingMs of [0, 2, 5]) await measureAll(parent, commitSpacingMs);
