import { access, constants, mkdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

import type { Logger } from "../../core/logger.ts";
import { findPostgresPackage, type PostgresBinaries, prepareBinaries } from "./binaries.ts";
import { createHome, findHome } from "./cluster-home.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { unlessMissing } from "./file-errors.ts";
import {
  checkClusterVersion,
  type ClusterPaths,
  initCluster,
  readOrCreatePassword,
  resetPassword,
} from "./init-cluster.ts";
import { chooseServerAccount } from "./server-account.ts";
import { type ServerSettings, SOCKET_PORT } from "./server-settings.ts";
import { chooseSocketDirectory } from "./socket-directory.ts";
import type { Account } from "./system-process.ts";

/** A database that is ready to be served. */
export interface Cluster {
  readonly paths: ClusterPaths;
  readonly account: Account | null;
  readonly binaries: PostgresBinaries;
  readonly settings: ServerSettings;
  readonly password: string;
  /** True when this call made the database. */
  readonly isNew: boolean;
}

export interface ClusterOptions {
  readonly dataDir: string;
  /** Also listens on 127.0.0.1 at this port; null for the Unix socket alone. */
  readonly tcpPort: number | null;
  readonly relocationDir: string;
  readonly logger: Logger;
}

/** Makes Weir's data directory and returns its canonical path. Root's may be passed through, not read, by the server. */
export async function createDataDir(dataDir: string): Promise<string> {
  await mkdir(dataDir, { recursive: true, mode: process.getuid?.() === 0 ? 0o711 : 0o700 });
  const runDirectory = join(dataDir, "run");
  await mkdir(runDirectory, { recursive: true, mode: 0o700 }).catch(ownedByAnother(dataDir));
  await access(runDirectory, constants.R_OK | constants.W_OK | constants.X_OK).catch(ownedByAnother(dataDir));
  return await realpath(dataDir);
}

/** Finds the database of a data directory, or makes it at the first run. The caller holds the instance lock. */
export async function prepareCluster(options: ClusterOptions): Promise<Cluster> {
  const { dataDir, logger, relocationDir } = options;
  const found = await findHome(dataDir);
  const dataDirOwner = await stat(dataDir);
  const account = chooseServerAccount({
    ownUid: process.getuid?.() ?? 0,
    clusterOwner: found?.owner ?? null,
    dataDirOwner: { uid: dataDirOwner.uid, gid: dataDirOwner.gid },
    passwd: (await unlessMissing(readFile("/etc/passwd", "utf8"))) ?? "",
  });
  const exists = found !== null && (await unlessMissing(stat(join(found.path, "data", "PG_VERSION")))) !== null;
  const home = exists ? found.path : await createHome(account, { dataDir, relocationDir, logger });
  const copyDirectory = account === null ? home : relocationDir;
  const binaries = await prepareBinaries(await findPostgresPackage(), { account, copyDirectory, logger });
  const paths = { home, data: join(home, "data"), logFile: join(dataDir, "postgres.log") };
  const { password, created } = await readOrCreatePassword(join(dataDir, "postgres.password"));
  if (!exists) {
    await initCluster(paths, { binaries, account, password });
  } else {
    await checkClusterVersion(paths, binaries);
    if (created) await resetPassword(paths, { binaries, account, password });
  }
  const port = options.tcpPort ?? SOCKET_PORT;
  const settings = { socketDirectory: chooseSocketDirectory(home, port), tcpPort: options.tcpPort };
  return { paths, account, binaries, settings, password, isNew: !exists };
}

function ownedByAnother(dataDir: string): (cause: unknown) => never {
  return (cause) => {
    throw new EmbeddedPostgresError(
      `The data directory ${dataDir} is not ours to write: ${cause instanceof Error ? cause.message : String(cause)}`,
      "Run Weir as the user who made it, or choose another data directory.",
      cause,
    );
  };
}
