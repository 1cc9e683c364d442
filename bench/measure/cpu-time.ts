import { readFileSync, readdirSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { groupProcesses, readProcessTable } from "./process-tree.ts";

/** CPU time used so far, in nanoseconds: of the gateway's own processes, and of its database's. */
export interface CpuTime {
  readonly gatewayNs: number;
  readonly databaseNs: number;
}

/** What to count: the gateway's root process and, when it did not start its database itself, the database's. */
export interface CpuSubject {
  readonly pid: number;
  readonly databasePid?: number | undefined;
}

const IDLE_POLL_MS = 60;
const IDLE_SHARE = 0.03;
const IDLE_WAIT_MAX_MS = 2_000;

/** Sums the time on a CPU of every thread of the subject's processes, now. */
export function readCpuTime(subject: CpuSubject): CpuTime {
  const rows = readProcessTable();
  const groups = groupProcesses(rows, subject.pid);
  const external = subject.databasePid === undefined ? [] : groupProcesses(rows, subject.databasePid).database;
  return { gatewayNs: sumNs(groups.gateway), databaseNs: sumNs([...groups.database, ...external]) };
}

/**
 * Waits until the subject has nothing left to do (2 s at most) and returns its CPU time then. Two such readings around a
 * load hold all the work of that load and of no other, also what a gateway does after it has answered.
 */
export async function readCpuTimeWhenIdle(subject: CpuSubject): Promise<CpuTime> {
  const giveUpAtMs = performance.now() + IDLE_WAIT_MAX_MS;
  let before = readCpuTime(subject);
  let beforeMs = performance.now();
  for (;;) {
    await sleep(IDLE_POLL_MS);
    const now = readCpuTime(subject);
    const nowMs = performance.now();
    const usedMs = (now.gatewayNs + now.databaseNs - before.gatewayNs - before.databaseNs) / 1e6;
    if (usedMs / (nowMs - beforeMs) < IDLE_SHARE || nowMs > giveUpAtMs) return now;
    [before, beforeMs] = [now, nowMs];
  }
}

/** The first field of a schedstat line: nanoseconds on a CPU (Documentation/scheduler/sched-stats in the Linux sources). */
export function parseSchedstat(line: string): number {
  const ns = Number(line.split(" ", 1)[0]);
  if (!Number.isFinite(ns)) throw new Error(`not a schedstat line: ${JSON.stringify(line)}`);
  return ns;
}

function sumNs(pids: readonly number[]): number {
  let total = 0;
  for (const pid of pids) {
    for (const thread of listThreads(pid)) total += threadNs(pid, thread);
  }
  return total;
}

function listThreads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return []; // it has ended
  }
}

function threadNs(pid: number, thread: string): number {
  let line: string;
  try {
    line = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1");
  } catch {
    return 0; // it has ended
  }
  return parseSchedstat(line);
}
