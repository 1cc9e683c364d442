import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import type { Pool } from "pg";

import type { Logger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import { SCHEMA } from "./schema.ts";
import { createMigrationPool } from "./store-pool.ts";

/** The oldest release that has `unique nulls not distinct`, which the rollups rest on. */
const OLDEST_VERSION = 15;

/** The database cannot be used by this version of Weir; `message` says why, `remedy` what to do. */
export class MigrationError extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "MigrationError";
    this.remedy = remedy;
  }
}

/**
 * Brings the database to this version's schema, forward only. Any number of processes may do so at once: kysely's Migrator
 * holds an advisory lock, and each migration commits whole or not at all. Returns the names of those that it ran.
 */
export async function migrate(connection: PostgresConnection, logger: Logger): Promise<readonly string[]> {
  const pool = createMigrationPool(connection, logger);
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    await checkVersion(pool);
    const migrator = new Migrator({
      db,
      provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
      migrationTableSchema: SCHEMA,
    });
    const { error, results = [] } = await migrator.migrateToLatest();
    if (error !== undefined) throw explain(error);
    const names = results.map((result) => result.migrationName);
    if (names.length > 0) logger.info({ migrations: names }, "migrated the database");
    return names;
  } finally {
    // Not through kysely, which leaves a pool open that it has not used itself.
    await pool.end();
  }
}

async function checkVersion(pool: Pool): Promise<void> {
  const result = await pool.query<{ version: string }>("select current_setting('server_version_num') as version");
  const major = Math.floor(Number(result.rows[0]?.version) / 10_000);
  if (major >= OLDEST_VERSION) return;
  throw new MigrationError(
    `The database runs PostgreSQL ${major}; Weir needs ${OLDEST_VERSION} or newer.`,
    "Upgrade the server, or leave store.postgres_url out to use the PostgreSQL that Weir brings.",
  );
}

function explain(error: unknown): unknown {
  const text = error instanceof Error ? error.message : String(error);
  if (!text.startsWith("corrupted migrations")) return error;
  return new MigrationError(
    `The database was migrated by another version of Weir: ${text}`,
    "Run the newest Weir that has used this database, or a newer one.",
    error,
  );
}
