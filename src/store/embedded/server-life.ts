import { rmdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { PostgresAddress } from "../postgres-connection.ts";
import { ClientRegistry } from "./client-registry.ts";
import { type Cluster, prepareCluster } from "./cluster.ts";
import type { EmbeddedPostgresOptions, EmbeddedPostgresStatus, StartKind } from "./embedded-postgres-options.ts";
import { EmbeddedPostgresError } from "./embedded-postgres-error.ts";
import { errorCode } from "./file-errors.ts";
import { DATABASE_USER, writeConfiguration } from "./init-cluster.ts";
import { withInstanceLock } from "./instance-lock.ts";
import { joinServer } from "./join-server.ts";
import { clearSocketLock, clearStalePid, findServer, readPostmasterFile } from "./postmaster-file.ts";
import { readRunFile, writeRunFile } from "./run-file.ts";
import { type ServerProcess, startServer, stopServer } from "./server-process.ts";
import { settingsMark } from "./server-settings.ts";
import { Watchdog } from "./watchdog.ts";

/** Longer than another process's first start or slowest stop takes. */
const LOCK_TIMEOUT_MS = 60_000;
const RESTART_BASE_MS = 50;
const RESTART_MAX_MS = 5_000;
/** A server that ended sooner than this after it was ready counts as one that does not start. */
const STABLE_AFTER_MS = 1_000;

/** What exists between one start and the stop after it. */
export class ServerLife {
  readonly #options: EmbeddedPostgresOptions;
  readonly #dataDir: string;
  readonly #registry: ClientRegistry;
  readonly #stopping = new AbortController();
  #watchdog: Watchdog | null = null;
  #cluster: Cluster | null = null;
  #server: ServerProcess | null = null;
  #supervision: Promise<void> = Promise.resolve();
  #address: PostgresAddress | null = null;
  #startKind: StartKind | null = null;
  #restarts = 0;
  #lastError: Error | null = null;

  constructor(dataDir: string, options: EmbeddedPostgresOptions) {
    this.#options = options;
    this.#dataDir = dataDir;
    this.#registry = new ClientRegistry(join(dataDir, "run", "postgres.clients"));
  }

  get address(): PostgresAddress {
    if (this.#address === null) throw new Error("the embedded PostgreSQL is not started");
    return this.#address;
  }

  status(): EmbeddedPostgresStatus {
    return {
      state: this.#server === null ? "recovering" : "running",
      pid: this.#server?.pid ?? null,
      startKind: this.#startKind,
      restarts: this.#restarts,
      lastError: this.#lastError,
    };
  }

  async begin(): Promise<void> {
    try {
      await this.#locked(async () => {
        await this.#registry.register();
        const { port = null, relocationDir = "/var/lib/weir", orphanGraceMs = 10_000, logger } = this.#options;
        this.#cluster = await prepareCluster({ dataDir: this.#dataDir, tcpPort: port, relocationDir, logger });
        this.#watchdog = new Watchdog({
          clientsDirectory: this.#registry.directory,
          ownName: this.#registry.ownName,
          dataDirectory: this.#cluster.paths.data,
          graceMs: orphanGraceMs,
        });
        this.#watchdog.start();
        this.#server = await this.#joinOrStart(this.#cluster);
      });
    } catch (error) {
      await this.#registry.unregister();
      await this.#watchdog?.stop();
      throw error;
    }
    this.#supervision = this.#supervise();
  }

  async end(): Promise<void> {
    this.#stopping.abort();
    await this.#supervision;
    await this.#locked(async () => {
      await this.#registry.unregister();
      const server = this.#server;
      this.#server = null;
      server?.release();
      if (server === null || this.#cluster === null || (await this.#registry.countOthers()) > 0) return;
      await stopServer(server.pid, this.#cluster.paths.data);
      await removeForeignSocketDirectory(this.#cluster);
    });
    await this.#watchdog?.stop();
  }

  /** Brings the server back whenever it ends, until this life ends. */
  async #supervise(): Promise<void> {
    const stopped = new Promise<void>((resolve) => {
      this.#stopping.signal.addEventListener("abort", () => resolve(), { once: true });
    });
    while (this.#server !== null) {
      const readyAtMs = this.#options.clock.monotonicMs();
      await Promise.race([this.#server.ended, stopped]);
      if (this.#stopping.signal.aborted) return;
      this.#options.logger.warn({ pid: this.#server.pid }, "PostgreSQL ended unexpectedly; bringing it back");
      this.#server = null;
      const wasStable = this.#options.clock.monotonicMs() - readyAtMs >= STABLE_AFTER_MS;
      this.#server = await this.#bringBack(wasStable ? 0 : 1);
    }
  }

  /** Tries until it succeeds or this life ends (then null), waiting longer each time. */
  async #bringBack(firstAttempt: number): Promise<ServerProcess | null> {
    const cluster = this.#cluster;
    if (cluster === null) return null;
    for (let attempt = firstAttempt; ; attempt++) {
      if (attempt > 0) await this.#pause(Math.min(RESTART_BASE_MS * 2 ** attempt, RESTART_MAX_MS));
      if (this.#stopping.signal.aborted) return null;
      try {
        const server = await this.#locked(() => this.#joinOrStart(cluster));
        this.#restarts += 1;
        this.#lastError = null;
        this.#options.logger.info({ pid: server.pid, restarts: this.#restarts }, "PostgreSQL is back");
        return server;
      } catch (error) {
        this.#lastError = error instanceof Error ? error : new Error(String(error));
        this.#options.logger.error({ err: error, attempt }, "PostgreSQL cannot be brought back yet");
      }
    }
  }

  /** The caller holds the instance lock. */
  async #joinOrStart(cluster: Cluster): Promise<ServerProcess> {
    const { paths, account, binaries, settings, password } = cluster;
    const mark = settingsMark(settings, binaries.version);
    const sighting = await findServer(paths.data);
    if (sighting.kind === "stale") await clearStalePid(paths.data, sighting.file, account);
    let server: ServerProcess | null = null;
    if (sighting.kind === "running") {
      server = await joinServer(sighting.file, {
        password,
        isWanted: (await readRunFile(this.#runFile))?.settingsMark === mark,
        isShared: (await this.#registry.countOthers()) > 0,
        logger: this.#options.logger,
      });
    }
    this.#startKind = server !== null ? "joined" : cluster.isNew ? "first_run" : "started";
    if (server === null) {
      await clearSocketLock(settings);
      await writeConfiguration(paths, settings, account);
      server = await startServer(paths, binaries, account);
    }
    try {
      await this.#publish(cluster, server.pid, mark);
      return server;
    } catch (error) {
      server.release();
      if (this.#startKind !== "joined") await stopServer(server.pid, paths.data);
      throw error;
    }
  }

  async #publish(cluster: Cluster, pid: number, mark: string): Promise<void> {
    const file = await readPostmasterFile(cluster.paths.data);
    if (file === null) throw new EmbeddedPostgresError("PostgreSQL ended right after its start.", "See its log.");
    const login = { host: file.socketDirectory, port: file.port, user: DATABASE_USER, database: "postgres" };
    this.#address ??= { ...login, password: cluster.password };
    if (this.#startKind === "joined") return;
    await writeRunFile(this.#runFile, {
      ...login,
      pid,
      dataDirectory: cluster.paths.data,
      version: cluster.binaries.version,
      settingsMark: mark,
      startedAtMs: this.#options.clock.nowMs(),
    });
  }

  get #runFile(): string {
    return join(this.#dataDir, "run", "postgres.json");
  }

  #locked<T>(action: () => Promise<T>): Promise<T> {
    return withInstanceLock(join(this.#dataDir, "run", "postgres.lock"), LOCK_TIMEOUT_MS, action);
  }

  async #pause(ms: number): Promise<void> {
    // Aborted: the loop sees that the life ends.
    await sleep(ms, undefined, { signal: this.#stopping.signal }).catch(() => {});
  }
}

/** A socket directory among the temporary files goes with the server; one in the home stays. */
async function removeForeignSocketDirectory(cluster: Cluster): Promise<void> {
  const { socketDirectory } = cluster.settings;
  if (socketDirectory.startsWith(cluster.paths.home)) return;
  await rmdir(socketDirectory).catch((error: unknown) => {
    if (!["ENOENT", "ENOTEMPTY"].includes(errorCode(error) ?? "")) throw error;
  });
}
