import { chmod, cp, lstat, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { silentLogger } from "../../core/logger.ts";
import { findPostgresPackage, prepareBinaries } from "./binaries.ts";
import { runCommand } from "./system-process.ts";

const IS_ROOT = process.getuid?.() === 0;
const NOBODY = { uid: 65_534, gid: 65_534 };

describe("prepareBinaries", () => {
  let directory: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "weir-test-"));
  });
  afterEach(async () => {
    await runCommand("chmod", ["-R", "u+w", directory], { account: null, cwd: "/" });
    await rm(directory, { recursive: true });
  });

  it("uses the package where npm put it when that can be run", async () => {
    const found = await findPostgresPackage();
    const binaries = await prepareBinaries(found, { account: null, copyDirectory: directory, logger: silentLogger });
    expect(binaries.postgres).toBe(join(found.directory, "bin", "postgres"));
    expect(await readdir(directory)).toEqual([]);
  });

  it("makes the library links that an install script would have made", async () => {
    const found = await findPostgresPackage();
    const fresh = { ...found, directory: join(directory, "native") };
    await cp(found.directory, fresh.directory, { recursive: true, filter: isNotLink });
    const binaries = await prepareBinaries(fresh, { account: null, copyDirectory: directory, logger: silentLogger });
    const run = await runCommand(binaries.initdb, ["--version"], { account: null, cwd: "/" });
    expect(run.output).toContain("initdb (PostgreSQL)");
    expect(binaries.postgres.startsWith(fresh.directory)).toBe(true);
  });

  it("says why when no copy can be run either", async () => {
    const found = await findPostgresPackage();
    const broken = { ...found, directory: join(directory, "native") };
    await cp(found.directory, broken.directory, { recursive: true, verbatimSymlinks: true });
    await chmod(join(broken.directory, "bin", "postgres"), 0o644);
    const options = { account: null, copyDirectory: join(directory, "copies"), logger: silentLogger };
    await expect(prepareBinaries(broken, options)).rejects.toThrow("does not run");
  });

  it.runIf(IS_ROOT)("copies the package once to where the server's account can run it", async () => {
    const found = await findPostgresPackage();
    const locked = { ...found, directory: join(directory, "locked", "native") };
    await mkdir(join(directory, "locked"), { mode: 0o700 });
    await cp(found.directory, locked.directory, { recursive: true, verbatimSymlinks: true });
    await chmod(directory, 0o755);
    const info = vi.fn();
    const options = { account: NOBODY, copyDirectory: join(directory, "copies"), logger: { ...silentLogger, info } };
    const first = await prepareBinaries(locked, options);
    expect(await prepareBinaries(locked, options)).toEqual(first);
    expect(first.postgres.startsWith(options.copyDirectory)).toBe(true);
    expect(info).toHaveBeenCalledTimes(1);
  });

  it.skipIf(IS_ROOT)("copies the package when its links are missing and cannot be made", async () => {
    const found = await findPostgresPackage();
    const readOnly = { ...found, directory: join(directory, "native") };
    await cp(found.directory, readOnly.directory, { recursive: true, filter: isNotLink });
    await chmod(join(readOnly.directory, "lib"), 0o555);
    const options = { account: null, copyDirectory: join(directory, "copies"), logger: silentLogger };
    const binaries = await prepareBinaries(readOnly, options);
    expect(binaries.postgres.startsWith(options.copyDirectory)).toBe(true);
  });
});

/** The package as npm unpacks it: without the links. */
async function isNotLink(path: string): Promise<boolean> {
  return !(await lstat(path)).isSymbolicLink();
}
