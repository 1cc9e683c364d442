import { chmod, lchown, mkdir, mkdtemp, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Logger } from "../../core/logger.ts";
import { canWriteAs } from "./account-files.ts";
import { EmbeddedPostgresError, USE_EXTERNAL } from "./embedded-postgres-error.ts";
import { unlessMissing } from "./file-errors.ts";
import type { Account } from "./system-process.ts";

/** Name of the file in Weir's data directory that says where the database lies when it lies elsewhere. */
const POINTER = "postgres.location";
/** Name of the file beside a relocated home that says whose it is. */
const BACKLINK = "belongs-to";

export interface HomeOptions {
  /** Weir's data directory; it exists. */
  readonly dataDir: string;
  /** Where homes go that the server's account could not reach inside `dataDir`. */
  readonly relocationDir: string;
  readonly logger: Logger;
}

/** The directory that holds the database and its socket, and who owns it. */
export interface Home {
  readonly path: string;
  readonly owner: Account;
}

/**
 * The home of the database of `dataDir`: `<dataDir>/postgres`, or, once it was relocated, what the pointer file names. Null
 * when there is none yet.
 */
export async function findHome(dataDir: string): Promise<Home | null> {
  const pointer = (await unlessMissing(readFile(join(dataDir, POINTER), "utf8")))?.trim();
  if (pointer !== undefined) await checkRelocated(pointer, dataDir);
  const path = pointer ?? join(dataDir, "postgres");
  const found = await unlessMissing(stat(path));
  return found === null ? null : { path: await realpath(path), owner: { uid: found.uid, gid: found.gid } };
}

/** Makes the directory for a new database: in `dataDir` when `account` can work there, else below `relocationDir`. */
export async function createHome(account: Account | null, options: HomeOptions): Promise<string> {
  const { dataDir, relocationDir, logger } = options;
  const inside = await makeHomeIn(dataDir, account);
  if (inside !== null) return inside;
  if (account === null) {
    throw new EmbeddedPostgresError(`The data directory ${dataDir} is not writable.`, "Choose another data directory.");
  }
  await mkdir(relocationDir, { recursive: true, mode: 0o755 });
  const place = await mkdtemp(join(relocationDir, "database-"));
  await writeFile(join(place, BACKLINK), `${dataDir}\n`, { mode: 0o600 });
  await chmod(place, 0o711);
  const home = await makeHomeIn(place, account);
  if (home === null) {
    await rm(place, { recursive: true, force: true });
    throw new EmbeddedPostgresError(
      `PostgreSQL runs as user id ${account.uid}, which can reach neither ${dataDir} nor ${relocationDir}.`,
      `Choose a data directory that this user can reach. ${USE_EXTERNAL}`,
    );
  }
  await writeFile(join(dataDir, POINTER), `${home}\n`, { mode: 0o600 });
  logger.warn(
    { dataDir, home, uid: account.uid },
    "PostgreSQL does not run as root and its user cannot reach the data directory: the database is kept elsewhere",
  );
  return home;
}

/** Null, leaving nothing behind, when `account` cannot work there. */
async function makeHomeIn(directory: string, account: Account | null): Promise<string | null> {
  const home = join(directory, "postgres");
  const made = await mkdir(home, { recursive: true, mode: 0o700 });
  if (account !== null) await lchown(home, account.uid, account.gid);
  if (await canWriteAs(home, account)) return await realpath(home);
  if (made !== undefined) await rm(home, { recursive: true, force: true });
  return null;
}

/** A data directory that was moved keeps its database; one that was copied must not share it with the original. */
async function checkRelocated(home: string, dataDir: string): Promise<void> {
  const backlink = join(dirname(home), BACKLINK);
  const owner = (await unlessMissing(readFile(backlink, "utf8")))?.trim();
  if (owner === dataDir) return;
  if (owner === undefined) {
    throw new EmbeddedPostgresError(
      `The database of ${dataDir} should be in ${home}, which is not there.`,
      `Restore ${home}, or remove ${join(dataDir, POINTER)} to begin with an empty database.`,
    );
  }
  const original = await unlessMissing(readFile(join(owner, POINTER), "utf8"));
  if (original?.trim() === home) {
    throw new EmbeddedPostgresError(
      `${dataDir} is a copy of ${owner}: both name the database in ${home}.`,
      `Remove ${join(dataDir, POINTER)} to give the copy a database of its own.`,
    );
  }
  await writeFile(backlink, `${dataDir}\n`, { mode: 0o600 });
}
