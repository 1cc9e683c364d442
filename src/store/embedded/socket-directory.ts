import { createHash } from "node:crypto";
import { lstat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { makeDirectoryAs } from "./account-files.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { MAX_SOCKET_PATH, socketPath } from "./server-settings.ts";
import type { Account } from "./system-process.ts";

/**
 * Where a server on `port` puts its socket: in its home, or, where that would be longer than the system's limit for socket
 * paths, in a directory of its own among the temporary files. The same home always gets the same place.
 */
export function chooseSocketDirectory(home: string, port: number, temporary = tmpdir()): string {
  const short = `weir-${createHash("sha256").update(home).digest("hex").slice(0, 16)}`;
  const candidates = [join(home, "socket"), join(temporary, short), join("/tmp", short)];
  const fitting = candidates.find((directory) => Buffer.byteLength(socketPath(directory, port)) <= MAX_SOCKET_PATH);
  return fitting ?? join("/tmp", short);
}

/** Makes the socket's directory. Refuses one among the temporary files that somebody else put there. */
export async function createSocketDirectory(directory: string, account: Account | null): Promise<void> {
  await makeDirectoryAs(directory, account);
  const found = await lstat(directory);
  const owner = account?.uid ?? process.getuid?.();
  if (found.isDirectory() && found.uid === owner && (found.mode & 0o077) === 0) return;
  throw new EmbeddedPostgresError(
    `${directory}, where PostgreSQL's socket belongs, was made by somebody else (user id ${found.uid}).`,
    "Remove it, or choose a data directory with a shorter path.",
  );
}
