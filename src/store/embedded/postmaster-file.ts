import { readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";

import { writeFileAs } from "./account-files.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { unlessMissing } from "./file-errors.ts";
import { type ServerSettings, SOCKET_PORT, socketPath } from "./server-settings.ts";
import { type Account, commandLine, hasPid, isProcessAlive } from "./system-process.ts";

/** What a running server writes of itself to `postmaster.pid` in its data directory (PostgreSQL's pidfile.h). */
export interface PostmasterFile {
  readonly pid: number;
  readonly dataDirectory: string;
  readonly port: number;
  readonly socketDirectory: string;
  /** `starting`, `ready`, `stopping` or `standby`; empty while the file is being written. */
  readonly status: string;
}

/** Which process, if any, serves a data directory. */
export type ServerSighting =
  | { readonly kind: "none" }
  | { readonly kind: "running"; readonly file: PostmasterFile }
  /**
   * The file names a process that is not a PostgreSQL of this directory: the pid was given to somebody else, or the server
   * has ended but was not reaped (in a container whose first process does not care for orphans).
   */
  | { readonly kind: "stale"; readonly file: PostmasterFile };

/** Larger than any pid that Linux (2^22) or macOS (99,998) gives out, so it names no process. */
const NO_PID = 99_999_999;

/** Parses the text of a `postmaster.pid`; null when it names no process. */
export function parsePostmasterFile(text: string): PostmasterFile | null {
  const lines = text.split("\n").map((line) => line.trim());
  const pid = Number(lines[0]);
  if (!Number.isInteger(pid) || pid <= 0) return null;
  return {
    pid,
    dataDirectory: lines[1] ?? "",
    port: Number(lines[3] ?? 0),
    socketDirectory: lines[4] ?? "",
    status: lines[7] ?? "",
  };
}

export async function readPostmasterFile(dataDirectory: string): Promise<PostmasterFile | null> {
  const text = await unlessMissing(readFile(join(dataDirectory, "postmaster.pid"), "utf8"));
  return text === null ? null : parsePostmasterFile(text);
}

/**
 * Looks for the server of `dataDirectory`. Throws when one answers whose process cannot be seen from here: then another
 * container or machine runs on the same files, and a second server would corrupt them.
 */
export async function findServer(dataDirectory: string): Promise<ServerSighting> {
  const file = await readPostmasterFile(dataDirectory);
  if (file === null) return { kind: "none" };
  if (isServerOf(file.pid, dataDirectory)) return { kind: "running", file };
  if (file.socketDirectory !== "" && (await answers(socketPath(file.socketDirectory, file.port)))) {
    throw new EmbeddedPostgresError(
      `A PostgreSQL that is not visible from here (process ${file.pid} of another container?) uses ${dataDirectory}.`,
      "Stop it, or give this Weir a data directory of its own.",
    );
  }
  return hasPid(file.pid) ? { kind: "stale", file } : { kind: "none" };
}

/** Whether process `pid` is alive and a PostgreSQL server started on `dataDirectory`. Checked before every signal. */
export function isServerOf(pid: number, dataDirectory: string): boolean {
  if (!isProcessAlive(pid)) return false;
  const command = `${commandLine(pid)?.trim() ?? ""} `;
  return command.includes("postgres") && command.includes(` -D ${dataDirectory} `);
}

/**
 * Takes a stale pid out of `postmaster.pid`, because PostgreSQL refuses to start while a process has it. The rest of the
 * file stays: from it PostgreSQL checks that no backend of the former server still has the shared memory.
 */
export async function clearStalePid(
  dataDirectory: string,
  stale: PostmasterFile,
  account: Account | null,
): Promise<void> {
  const path = join(dataDirectory, "postmaster.pid");
  const text = await readFile(path, "utf8");
  if (parsePostmasterFile(text)?.pid !== stale.pid) return;
  await writeFileAs(path, text.replace(/^\s*\d+/, String(NO_PID)), account);
}

/**
 * Removes what a former server of this cluster left beside its socket; nobody else uses that directory, and `findServer` has
 * seen to it that no server answers there. PostgreSQL would refuse to start if the pid in it were in use again.
 */
export async function clearSocketLock(settings: ServerSettings): Promise<void> {
  const path = socketPath(settings.socketDirectory, settings.tcpPort ?? SOCKET_PORT);
  await rm(`${path}.lock`, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
