import { Client, Pool } from "pg";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { IdGenerator } from "../../core/id.ts";
import { ManualClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import type { Entry } from "../../message/entry.ts";
import { reportsContract } from "../ports/reports.contract.ts";
import { sampleEntry } from "../ports/sample-entry.ts";
import { sessionPausesContract } from "../ports/session-pauses.contract.ts";
import { migrate } from "./migrate.ts";
import { PostgresStore } from "./postgres-store.ts";
import { dropUsageBefore, makeUsagePartitions } from "./usage-partitions.ts";

const SUMS = "usage_sessions, usage_tags, usage_metered, usage_quarters";
const TABLES = `usage_entries, usage_hourly, usage_daily, ${SUMS}, ship_cursors`;
const DAY_MS = 86_400_000;

let server: TestPostgres;
let store: PostgresStore;
let admin: Client;

beforeAll(async () => {
  server = await startTestPostgres();
  store = new PostgresStore({ connection: server.connection, logger: silentLogger });
  await store.start();
  admin = new Client({ ...server.connection, options: "-c search_path=weir" });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await store.stop();
  await server.stop();
});

/** Connections that end with the test. */
function poolOf({ connection }: TestPostgres): Pool & AsyncDisposable {
  const pool = new Pool({ ...connection, max: 1 });
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.end() });
}

const ship = (...entries: readonly Entry[]): Promise<number> =>
  store.usage.ship(
    "journal",
    entries.map((entry) => Buffer.from(JSON.stringify(entry))),
    { segment: 1, offset: 1 },
  );
const select = async (text: string): Promise<Record<string, unknown>[]> =>
  (await admin.query<Record<string, unknown>>(text)).rows;

reportsContract(async () => {
  await admin.query(`truncate ${TABLES}`);
  return { store, close: async () => {} };
});

sessionPausesContract(async () => {
  await admin.query("truncate session_pauses");
  return { store: store.sessionPauses, close: async () => {} };
});

describe("the ledger's months", () => {
  beforeEach(async () => {
    await admin.query(`truncate ${TABLES}`);
  });

  it("holds rows of the coming months in partitions of their own, by the time in their ids", async () => {
    const now = new Date();
    const nextMonthMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 3);
    const exchangeId = new IdGenerator(new ManualClock(nextMonthMs)).next("req");
    await ship(sampleEntry({ exchangeId, admittedAtMs: nextMonthMs }), sampleEntry({ exchangeId: "bat_batch" }));
    const month = new Date(nextMonthMs).toISOString().slice(0, 7).replace("-", "_");
    expect(await select("select tableoid::regclass::text as part, exchange_id from usage_entries order by 2")).toEqual([
      { part: "usage_entries_first", exchange_id: "bat_batch" },
      { part: `usage_entries_${month}`, exchange_id: exchangeId },
    ]);
  });

  it("agrees with Weir about the beginning of an id", async () => {
    const atMs = Date.UTC(2026, 11, 1);
    const id = new IdGenerator(new ManualClock(atMs)).next("req");
    const [row] = await select("select weir.exchange_id_at('2026-12-01T00:00:00Z') as id");
    expect(id.slice(0, 14)).toBe(row?.["id"]);
  });

  it("refuses a second row of an exchange, in whatever month it claims to be", async () => {
    const entry = sampleEntry({ exchangeId: "req_01kaf8g00000", admittedAtMs: Date.UTC(2026, 10, 30, 23) });
    expect(await ship(entry)).toBe(1);
    expect(await ship({ ...entry, admittedAtMs: Date.UTC(2027, 2, 1), settledAtMs: Date.UTC(2027, 2, 1) })).toBe(0);
  });

  it("takes rows of a month that has no partition yet, and moves them when it is made", async () => {
    await using pool = poolOf(server);
    const now = new Date();
    const farMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 14, 3);
    const exchangeId = new IdGenerator(new ManualClock(farMs)).next("req");
    await ship(sampleEntry({ exchangeId, admittedAtMs: farMs, costMicroUsd: 7 }));
    const where = "select tableoid::regclass::text as part from usage_entries";
    expect(await select(where)).toEqual([{ part: "usage_entries_other" }]);
    expect(await makeUsagePartitions(pool, 14)).toBe(2);
    expect(await makeUsagePartitions(pool, 14)).toBe(0);
    expect((await select(where))[0]?.["part"]).toMatch(/^usage_entries_\d{4}_\d{2}$/);
    const window = { organizationId: "org_acme", fromMs: 0, toMs: Infinity };
    expect(await store.reports.cost({ ...window, by: ["session"], limit: 5 })).toMatchObject({
      total: { requests: 1, costMicroUsd: 7 },
    });
  });

  it("retires old rows: whole months at once, mixed ones row by row, and keeps the sums", async () => {
    await using pool = poolOf(server);
    const now = new Date();
    const monthMs = (ahead: number): number => Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 3);
    const entry = (at: number, ahead: number): Entry => {
      const admittedAtMs = monthMs(ahead);
      return sampleEntry({
        exchangeId: new IdGenerator(new ManualClock(admittedAtMs)).next("req"),
        admittedAtMs,
        costMicroUsd: at,
      });
    };
    await ship(entry(1, 0), entry(2, 1), entry(4, 2));
    const retired = await dropUsageBefore(pool, monthMs(2) - DAY_MS);
    expect(retired).toMatchObject({ partitions: [expect.stringMatching(/usage_entries_\d{4}_\d{2}$/)], rows: 1 });
    expect(await select("select cost_micro_usd::int as cost from usage_entries")).toEqual([{ cost: 4 }]);
    expect(await select("select sum(cost_micro_usd)::int as cost from usage_daily")).toEqual([{ cost: 7 }]);
    await makeUsagePartitions(pool);
  });
});

describe("a ledger from before reports", () => {
  it("has its rows in the sums after the migration, and what an earlier Weir ships afterwards", async () => {
    const connection = await server.newDatabase();
    const earlier = new PostgresStore({ connection, logger: silentLogger });
    await earlier.start();
    const client = new Client({ ...connection, options: "-c search_path=weir" });
    await client.connect();
    // Back to a plain table with rows and no sums, as migration 0002 leaves it.
    await client.query(`
      drop trigger report_sums on usage_entries; drop function add_to_report_sums;
      drop table ${SUMS}, session_pauses;
      drop aggregate total(bigint); drop function make_usage_partitions; drop function first_usage_bound; drop function exchange_id_at;
      create table plain (like usage_entries including defaults); alter table plain drop column tag;
      drop table usage_entries; alter table plain rename to usage_entries;
      alter table usage_entries add constraint usage_entries_pkey primary key (exchange_id, attempt);
      create index usage_entries_by_organization on usage_entries (organization_id, admitted_at);
      create index usage_entries_by_session on usage_entries (organization_id, session_id, admitted_at) where session_id is not null;
      create index usage_entries_by_time on usage_entries using brin (admitted_at);
      delete from kysely_migration where name = '0006_reports'`);
    const columns = `exchange_id, attempt, attempts, organization_id, key_id, user_type, session_id, endpoint, model_asked,
      model_served, stream, status, outcome, input_tokens, output_tokens, cache_write_5m_tokens, cache_write_1h_tokens,
      cache_read_tokens, web_search_requests, usage_source, cost_micro_usd, reserved_micro_usd, price_version, admitted_at,
      settled_at, latency_ms`;
    const insert = (id: string): Promise<unknown> =>
      client.query(
        `insert into usage_entries (${columns}) values ($1, 1, 1, 'org_acme', 'key_1', 'developer', 'session-1', 'messages', 'm',
          'm', false, 200, 'complete', 1, 2, 0, 0, 0, 0, 'reported', 100, 100, 'v', '2026-11-20', '2026-11-20', 1)`,
        [id],
      );
    await insert("req_before");
    await insert("req_zzz_ahead_of_its_time");
    expect(await migrate(connection, silentLogger)).toEqual(["0006_reports"]);
    await insert("req_by_an_earlier_weir");
    const window = { organizationId: "org_acme", fromMs: 0, toMs: Infinity };
    expect(await earlier.reports.cost({ ...window, by: ["session"], limit: 5 })).toMatchObject({
      rows: [{ group: { session: "session-1" }, requests: 3, costMicroUsd: 300 }],
    });
    expect(await earlier.reports.days({ ...window, timeZone: "UTC" })).toMatchObject([{ requests: 3 }]);
    await client.end();
    await earlier.stop();
  });
});
