import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";

import { randomUUID } from "node:crypto";

import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { errorCode, unlessMissing } from "./file-errors.ts";
import { isProcessAlive, processStartMark } from "./system-process.ts";

const RETRY_MS = 20;

/**
 * Runs `action` while no other process holds the lock file `path`. The file names its holder, so a lock left behind by a
 * killed process is taken over. It orders starting, joining and stopping; that two servers never share a data directory
 * is PostgreSQL's own interlock, not this one.
 */
export async function withInstanceLock<T>(path: string, timeoutMs: number, action: () => Promise<T>): Promise<T> {
  const mine = `${process.pid} ${processStartMark(process.pid) ?? "-"} ${randomUUID()}`;
  await acquire(path, mine, timeoutMs);
  try {
    return await action();
  } finally {
    if ((await unlessMissing(readFile(path, "utf8"))) === mine) await rm(path, { force: true });
  }
}

async function acquire(path: string, mine: string, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await tryAcquire(path, mine))) {
    const holder = await unlessMissing(readFile(path, "utf8"));
    if (holder !== null && !isHeld(holder)) {
      await takeAway(path, holder);
    } else if (performance.now() > deadline) {
      throw new EmbeddedPostgresError(
        `The embedded PostgreSQL is locked by process ${holder?.split(" ")[0] ?? "unknown"} (${path}) for over ${timeoutMs} ms.`,
        "Wait for that process to finish starting or stopping, or end it.",
      );
    } else {
      await sleep(RETRY_MS);
    }
  }
}

/** Creates the lock with its content in one step: a file is linked to its name only when it is complete. */
async function tryAcquire(path: string, mine: string): Promise<boolean> {
  const draft = `${path}.${mine.slice(-12)}`;
  await writeFile(draft, mine, { mode: 0o600 });
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

function isHeld(holder: string): boolean {
  const [pid = "", startMark = "-"] = holder.split(" ");
  if (!isProcessAlive(Number(pid))) return false;
  const now = processStartMark(Number(pid));
  return startMark === "-" || now === null || startMark === now;
}

/** Removes the lock of a dead holder; puts it back when another process was faster and the file is already theirs. */
async function takeAway(path: string, deadHolder: string): Promise<void> {
  const aside = `${path}.stale-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw error;
  }
  const taken = await readFile(aside, "utf8");
  if (taken !== deadHolder) {
    await link(aside, path).catch((error: unknown) => {
      if (errorCode(error) !== "EEXIST") throw error;
    });
  }
  await rm(aside, { force: true });
}
