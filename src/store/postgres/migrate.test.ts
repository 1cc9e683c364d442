import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { silentLogger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { migrate, MigrationError } from "./migrate.ts";
import { MIGRATIONS } from "./migrations/all.ts";

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
