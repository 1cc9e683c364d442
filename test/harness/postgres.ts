import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { appendFile, chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { Client } from "pg";

import { systemClock } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { findPostgresPackage } from "../../src/store/embedded/binaries.ts";
import { createDataDir, prepareCluster } from "../../src/store/embedded/cluster.ts";
import { EmbeddedPostgres } from "../../src/store/embedded/embedded-postgres.ts";
import { withInstanceLock } from "../../src/store/embedded/instance-lock.ts";
import { LOCAL_CONF } from "../../src/store/embedded/server-settings.ts";
import type { PostgresAddress } from "../../src/store/postgres-connection.ts";

const run = promisify(execFile);
const TEMPLATE_TIMEOUT_MS = 60_000;

/** A commit reaches the kernel, and so survives the server being killed, but is not forced to the disk. */
const TEST_SETTINGS = "fsync = off\nfull_page_writes = off\n";

/** A real PostgreSQL for one test file. */
export interface TestPostgres {
  /** The server's first database, empty. */
  readonly connection: PostgresAddress;
  /** The pid of the server, which changes when it is brought back. */
  readonly pid: number;
  /** Makes another empty database on the same server (some 20 ms). */
  newDatabase(): Promise<PostgresAddress>;
  /** Stops the server and removes its files. */
  stop(): Promise<void>;
}

/**
 * Starts a PostgreSQL of its own in a directory of its own, on a Unix socket. The cluster is a copy of one that is made once
 * for each machine and release, so this takes a fraction of a second. It survives being killed, not a power cut: fsync is
 * off. Call `stop` in `afterAll`; should the test process be killed, the server's watchdog stops it.
 */
export async function startTestPostgres(): Promise<TestPostgres> {
  const dataDir = await newClusterDirectory();
  const server = new EmbeddedPostgres({ dataDir, clock: systemClock, logger: silentLogger, orphanGraceMs: 0 });
  const discard = async (): Promise<void> => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await server.start();
  } catch (error) {
    await discard();
    throw error;
  }
  let databases = 0;
  return {
    connection: server.connection,
    get pid() {
      return server.status().pid ?? 0;
    },
    newDatabase: async () => {
      const database = `test_${++databases}`;
      await createDatabase(server.connection, database);
      return { ...server.connection, database };
    },
    stop: discard,
  };
}

/** A new data directory for `EmbeddedPostgres` with a cluster that needs no first run. The caller removes it. */
export async function newClusterDirectory(): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), "weir-test-pg-"));
  // The server's unprivileged user must be able to pass when the tests run as root.
  await chmod(dataDir, 0o711);
  await run("cp", ["-a", `${await templateDirectory()}/.`, dataDir]);
  return dataDir;
}

/** The directory with an initialised cluster that is copied for every test, made by whoever comes first. */
async function templateDirectory(): Promise<string> {
  const { version } = await findPostgresPackage();
  const mark = createHash("sha256").update(version).update(TEST_SETTINGS).digest("hex").slice(0, 12);
  const directory = join(tmpdir(), `weir-test-pg-template-${mark}-${process.getuid?.() ?? 0}`);
  await createDataDir(directory);
  await withInstanceLock(join(directory, "run", "template.lock"), TEMPLATE_TIMEOUT_MS, async () => {
    const relocationDir = join(directory, "relocated");
    const cluster = await prepareCluster({ dataDir: directory, tcpPort: null, relocationDir, logger: silentLogger });
    if (cluster.isNew) await appendFile(join(cluster.paths.data, LOCAL_CONF), TEST_SETTINGS);
  });
  return directory;
}

async function createDatabase(connection: PostgresAddress, name: string): Promise<void> {
  const client = new Client(connection);
  await client.connect();
  try {
    await client.query(`create database ${name} strategy file_copy`);
  } finally {
    await client.end();
  }
}
