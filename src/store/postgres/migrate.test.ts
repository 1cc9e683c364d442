import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Kysely, PostgresDialect } from "kysely";
import { Migrator } from "kysely/migration";
import { Client, Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { silentLogger } from "../../core/logger.ts";
import { sampleEntry } from "../ports/sample-entry.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { migrate, MigrationError } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/all.ts";
import { PostgresStore } from "./postgres-store.ts";

const run = promisify(execFile);
const NAMES = Object.keys(MIGRATIONS);

describe("migrate", () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });

  it("runs every migration once, in the order of their names", async () => {
    const connection = await server.newDatabase();
    expect(await migrate(connection, silentLogger)).toEqual(NAMES.toSorted());
    expect(await migrate(connection, silentLogger)).toEqual([]);
  });

  it("given several processes at once, runs each migration in one of them", async () => {
    const connection = await server.newDatabase();
    const ran = await Promise.all(Array.from({ length: 4 }, () => migrateInAnotherProcess(connection)));
    expect(ran.flat()).toEqual(NAMES);
    expect(await migrate(connection, silentLogger)).toEqual([]);
  });

  it("keeps everything in a schema of its own", async () => {
    const connection = await server.newDatabase();
    await migrate(connection, silentLogger);
    const schemas = await query(
      connection,
      "select distinct table_schema from information_schema.tables where table_schema !~ '^pg_|^information_schema$'",
    );
    expect(schemas).toEqual([{ table_schema: "weir" }]);
  });

  it("refuses a database that a newer Weir has migrated, and says what to do", async () => {
    const connection = await server.newDatabase();
    await migrate(connection, silentLogger);
    await query(connection, "insert into weir.kysely_migration values ('9999_future', '2099-01-01T00:00:00.000Z')");
    const error: unknown = await migrate(connection, silentLogger).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(MigrationError);
    expect(error).toMatchObject({ message: expect.stringContaining("9999_future") });
  });

  it("leaves no half migration behind when it is interrupted", async () => {
    const connection = await server.newDatabase();
    const blocker = new Client(connection);
    await blocker.connect();
    // The migration has made its first tables when it comes to the one that the blocker is about to create.
    await blocker.query("create schema weir");
    await blocker.query("begin");
    await blocker.query("create table weir.usage_entries (id int)");
    const migrating = migrate(connection, silentLogger).catch((reason: unknown) => reason);
    await waitForBlockedStatement(connection);
    await query(connection, "select pg_terminate_backend(pid) from pg_stat_activity where wait_event_type = 'Lock'");
    expect(await migrating).toBeInstanceOf(Error);
    await blocker.query("rollback");
    await blocker.end();
    expect(await query(connection, "select to_regclass('weir.organizations') as made")).toEqual([{ made: null }]);
    expect(await migrate(connection, silentLogger)).toEqual(NAMES);
  });
});

describe("a database that the first version has used", () => {
  let server: TestPostgres;
  let connection: PostgresConnection;
  let earlier: Client;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    connection = await server.newDatabase();
    await migrateTo(connection, "0001_initial");
    earlier = new Client(connection);
    await earlier.connect();
    await earlier.query(FIRST_VERSION_INSERT, ["req_old"]);
  });
  afterEach(async () => {
    await earlier.end();
  });

  it("keeps its rows and sums, as Messages that moved no cache", async () => {
    expect(await migrate(connection, silentLogger)).toEqual(NAMES.slice(1));
    await using store = await openStore(connection);
    expect(await store.usage.entries({ organizationId: "org_acme", limit: 10 })).toMatchObject([
      {
        exchangeId: "req_old",
        clientFormat: "anthropic",
        targetModel: null,
        routeReason: null,
        cacheMove: null,
        cacheLossMicroUsd: 0,
        costMicroUsd: 1_000,
      },
    ]);
    expect(await store.usage.report(ALL)).toMatchObject([
      { requests: 1, costMicroUsd: 1_000, cacheMoves: 0, cacheLossMicroUsd: 0 },
    ]);
  });

  it("adds what is shipped afterwards to the sums that were there", async () => {
    await migrate(connection, silentLogger);
    await using store = await openStore(connection);
    const moved = sampleEntry({ exchangeId: "req_new", cacheMove: "moved_gone", cacheLossMicroUsd: 250 });
    await store.usage.ship("journal", [Buffer.from(JSON.stringify(moved))], { segment: 1, offset: 1 });
    expect(await store.usage.report(ALL)).toMatchObject([
      { requests: 2, costMicroUsd: 2_000, cacheMoves: 1, cacheLossMicroUsd: 250 },
    ]);
    const hourly = "select requests, cache_moves, cache_loss_micro_usd from weir.usage_hourly";
    expect(await query(connection, hourly)).toEqual([{ requests: "2", cache_moves: "1", cache_loss_micro_usd: "250" }]);
  });

  it("still takes what a replica of that version ships, on the connection that it has had open", async () => {
    await migrate(connection, silentLogger);
    await earlier.query(FIRST_VERSION_INSERT, ["req_late"]);
    await using store = await openStore(connection);
    expect(await store.usage.report(ALL)).toMatchObject([{ requests: 2, cacheMoves: 0, cacheLossMicroUsd: 0 }]);
    expect(await store.usage.entries({ organizationId: "org_acme", exchangeId: "req_late", limit: 1 })).toMatchObject([
      { clientFormat: "anthropic", cacheLossMicroUsd: 0 },
    ]);
  });
});

const ALL = { organizationId: "org_acme", fromMs: 0, toMs: Infinity, groupBy: [] };

const FIRST_VERSION_KEY = "starts_at, organization_id, key_id, model_served, target, user_id, team_id";
const FIRST_VERSION_SUMS =
  "requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_micro_usd";

/** Stores one entry and its sums as the first version did: named columns, prepared once for each connection. */
const FIRST_VERSION_INSERT = {
  name: "weir_ship",
  text: `
  with inserted as (
    insert into weir.usage_entries (exchange_id, attempt, attempts, organization_id, team_id, user_id, key_id, user_type,
      endpoint, model_asked, model_served, target, stream, status, outcome, input_tokens, output_tokens,
      cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, web_search_requests, usage_source, cost_micro_usd,
      reserved_micro_usd, price_version, admitted_at, settled_at, latency_ms)
    values ($1, 1, 1, 'org_acme', 'team_core', 'usr_ada', 'key_1', 'developer', 'messages', 'claude-haiku-4-5',
      'claude-haiku-4-5', 'anthropic', true, 200, 'complete', 10, 20, 0, 0, 0, 0, 'reported', 1000, 5000, '2026-11-01',
      '2026-11-20T12:30:00Z', '2026-11-20T12:30:02Z', 2000)
    on conflict do nothing
    returning *
  ), hourly as (${firstVersionRollup("usage_hourly", "hour")}
  ), daily as (${firstVersionRollup("usage_daily", "day")}
  ) select count(*) as new_rows from inserted`,
};

function firstVersionRollup(table: string, unit: string): string {
  return `
    insert into weir.${table} as known (${FIRST_VERSION_KEY}, ${FIRST_VERSION_SUMS})
    select date_trunc('${unit}', admitted_at, 'UTC'), organization_id, key_id, model_served, target, user_id, team_id,
      1, input_tokens, output_tokens, cache_read_tokens, 0, cost_micro_usd from inserted
    on conflict (${FIRST_VERSION_KEY}) do update
      set requests = known.requests + 1, cost_micro_usd = known.cost_micro_usd + excluded.cost_micro_usd`;
}

async function migrateTo(connection: PostgresConnection, name: string): Promise<void> {
  const pool = new Pool({ ...connection, max: 1 });
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  const provider = { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) };
  const { error } = await new Migrator({ db, provider, migrationTableSchema: "weir" }).migrateTo(name);
  await db.destroy();
  expect(error).toBeUndefined();
}

async function openStore(connection: PostgresConnection): Promise<PostgresStore & AsyncDisposable> {
  const store = new PostgresStore({ connection, logger: silentLogger });
  await store.start();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() });
}

async function migrateInAnotherProcess(connection: PostgresConnection): Promise<string[]> {
  const script = `
    import { silentLogger } from ${JSON.stringify(here("../../core/logger.ts"))};
    import { migrate } from ${JSON.stringify(here("./migrate.ts"))};
    console.log(JSON.stringify(await migrate(JSON.parse(process.env.CONNECTION), silentLogger)));`;
  const env = { ...process.env, CONNECTION: JSON.stringify(connection) };
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], { env });
  return JSON.parse(stdout);
}

function here(path: string): string {
  return fileURLToPath(new URL(path, import.meta.url));
}

async function query(connection: PostgresConnection, text: string): Promise<unknown[]> {
  const client = new Client(connection);
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

async function waitForBlockedStatement(connection: PostgresConnection): Promise<void> {
  const text = "select pid from pg_stat_activity where wait_event_type = 'Lock'";
  while ((await query(connection, text)).length === 0);
}
