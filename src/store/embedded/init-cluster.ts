import { randomBytes } from "node:crypto";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { writeFileAs } from "./account-files.ts";
import type { PostgresBinaries } from "./binaries.ts";
import { EmbeddedPostgresError, USE_EXTERNAL } from "./embedded-postgres-error.ts";
import { unlessMissing } from "./file-errors.ts";
import { LOCAL_CONF, pgHbaConf, postgresqlConf, type ServerSettings } from "./server-settings.ts";
import { createSocketDirectory } from "./socket-directory.ts";
import { type Account, runCommand } from "./system-process.ts";

/** Name of the database's superuser, which Weir logs in as. */
export const DATABASE_USER = "weir";

/** Where things lie. */
export interface ClusterPaths {
  /** Belongs to the server's account, like everything in it. */
  readonly home: string;
  /** The database cluster, PGDATA, inside the home. */
  readonly data: string;
  /** In Weir's data directory, where only Weir's own user writes. */
  readonly logFile: string;
}

/** The database's password: read from `path`, or generated (256 bits) and kept there for this user alone. */
export async function readOrCreatePassword(path: string): Promise<{ password: string; created: boolean }> {
  const known = (await unlessMissing(readFile(path, "utf8")))?.trim();
  if (known !== undefined && known !== "") return { password: known, created: false };
  const password = randomBytes(32).toString("base64url");
  await writeFile(path, `${password}\n`, { mode: 0o600 });
  return { password, created: true };
}

export interface InitOptions {
  readonly binaries: PostgresBinaries;
  readonly account: Account | null;
  readonly password: string;
}

/**
 * Makes an empty database cluster at `paths.data`: UTF-8, collated by code point the same way on every machine (the
 * builtin C.UTF-8 provider), with page checksums. It gets its name only when it is whole, so a process killed in between
 * leaves nothing that a later start could take for a database.
 */
export async function initCluster(paths: ClusterPaths, options: InitOptions): Promise<void> {
  const { binaries, account, password } = options;
  const draft = join(paths.home, "data.new");
  const passwordFile = join(paths.home, "initial-password");
  await rm(draft, { recursive: true, force: true });
  await writeFileAs(passwordFile, `${password}\n`, account);
  try {
    const args = [
      `--pgdata=${draft}`,
      `--username=${DATABASE_USER}`,
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      // The password is 256 random bits: iterations guard guessable ones and would only slow every connection down.
      "--set=scram_iterations=1",
      "--encoding=UTF8",
      "--locale=C",
      "--locale-provider=builtin",
      "--builtin-locale=C.UTF-8",
    ];
    const result = await runCommand(binaries.initdb, args, { account, cwd: paths.home });
    if (result.exitCode !== 0) throw initFailed(paths.data, result.output);
    await writeFileAs(join(draft, LOCAL_CONF), "# Settings that take precedence over Weir's.\n", account);
    await rename(draft, paths.data);
  } finally {
    await rm(passwordFile, { force: true });
    await rm(draft, { recursive: true, force: true });
  }
}

/** Gives the superuser a new password while the server is down, for when the file with the old one was lost. */
export async function resetPassword(paths: ClusterPaths, options: InitOptions): Promise<void> {
  const { binaries, account, password } = options;
  const args = ["--single", "-D", paths.data, "-c", "scram_iterations=1", "postgres"];
  // Base64url has no quote to escape.
  const input = `alter role ${DATABASE_USER} password '${password}';\n`;
  const result = await runCommand(binaries.postgres, args, { account, cwd: paths.home, input });
  if (result.exitCode !== 0) throw initFailed(paths.data, result.output);
}

/** Writes the configuration of this version of Weir into the cluster. */
export async function writeConfiguration(
  paths: ClusterPaths,
  settings: ServerSettings,
  account: Account | null,
): Promise<void> {
  await createSocketDirectory(settings.socketDirectory, account);
  await writeFileAs(join(paths.data, "postgresql.conf"), postgresqlConf(settings), account);
  await writeFileAs(join(paths.data, "pg_hba.conf"), pgHbaConf(settings), account);
}

/** The release that made the cluster has to be the one that runs it: file formats differ between major versions. */
export async function checkClusterVersion(paths: ClusterPaths, binaries: PostgresBinaries): Promise<void> {
  const made = (await readFile(join(paths.data, "PG_VERSION"), "utf8")).trim();
  const major = binaries.version.split(".")[0];
  if (made === major) return;
  throw new EmbeddedPostgresError(
    `The database in ${paths.data} was made by PostgreSQL ${made}; this Weir brings PostgreSQL ${major ?? "?"}.`,
    `Run the Weir version that made it and move its data with pg_dump. ${USE_EXTERNAL}`,
  );
}

function initFailed(dataDirectory: string, output: string): EmbeddedPostgresError {
  const lines = output.trim().split("\n");
  return new EmbeddedPostgresError(
    `PostgreSQL could not prepare its database in ${dataDirectory}: ${lines.slice(-5).join(" | ")}`,
    `Check free space and permissions there. ${USE_EXTERNAL}`,
  );
}
