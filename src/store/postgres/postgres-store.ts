import { setTimeout as sleep } from "node:timers/promises";

import type { Pool } from "pg";

import type { Component } from "../../core/component.ts";
import type { Logger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { mapped } from "./map-error.ts";
import { migrate } from "./migrate.ts";
import { PostgresAuditStore } from "./postgres-audit-store.ts";
import { PostgresDirectoryStore } from "./postgres-directory-store.ts";
import { PostgresOwnedObjectStore } from "./postgres-owned-object-store.ts";
import { PostgresReportStore } from "./postgres-report-store.ts";
import { PostgresSessionPauseStore } from "./postgres-session-pause-store.ts";
import { PostgresSignInStore } from "./postgres-sign-in-store.ts";
import { PostgresSpendLimitStore } from "./postgres-spend-limit-store.ts";
import { PostgresUsageStore } from "./postgres-usage-store.ts";
import { RevisionListener } from "./revision-listener.ts";
import { createDatabase, createPool } from "./store-pool.ts";
import { makeUsagePartitions } from "./usage-partitions.ts";

const DEFAULT_MAX_CONNECTIONS = 8;
const STOP_PATIENCE_MS = 5_000;

export interface PostgresStoreOptions {
  readonly connection: PostgresConnection;
  readonly logger: Logger;
  /** Besides the one that listens for changes. */
  readonly maxConnections?: number;
}

/** All stores of one PostgreSQL database. Starting it brings the schema up to date; no connection is held before. */
export class PostgresStore implements Component {
  readonly name = "postgres-store";
  readonly directory: PostgresDirectoryStore;
  readonly usage: PostgresUsageStore;
  readonly spendLimits: PostgresSpendLimitStore;
  readonly ownedObjects: PostgresOwnedObjectStore;
  readonly reports: PostgresReportStore;
  readonly sessionPauses: PostgresSessionPauseStore;
  readonly signIn: PostgresSignInStore;
  readonly audit: PostgresAuditStore;
  readonly #options: PostgresStoreOptions;
  readonly #pool: Pool;
  readonly #listener: RevisionListener;
  #stopped: Promise<void> | null = null;

  constructor(options: PostgresStoreOptions) {
    const { connection, logger, maxConnections = DEFAULT_MAX_CONNECTIONS } = options;
    this.#options = options;
    this.#pool = createPool(connection, { logger, max: maxConnections });
    const db = createDatabase(this.#pool);
    this.#listener = new RevisionListener(connection, logger);
    this.directory = new PostgresDirectoryStore(db, this.#listener);
    this.spendLimits = new PostgresSpendLimitStore(db);
    this.usage = new PostgresUsageStore(this.#pool, db, logger);
    this.ownedObjects = new PostgresOwnedObjectStore(db);
    this.reports = new PostgresReportStore(db);
    this.sessionPauses = new PostgresSessionPauseStore(db);
    this.signIn = new PostgresSignInStore(db, this.#listener);
    this.audit = new PostgresAuditStore(this.#pool);
  }

  /** Migrates the database. Throws `StoreError` `unavailable` when it cannot be reached, `MigrationError` when it does not fit. */
  async start(): Promise<void> {
    const { connection, logger } = this.#options;
    await mapped("migrating the database", () => migrate(connection, logger));
    await mapped("making the coming months' partitions", () => makeUsagePartitions(this.#pool));
  }

  /**
   * Ends the subscriptions and closes every connection once its query has ended, not waiting for a frozen server for more
   * than a few seconds. A stopped store stays stopped.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#end();
    return this.#stopped;
  }

  /** Resolves when the database answers; throws `StoreError` `unavailable` when it does not. For readiness. */
  async ping(): Promise<void> {
    await mapped("asking PostgreSQL", () => this.#pool.query("select 1"));
  }

  async #end(): Promise<void> {
    await this.#listener.stop();
    const ended = new AbortController();
    const patience = sleep(STOP_PATIENCE_MS, undefined, { signal: ended.signal, ref: false }).catch(() => {});
    // Not through kysely, which leaves a pool open that it has not used itself.
    await Promise.race([this.#pool.end(), patience]);
    ended.abort();
  }
}
