import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readSync } from "node:fs";
import { rename, stat } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError, USE_EXTERNAL } from "./embedded-postgres-error.ts";
import { unlessMissing } from "./file-errors.ts";
import type { ClusterPaths } from "./init-cluster.ts";
import { isServerOf, readPostmasterFile } from "./postmaster-file.ts";
import { type Account, SERVER_ENVIRONMENT, waitUntil } from "./system-process.ts";

const READY_POLL_MS = 5;
const LIVENESS_POLL_MS = 200;
/** Recovery after a crash replays at most max_wal_size, which slow disks need a while for. */
const START_TIMEOUT_MS = 120_000;
const FAST_SHUTDOWN_MS = 20_000;
const IMMEDIATE_SHUTDOWN_MS = 6_000;
const LOG_ROTATE_BYTES = 8 * 1024 * 1024;
const LOG_TAIL_BYTES = 2_000;

/** A server that runs, whether this process started it or found it. */
export interface ServerProcess {
  readonly pid: number;
  /** Resolves once the process has ended. */
  readonly ended: Promise<void>;
  /** Ends the watching (not the server). */
  release(): void;
}

/**
 * Starts the server and resolves when it takes connections. It runs in its own session: Ctrl-C in a terminal goes to Weir
 * alone, which drains before it stops its database.
 */
export async function startServer(
  paths: ClusterPaths,
  binaries: PostgresBinaries,
  account: Account | null,
): Promise<ServerProcess> {
  const logStart = await rotateLog(paths.logFile);
  const log = openSync(paths.logFile, "a", 0o600);
  const child = spawn(binaries.postgres, ["-D", paths.data], {
    ...account,
    cwd: paths.home,
    env: SERVER_ENVIRONMENT,
    stdio: ["ignore", log, log],
    detached: true,
  });
  closeSync(log);
  let running = true;
  const ended = childEnd(child).then(() => {
    running = false;
  });
  child.unref();
  const pid = child.pid;
  const ready = pid !== undefined && (await becomesReady(paths.data, pid, () => running));
  if (pid !== undefined && ready) return { pid, ended, release: () => {} };
  if (running) child.kill("SIGQUIT");
  await ended;
  throw new EmbeddedPostgresError(
    `PostgreSQL did not start in ${paths.data}: ${logSince(paths.logFile, logStart)}`,
    `See ${paths.logFile}. ${USE_EXTERNAL}`,
  );
}

/** Watches a server that another process started, by looking for it. */
export function watchServer(pid: number, dataDirectory: string): ServerProcess {
  const released = new AbortController();
  const ended = (async () => {
    while (isServerOf(pid, dataDirectory)) {
      await sleep(LIVENESS_POLL_MS, undefined, { signal: released.signal, ref: false });
    }
  })().catch((error: unknown) => {
    if (!released.signal.aborted) throw error;
    // Nobody waits for a released watch any more.
    return new Promise<void>(() => {});
  });
  return { pid, ended, release: () => released.abort() };
}

/**
 * Stops the server of `dataDirectory`: fast (open transactions roll back), then immediate (recovers at the next start),
 * then by force. Does nothing when `pid` is not that server.
 */
export async function stopServer(pid: number, dataDirectory: string): Promise<void> {
  const steps = [
    ["SIGINT", FAST_SHUTDOWN_MS],
    ["SIGQUIT", IMMEDIATE_SHUTDOWN_MS],
    ["SIGKILL", IMMEDIATE_SHUTDOWN_MS],
  ] as const;
  for (const [signal, patienceMs] of steps) {
    if (!isServerOf(pid, dataDirectory)) return;
    process.kill(pid, signal);
    // A frozen server acts on a signal only once it runs again.
    process.kill(pid, "SIGCONT");
    const gone = await waitUntil(() => !isServerOf(pid, dataDirectory), { timeoutMs: patienceMs, everyMs: 10 });
    if (gone) return;
  }
  throw new EmbeddedPostgresError(`PostgreSQL (process ${pid}) does not stop.`, `End process ${pid} by hand.`);
}

/** Waits until server `pid` says that it takes connections; false when it ends before, or takes far too long. */
export async function becomesReady(dataDirectory: string, pid: number, isRunning: () => boolean): Promise<boolean> {
  let ready = false;
  await waitUntil(
    async () => {
      const file = await readPostmasterFile(dataDirectory);
      ready = file?.pid === pid && file.status === "ready";
      return ready || !isRunning();
    },
    { timeoutMs: START_TIMEOUT_MS, everyMs: READY_POLL_MS },
  );
  return ready;
}

function childEnd(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once("exit", () => resolve());
    // Not started at all: there is no exit to wait for.
    child.once("error", () => resolve());
  });
}

/** Puts a log that has grown large aside, keeping one former. Returns the size of the log that goes on. */
async function rotateLog(logFile: string): Promise<number> {
  const size = (await unlessMissing(stat(logFile)))?.size ?? 0;
  if (size < LOG_ROTATE_BYTES) return size;
  await rename(logFile, `${logFile}.1`);
  return 0;
}

/** What the server said since `offset`, on one line, at most the last two thousand bytes of it. */
function logSince(logFile: string, offset: number): string {
  const buffer = Buffer.alloc(LOG_TAIL_BYTES);
  const file = openSync(logFile, "r");
  try {
    const length = readSync(file, buffer, 0, buffer.length, offset);
    return buffer.toString("utf8", 0, length).trim().replaceAll("\n", " | ");
  } finally {
    closeSync(file);
  }
}
