import { constants } from "node:fs";
import { access, stat, statfs } from "node:fs/promises";
import path from "node:path";

import type { Config } from "../../../config/schema.ts";
import { modeText } from "../../keys/key-file.ts";
import { keyFilePath } from "../../keys/key-file.ts";
import { isSystemError } from "../../system-error.ts";
import { formatBytes } from "../format-bytes.ts";
import type { Check } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

/** Room for the database beside the journal. */
const DATABASE_BYTES = 1024 * 1024 * 1024;

export const dataDirectoryCheck: Check = {
  id: "data_dir",
  title: "Data directory",
  run: (examination) => examination.withConfig(examineDataDirectory),
};

async function examineDataDirectory(config: Config): Promise<Finding> {
  const { data_dir: directory } = config;
  const existing = await nearestExisting(directory);
  try {
    if (!(await stat(existing)).isDirectory()) {
      return fail(`${existing} is a file, not a directory`, "Set data_dir (or --data-dir) to another place.");
    }
    await access(existing, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return fail(
      `${existing} cannot be written by this user (${error.code})`,
      `Give it to the user that runs Weir (chown), or set data_dir to another place.`,
    );
  }
  const state = existing === directory ? directory : `${directory} (will be made)`;
  const { bavail, bsize } = await statfs(existing);
  return judgeSpace({ state, freeBytes: bavail * bsize }, config);
}

/** Judges the free space for the journal at its largest and a database that grows. */
export function judgeSpace(
  { state, freeBytes }: { state: string; freeBytes: number },
  { journal, store }: Pick<Config, "journal" | "store">,
): Finding {
  const least = journal.reserve_bytes + 2 * journal.segment_bytes;
  const database = store.postgres_url === undefined ? DATABASE_BYTES : 0;
  const wanted = journal.reserve_bytes + journal.max_backlog_bytes + database;
  const detail = `${state}, ${formatBytes(freeBytes)} free`;
  if (freeBytes >= wanted) return ok(detail);
  const remedy = `Free space on that disk, or set data_dir to a larger one; ${formatBytes(wanted)} is enough for the journal at its largest${database > 0 ? " and a database" : ""}.`;
  return freeBytes < least ? fail(`${detail}: too little to run`, remedy) : warn(`${detail}: little`, remedy);
}

async function nearestExisting(directory: string): Promise<string> {
  try {
    await stat(directory);
    return directory;
  } catch (error) {
    if (!isSystemError(error) || path.dirname(directory) === directory) throw error;
    // Where permission is missing, the directory above is the one to report.
    return await nearestExisting(path.dirname(directory));
  }
}

export const permissionsCheck: Check = {
  id: "permissions",
  title: "Permissions of secrets",
  run: (examination) =>
    examination.withConfig(async (config) => {
      const { context } = examination;
      const ours = [...context.inspect.secretFiles(config), keyFilePath(context.env)];
      const open = [...(await readableBy(0o077, ours)), ...(await readableBy(0o007, privateKeysOf(config)))];
      if (open.length > 0) {
        const list = open.map(({ file, mode }) => `${file} (${modeText(mode)})`).join(", ");
        return fail(`others may read ${list}`, `chmod 600 ${open.map(({ file }) => file).join(" ")}`);
      }
      // Passing through it is what the embedded PostgreSQL of another user needs, and tells nothing.
      const [directory] = await readableBy(0o006, [config.data_dir]);
      if (directory === undefined) return ok("secrets are readable by their owner alone");
      return warn(
        `${directory.file} is open to all users (${modeText(directory.mode)})`,
        `chmod 750 ${directory.file}`,
      );
    }),
};

/** TLS keys, which a group of servers may share. */
function privateKeysOf({ listen, upstreams }: Config): string[] {
  const files = [listen.tls?.key, ...upstreams.map((upstream) => ("tls" in upstream ? upstream.tls?.key : undefined))];
  return files.filter((file) => file !== undefined);
}

/** Those of the files that exist and give a permission of `mask`. */
async function readableBy(mask: number, files: readonly string[]): Promise<{ file: string; mode: number }[]> {
  const found: { file: string; mode: number }[] = [];
  for (const file of files) {
    try {
      const { mode } = await stat(file);
      if ((mode & mask) !== 0) found.push({ file, mode });
    } catch (error) {
      // Not there, or hidden even from us: then from others too.
      if (!isSystemError(error)) throw error;
    }
  }
  return found;
}
