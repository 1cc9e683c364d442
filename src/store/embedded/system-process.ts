import { spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import { errorCode } from "./file-errors.ts";

/** The user and group that a child process runs as; null means those of this process. */
export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface CommandResult {
  readonly exitCode: number | null;
  /** Standard output and error, in the order in which they came. */
  readonly output: string;
}

/**
 * The environment of every PostgreSQL process: nothing of ours leaks in (PGDATA, PGPORT and LD_LIBRARY_PATH would change
 * what runs), messages are in English and times in UTC.
 */
export const SERVER_ENVIRONMENT = { PATH: "/usr/bin:/bin:/usr/local/bin", LC_ALL: "C", TZ: "UTC" } as const;

/** Runs a short command as `account` to its end. Never throws: a command that cannot be run has exit code null. */
export function runCommand(
  file: string,
  args: readonly string[],
  options: { account: Account | null; cwd: string; input?: string },
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(file, args, {
      ...options.account,
      cwd: options.cwd,
      env: SERVER_ENVIRONMENT,
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    let output = "";
    const take = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    // A command that ends without reading its input closes the pipe; its exit code tells what happened.
    child.stdin?.on("error", () => {});
    child.stdin?.end(options.input);
    child.once("error", (error) => resolve({ exitCode: null, output: output + error.message }));
    child.once("close", (exitCode) => resolve({ exitCode, output }));
  });
}

/** Whether process `pid` runs. One that has ended but was not reaped by its parent does not count as running. */
export function isProcessAlive(pid: number): boolean {
  return hasPid(pid) && processStat(pid)?.state !== "Z";
}

/** Whether the system has a process `pid`, running or ended but not reaped. */
export function hasPid(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it exists but belongs to somebody else.
    return errorCode(error) === "EPERM";
  }
}

/**
 * Tells apart two processes that had the same pid one after the other. Null where the system does not say (only Linux
 * does without starting a command); then the pid alone must do.
 */
export function processStartMark(pid: number): string | null {
  return processStat(pid)?.startTicks ?? null;
}

/** The command line of process `pid`, or null when it cannot be read. */
export function commandLine(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    // No /proc here (macOS), or the process has gone: ask ps, which knows both.
    const ps = spawnSync("ps", ["-p", String(pid), "-o", "command="], { encoding: "utf8" });
    return ps.status === 0 ? ps.stdout : null;
  }
}

/** Waits until `condition` holds, looking every `everyMs`; false when `timeoutMs` have passed before. */
export async function waitUntil(
  condition: () => boolean | Promise<boolean>,
  options: { timeoutMs: number; everyMs: number },
): Promise<boolean> {
  const deadline = performance.now() + options.timeoutMs;
  while (!(await condition())) {
    if (performance.now() >= deadline) return false;
    await sleep(options.everyMs);
  }
  return true;
}

/** State and start time from Linux's /proc/<pid>/stat (proc_pid_stat(5)); the name in parentheses may hold anything. */
function processStat(pid: number): { state: string; startTicks: string } | null {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return null;
  }
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? null : { state, startTicks };
}
