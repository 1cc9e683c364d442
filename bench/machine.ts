import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem } from "node:os";
import { COMPILER } from "./native/build.ts";

/** What a figure depends on besides the programs compared. */
export interface Machine {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
  readonly compiler: string;
  /** Load average of the minute before the run. */
  readonly loadBefore: number;
}

/** Whether other work disturbs the run. A process of the bench itself that has just ended leaves less than this. */
export function isBusy(machine: Machine): boolean {
  return machine.loadBefore > 0.7;
}

export function describeMachine(): Machine {
  return {
    cpu: /^model name\s*: (.+)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? process.arch,
    cores: cpus().length, // not what this process is pinned to
    memoryGb: Math.round(totalmem() / 1024 ** 3),
    system: `${/^PRETTY_NAME="(.+)"$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "Linux"}, kernel ${release()}`,
    node: process.versions.node,
    loadBefore: loadavg()[0] ?? 0,
    compiler: execFileSync(COMPILER, ["--version"], { encoding: "utf8" }).split("\n", 1)[0] ?? COMPILER,
  };
}
