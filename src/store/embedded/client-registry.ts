import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { unlessMissing } from "./file-errors.ts";
import { isProcessAlive, processStartMark } from "./system-process.ts";

/**
 * Which processes use the server: one file each, named `<pid>-<random>` and holding the process's start mark. Whoever
 * leaves last stops the server. The watchdog's shell script reads the same names.
 */
export class ClientRegistry {
  readonly directory: string;
  readonly ownName = `${process.pid}-${randomUUID().slice(0, 8)}`;

  constructor(directory: string) {
    this.directory = directory;
  }

  async register(): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await writeFile(join(this.directory, this.ownName), processStartMark(process.pid) ?? "", { mode: 0o600 });
  }

  async unregister(): Promise<void> {
    await rm(join(this.directory, this.ownName), { force: true });
  }

  /** How many others use the server. Forgets those that have died. */
  async countOthers(): Promise<number> {
    let alive = 0;
    for (const name of (await unlessMissing(readdir(this.directory))) ?? []) {
      if (name === this.ownName) continue;
      const startMark = await unlessMissing(readFile(join(this.directory, name), "utf8"));
      if (startMark === null) continue;
      if (isSameProcess(Number(name.split("-")[0]), startMark)) alive += 1;
      else await rm(join(this.directory, name), { force: true });
    }
    return alive;
  }
}

function isSameProcess(pid: number, startMark: string): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || !isProcessAlive(pid)) return false;
  const now = processStartMark(pid);
  return startMark === "" || now === null || now === startMark;
}
