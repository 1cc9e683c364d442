import { readFile, readlink } from "node:fs/promises";
import os from "node:os";

/** Tells this process from any other that has or had its number. Parts that the system does not offer are null. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Start of the process in clock ticks since boot (Linux). */
  readonly startTicks: string | null;
  readonly bootId: string | null;
  readonly pidNamespace: string | null;
  readonly host: string;
}

/** The identity of this process. */
export async function ownIdentity(): Promise<ProcessIdentity> {
  return {
    pid: process.pid,
    startTicks: (await processStat(process.pid))?.startTicks ?? null,
    bootId: await readFile("/proc/sys/kernel/random/boot_id", "utf8").then(
      (id) => id.trim(),
      () => null,
    ),
    pidNamespace: await readlink("/proc/self/ns/pid").catch(() => null),
    host: os.hostname(),
  };
}

/**
 * Whether `other` still runs, as far as `own` can see: `unknown` when it may run where this process cannot look, in another
 * container or on another machine.
 */
export async function stillRuns(other: ProcessIdentity, own: ProcessIdentity): Promise<"runs" | "ended" | "unknown"> {
  if (other.host === own.host && other.bootId !== own.bootId) return "ended";
  const sameView = other.bootId === own.bootId && other.pidNamespace === own.pidNamespace && other.host === own.host;
  if (!sameView) return "unknown";
  if (!signalReaches(other.pid)) return "ended";
  const stat = await processStat(other.pid);
  if (stat === null || other.startTicks === null) return "unknown";
  return stat.startTicks === other.startTicks && !stat.isZombie ? "runs" : "ended";
}

/** Whether a process with this number exists, also one of another user. */
function signalReaches(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
}

/** Fields 3 (state) and 22 (start time) of /proc/<pid>/stat, see proc_pid_stat(5); null where there is none. */
async function processStat(pid: number): Promise<{ startTicks: string | null; isZombie: boolean } | null> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => null);
  if (text === null) return null;
  // The second field, the command in brackets, may itself contain spaces and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { startTicks: fields[19] ?? null, isZombie: fields[0] === "Z" };
}
