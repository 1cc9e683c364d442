import { readFile } from "node:fs/promises";
import path from "node:path";

/** Whether a process holds the journal of a data directory. */
export async function isServing(dataDir: string): Promise<boolean> {
  try {
    const lock: unknown = JSON.parse(await readFile(path.join(dataDir, "journal", "lock"), "utf8"));
    if (typeof lock !== "object" || lock === null || !("pid" in lock) || typeof lock.pid !== "number") return false;
    process.kill(lock.pid, 0);
    return true;
  } catch {
    // No lock, or its process is gone: nobody serves.
    return false;
  }
}
