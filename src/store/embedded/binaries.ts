import { cp, mkdir, readFile, rename, rm, stat, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, dirname, join, resolve } from "node:path";

import { z } from "zod";

import type { Logger } from "../../core/logger.ts";
import { EmbeddedPostgresError, USE_EXTERNAL } from "./embedded-postgres-error.ts";
import { errorCode } from "./file-errors.ts";
import { type Account, runCommand } from "./system-process.ts";

/** The files of one PostgreSQL release as npm delivers them: `bin`, `lib` and `share` below `directory`. */
export interface PostgresPackage {
  readonly directory: string;
  readonly version: string;
}

/** Binaries that the server's account has been seen to run. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
  readonly version: string;
}

const LINKS = z.array(z.object({ source: z.string(), target: z.string() }));
const MANIFEST = z.object({ version: z.string() });

/** Finds the platform's package, also where it is installed below `embedded-postgres` instead of beside it. */
export async function findPostgresPackage(): Promise<PostgresPackage> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  const require = createRequire(import.meta.url);
  for (const from of [import.meta.url, tryResolve(require, "embedded-postgres")]) {
    const entry = from === null ? null : tryResolve(createRequire(from), name);
    if (entry === null) continue;
    const root = resolve(dirname(entry), "..");
    const manifest = MANIFEST.parse(JSON.parse(await readFile(join(root, "package.json"), "utf8")));
    return { directory: join(root, "native"), version: manifest.version };
  }
  throw new EmbeddedPostgresError(
    `The embedded PostgreSQL for this platform (npm package ${name}) is not installed.`,
    `Run npm ci without --omit=optional. ${USE_EXTERNAL}`,
  );
}

/**
 * Makes the package runnable for `account` and returns its programs. It is used where npm put it when the account can
 * reach it and its library links can be made there; otherwise it is copied once into `copyDirectory`.
 */
export async function prepareBinaries(
  source: PostgresPackage,
  options: { account: Account | null; copyDirectory: string; logger: Logger },
): Promise<PostgresBinaries> {
  const linked = await linkLibraries(source.directory);
  const inPlace = linked && (await runs(source.directory, options.account)) === null;
  if (inPlace) return programs(source.directory, source.version);
  const copy = join(options.copyDirectory, `postgresql-${source.version}`);
  if ((await runs(copy, options.account)) !== null) {
    await copyPackage(source.directory, copy);
    options.logger.info({ from: source.directory, to: copy }, "copied PostgreSQL to where its user can run it");
    const failure = await runs(copy, options.account);
    if (failure !== null) throw cannotRun(copy, failure);
  }
  return programs(copy, source.version);
}

/**
 * Makes the links between library names that npm packages cannot carry and an install script would have made. False when
 * the directory is not writable and a link is missing.
 */
async function linkLibraries(directory: string): Promise<boolean> {
  const links = LINKS.parse(JSON.parse(await readFile(join(directory, "pg-symlinks.json"), "utf8")));
  for (const { source, target } of links) {
    const path = join(directory, target.replace(/^native\//, ""));
    try {
      await symlink(basename(source), path);
    } catch (error) {
      if (errorCode(error) === "EEXIST") continue;
      if (await stat(path).catch(() => null)) continue;
      return false;
    }
  }
  return true;
}

/** Copies what running needs (not the static libraries and build files), so that a half copy is never taken for a whole. */
async function copyPackage(from: string, to: string): Promise<void> {
  const draft = `${to}.new-${process.pid}`;
  await mkdir(dirname(to), { recursive: true });
  try {
    await cp(from, draft, {
      recursive: true,
      verbatimSymlinks: true,
      filter: (path) => !path.endsWith(".a") && !["pgxs", "pkgconfig"].includes(basename(path)),
    });
    await makeWritable(draft);
    if (!(await linkLibraries(draft))) throw cannotRun(draft, "its library links cannot be made");
    // An existing copy is one that does not run; another process may be putting the same whole copy here.
    await rm(to, { recursive: true, force: true });
    await rename(draft, to);
  } catch (error) {
    if (errorCode(error) !== "ENOTEMPTY" && errorCode(error) !== "EEXIST") throw error;
  } finally {
    await makeWritable(draft);
    await rm(draft, { recursive: true, force: true });
  }
}

/** A copy of a read-only package has read-only directories, in which nothing can be made or removed. */
async function makeWritable(directory: string): Promise<void> {
  // Where it fails there is nothing to change (no directory), or the next step says what is wrong.
  await runCommand("chmod", ["-R", "u+w", directory], { account: null, cwd: "/" });
}

/** Null when `account` can run the server's program from `directory`, else what stopped it. */
async function runs(directory: string, account: Account | null): Promise<string | null> {
  const { postgres } = programs(directory, "");
  const result = await runCommand(postgres, ["--version"], { account, cwd: "/" });
  return result.exitCode === 0 ? null : result.output.trim();
}

function programs(directory: string, version: string): PostgresBinaries {
  return { initdb: join(directory, "bin", "initdb"), postgres: join(directory, "bin", "postgres"), version };
}

function cannotRun(directory: string, why: string): EmbeddedPostgresError {
  const musl = process.platform === "linux" && !hasGlibc();
  return new EmbeddedPostgresError(
    `The embedded PostgreSQL in ${directory} does not run: ${why}.`,
    musl ? `It needs glibc, which this system (musl) does not have. ${USE_EXTERNAL}` : USE_EXTERNAL,
  );
}

function hasGlibc(): boolean {
  const report: unknown = process.report.getReport();
  return JSON.stringify(report).includes('"glibcVersionRuntime"');
}

function tryResolve(require: NodeJS.Require, name: string): string | null {
  try {
    return require.resolve(name);
  } catch {
    // Not installed here; the caller looks elsewhere and then says so.
    return null;
  }
}
