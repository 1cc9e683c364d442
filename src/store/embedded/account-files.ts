import { mkdir, writeFile } from "node:fs/promises";

import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { type Account, runCommand } from "./system-process.ts";

/*
 * Whoever may write in a directory may also put a symbolic link there. So root never writes where the server's account can:
 * these do it as that account.
 */

/** Writes a file that only `account` may read. */
export async function writeFileAs(path: string, text: string, account: Account | null): Promise<void> {
  if (account === null) await writeFile(path, text, { mode: 0o600 });
  else await runAs(account, 'umask 077 && cat > "$1"', path, text);
}

/** Makes a directory, where it is missing, that only `account` may enter. */
export async function makeDirectoryAs(path: string, account: Account | null): Promise<void> {
  if (account === null) await mkdir(path, { recursive: true, mode: 0o700 });
  else await runAs(account, '[ -d "$1" ] || mkdir -m 700 "$1"', path);
}

/** Whether `account` can make files in `directory`: tried, since permission bits know nothing of ACLs and mounts. */
export async function canWriteAs(directory: string, account: Account | null): Promise<boolean> {
  const script = 'cd "$1" && : > .weir-probe && rm .weir-probe';
  const result = await runCommand("/bin/sh", ["-c", script, "sh", directory], { account, cwd: "/" });
  return result.exitCode === 0;
}

async function runAs(account: Account, script: string, path: string, input = ""): Promise<void> {
  const result = await runCommand("/bin/sh", ["-c", script, "sh", path], { account, cwd: "/", input });
  if (result.exitCode === 0) return;
  throw new EmbeddedPostgresError(
    `User id ${account.uid}, which PostgreSQL runs as, cannot write ${path}: ${result.output.trim()}`,
    "Check the owner, the permissions and the free space there.",
  );
}
