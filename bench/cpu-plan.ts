import { execFileSync } from "node:child_process";
import { availableParallelism } from "node:os";

// Both are part of util-linux.
const TASKSET = "taskset";
const SETPRIV = "setpriv";

/** Which cores do what, as `taskset -c` lists: everything measured runs on `gateway`, everything else on `tools`. */
export interface CpuPlan {
  readonly gateway: string;
  readonly tools: string;
}

/** Core 0 for the gateways and the others for the tools, unless said otherwise. Throws on a machine with one core. */
export function planCpus(asked: { gateway?: string | undefined; tools?: string | undefined }): CpuPlan {
  const cores = availableParallelism();
  if (cores < 2 && asked.tools === undefined) {
    throw new Error(
      "The benchmark needs two cores: one for the gateway and one for the load and the upstream. This machine offers one.",
    );
  }
  return { gateway: asked.gateway ?? "0", tools: asked.tools ?? (cores === 2 ? "1" : `1-${cores - 1}`) };
}

/** The command that runs `command` on the given cores, and ends it should this process be killed. */
export function onCpus(cpus: string, command: string, args: readonly string[]): [program: string, args: string[]] {
  return [SETPRIV, ["--pdeathsig", "TERM", TASKSET, "-c", cpus, command, ...args]];
}

/** Moves a running process with all its threads. A process that has just ended is not an error. */
export function pinProcess(pid: number, cpus: string): void {
  try {
    execFileSync(TASKSET, ["-a", "-c", "-p", cpus, String(pid)], { stdio: "ignore" });
  } catch (cause) {
    if (isMissingCommand(cause)) throw new Error("taskset is not installed: apt-get install -y util-linux", { cause });
  }
}

function isMissingCommand(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && cause.code === "ENOENT";
}
