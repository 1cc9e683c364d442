import { Kysely, PostgresDialect } from "kysely";
import { Client, type ClientConfig, Pool, type PoolConfig, TypeOverrides, types } from "pg";

import type { Logger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { type Database, SCHEMA } from "./schema.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** The server gives up on a statement first; the client only when the server does not even say so. */
const STATEMENT_TIMEOUT_MS = 30_000;
const QUERY_TIMEOUT_MS = 35_000;
const IDLE_TIMEOUT_MS = 30_000;

/** Connections for everything but listening and migrating. */
export function createPool(connection: PostgresConnection, options: { logger: Logger; max: number }): Pool {
  const config: PoolConfig = {
    ...baseConfig(connection),
    max: options.max,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
  };
  const pool = new Pool(config);
  tolerateLoss(pool, options.logger);
  return pool;
}

/** A pool of one connection without statement timeouts, for migrations: building an index may take its time. */
export function createMigrationPool(connection: PostgresConnection, logger: Logger): Pool {
  const pool = new Pool({ ...baseConfig(connection), application_name: "weir-migrate", max: 1 });
  tolerateLoss(pool, logger);
  return pool;
}

/**
 * A lost connection is replaced, and fails the query that was using it; it must not end the process. The pool listens to
 * idle connections alone, so one that breaks between two queries of a transaction needs a listener of its own.
 */
function tolerateLoss(pool: Pool, logger: Logger): void {
  const note = (error: Error): void => logger.debug({ err: error }, "a connection to PostgreSQL was lost");
  pool.on("connect", (client) => client.on("error", note));
  // Idle connections report to the pool as well; the client's own listener has noted it.
  pool.on("error", () => {});
}

/** One connection outside the pool. */
export function createClient(connection: PostgresConnection, config: ClientConfig = {}): Client {
  return new Client({ ...baseConfig(connection), ...config });
}

/** The query builder over a pool, in Weir's schema. Ending it ends the pool. */
export function createDatabase(pool: Pool): Kysely<Database> {
  return new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }).withSchema(SCHEMA);
}

/**
 * PostgreSQL's bigint as a number. Sums of micro-dollars stay far below 2^53 (nine billion dollars); anything above would
 * silently lose precision, so it is an error.
 */
function parseInt8(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new RangeError(`a bigint does not fit into a number exactly: ${text}`);
  return value;
}

function baseConfig(connection: PostgresConnection): ClientConfig {
  const overrides = new TypeOverrides();
  overrides.setTypeParser(types.builtins.INT8, parseInt8);
  return {
    ...connection,
    application_name: "weir",
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    types: overrides,
  };
}
