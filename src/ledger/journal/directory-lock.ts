import { randomUUID } from "node:crypto";
import { link, open, readFile, rename, rm, stat, utimes } from "node:fs/promises";

import type { Clock } from "../../core/clock.ts";
import { JournalLockedError, systemCode } from "./journal-error.ts";
import { ownIdentity, type ProcessIdentity, stillRuns } from "./process-identity.ts";

/** How often a held lock shows that its holder lives. */
export const LOCK_REFRESH_MS = 5_000;
/** A lock whose holder cannot be looked up counts as left behind when it has not been refreshed for so long. */
const STALE_AFTER_MS = 30_000;

interface LockText extends ProcessIdentity {
  /** Distinguishes this lock from any other. */
  readonly token: string;
}

interface FoundLock {
  /** Null when the file is empty or no lock text: its writer was interrupted. */
  readonly owner: LockText | null;
  readonly text: string;
  readonly ageMs: number;
}

/**
 * Keeps a second process from writing the same journal. The file names its holder; a holder that ended without removing it
 * is recognised by its process number and start time, or, where those cannot be looked up, by the file's age.
 */
export class DirectoryLock {
  readonly #file: string;
  readonly #text: string;
  readonly #clock: Clock;

  private constructor(file: string, text: string, clock: Clock) {
    this.#file = file;
    this.#text = text;
    this.#clock = clock;
  }

  /** Takes the lock. Rejects with JournalLockedError when another process has it. */
  static async acquire(file: string, clock: Clock): Promise<DirectoryLock> {
    const own = await ownIdentity();
    const text = JSON.stringify({ ...own, token: randomUUID() } satisfies LockText);
    for (let attempt = 0; attempt < 3; attempt++) {
      if (await createWith(file, text)) return new DirectoryLock(file, text, clock);
      const found = await inspect(file, clock);
      if (found === null) continue;
      if (!(await isLeftBehind(found, own))) throw lockedError(file, found);
      await removeLeftBehind(file, found);
    }
    throw new JournalLockedError(
      `${file} is being taken by another process that starts just now`,
      "Start only one with this data directory.",
    );
  }

  /** Shows that this process lives. Resolves to false when the lock is no longer ours. */
  async refresh(): Promise<boolean> {
    if (!(await this.#isOurs())) return false;
    const now = new Date(this.#clock.nowMs());
    await utimes(this.#file, now, now);
    return true;
  }

  async release(): Promise<void> {
    if (await this.#isOurs()) await rm(this.#file, { force: true });
  }

  async #isOurs(): Promise<boolean> {
    return (await readIfExists(this.#file)) === this.#text;
  }
}

/** Creates the file only if there is none. */
async function createWith(file: string, text: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    try {
      await handle.writeFile(text);
    } finally {
      await handle.close();
    }
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw error;
  }
}

async function inspect(file: string, clock: Clock): Promise<FoundLock | null> {
  const text = await readIfExists(file);
  if (text === null) return null;
  const modifiedMs = await stat(file).then(
    (stats) => stats.mtimeMs,
    () => clock.nowMs(),
  );
  return { text, owner: parse(text), ageMs: clock.nowMs() - modifiedMs };
}

async function isLeftBehind(found: FoundLock, own: ProcessIdentity): Promise<boolean> {
  const state = found.owner === null ? "unknown" : await stillRuns(found.owner, own);
  return state === "ended" || (state === "unknown" && found.ageMs > STALE_AFTER_MS);
}

/**
 * Removes the lock that was judged, and no other: two processes may judge the same lock at once, and the slower one must not
 * remove what the faster one has put there meanwhile.
 */
async function removeLeftBehind(file: string, judged: FoundLock): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw error;
  }
  if ((await readIfExists(aside)) !== judged.text) await link(aside, file).catch(ignoreExisting);
  await rm(aside, { force: true });
}

/** Someone else has the lock by now, which the next attempt will see. */
function ignoreExisting(error: unknown): void {
  if (systemCode(error) !== "EEXIST") throw error;
}

async function readIfExists(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}

function parse(text: string): LockText | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("pid" in value) || typeof value.pid !== "number") return null;
    const part = (name: string): string | null => {
      const found: unknown = Reflect.get(value, name);
      return typeof found === "string" ? found : null;
    };
    return {
      pid: value.pid,
      startTicks: part("startTicks"),
      bootId: part("bootId"),
      pidNamespace: part("pidNamespace"),
      host: part("host") ?? "",
      token: part("token") ?? "",
    };
  } catch {
    // Not JSON: a lock file whose writer was killed in the middle.
    return null;
  }
}

function lockedError(file: string, found: FoundLock): JournalLockedError {
  const seconds = Math.max(0, Math.round(found.ageMs / 1000));
  const holder = found.owner === null ? "an unknown process" : `process ${found.owner.pid} on ${found.owner.host}`;
  return new JournalLockedError(
    `Weir runs already with this data directory: its journal is in use by ${holder} (${file}, refreshed ${seconds} s ago)`,
    `Use that one, or stop it. A second Weir beside it needs a port and a data directory of its own: set WEIR_PORT and ` +
      `WEIR_DATA_DIR. A lock left behind on another machine is taken over ${STALE_AFTER_MS / 1000} s after its last refresh.`,
  );
}
