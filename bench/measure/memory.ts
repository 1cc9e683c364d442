import { readFileSync } from "node:fs";
import type { CpuSubject } from "./cpu-time.ts";
import { groupProcesses, readProcessTable } from "./process-tree.ts";

/**
 * Memory in bytes. `pss` shares a page between the processes that map it, so it can be added up over a gateway's
 * processes; `rss` counts such a page in each of them.
 */
interface Memory {
  readonly pss: number;
  readonly rss: number;
}

export interface MemoryOfGroups {
  readonly gateway: Memory;
  readonly database: Memory;
}

export function readMemory(subject: CpuSubject): MemoryOfGroups {
  const rows = readProcessTable();
  const groups = groupProcesses(rows, subject.pid);
  const external = subject.databasePid === undefined ? [] : groupProcesses(rows, subject.databasePid).database;
  return { gateway: sum(groups.gateway), database: sum([...groups.database, ...external]) };
}

/** Reads Pss and Rss out of /proc/PID/smaps_rollup. */
export function parseSmapsRollup(text: string): Memory {
  const field = (name: string): number => {
    const found = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(text);
    if (!found) throw new Error(`no ${name} in smaps_rollup`);
    return Number(found[1]) * 1024;
  };
  return { pss: field("Pss"), rss: field("Rss") };
}

function sum(pids: readonly number[]): Memory {
  let pss = 0;
  let rss = 0;
  for (const pid of pids) {
    let text: string;
    try {
      text = readFileSync(`/proc/${pid}/smaps_rollup`, "latin1");
    } catch {
      continue; // it has ended
    }
    if (text === "") continue;
    const memory = parseSmapsRollup(text);
    pss += memory.pss;
    rss += memory.rss;
  }
  return { pss, rss };
}
