import type { Logger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { mapped } from "./map-error.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import { SCHEMA } from "./schema.ts";
import { createPool } from "./store-pool.ts";

/** What a look at a database finds. */
export interface DatabaseFacts {
  readonly serverVersion: string;
  /** The server's wall clock, milliseconds since the epoch. */
  readonly nowMs: number;
  readonly pendingMigrations: readonly string[];
  readonly unknownMigrations: readonly string[];
}

/** Looks at a database without changing it. Throws `StoreError` `unavailable` when it cannot be reached. */
export async function inspectDatabase(connection: PostgresConnection, logger: Logger): Promise<DatabaseFacts> {
  const pool = createPool(connection, { logger, max: 1 });
  try {
    return await mapped("looking at the database", async () => {
      const server = await pool.query<{ version: string; now: number }>(
        "select current_setting('server_version') as version, extract(epoch from clock_timestamp())::float8 * 1000 as now",
      );
      const table = await pool.query<{ name: string | null }>("select to_regclass($1)::text as name", [
        `${SCHEMA}.kysely_migration`,
      ]);
      const applied =
        table.rows[0]?.name === null
          ? []
          : (await pool.query<{ name: string }>(`select name from ${SCHEMA}.kysely_migration order by name`)).rows;
      const names = new Set(applied.map(({ name }) => name));
      return {
        serverVersion: server.rows[0]?.version ?? "unknown",
        nowMs: server.rows[0]?.now ?? 0,
        pendingMigrations: Object.keys(MIGRATIONS).filter((name) => !names.has(name)),
        unknownMigrations: [...names].filter((name) => !(name in MIGRATIONS)),
      };
    });
  } finally {
    await pool.end();
  }
}
