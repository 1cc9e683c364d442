import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { silentLogger } from "../../core/logger.ts";
import type { Entry } from "../../message/entry.ts";
import { sampleEntry } from "../ports/sample-entry.ts";
import { PostgresStore } from "./postgres-store.ts";

const ALL = { organizationId: "org_acme", fromMs: 0, toMs: Infinity, groupBy: [] };

/** What only the PostgreSQL adapter promises; the rest is in the contract. */
describe("PostgresUsageStore", () => {
  let server: TestPostgres;
  let store: PostgresStore;
  let client: Client;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });
  beforeEach(async () => {
    const connection = await server.newDatabase();
    store = new PostgresStore({ connection, logger: silentLogger });
    await store.start();
    client = new Client(connection);
    await client.connect();
  });
  afterEach(async () => {
    await client.end();
    await store.stop();
  });

  const ship = (entries: readonly Entry[], journalId = "journal"): Promise<number> =>
    store.usage.ship(journalId, entries.map(asJson), { segment: 1, offset: entries.length });
  const select = async (text: string): Promise<unknown[]> => (await client.query<object>(text)).rows;

  it("keeps the rollups equal to the rows", async () => {
    const models = ["claude-haiku-4-5", "claude-opus-4-5"];
    const entries = Array.from({ length: 200 }, (_, at) =>
      sampleEntry({
        exchangeId: `req_${at}`,
        modelServed: models[at % 2]!,
        userId: at % 3 === 0 ? null : `usr_${at % 5}`,
        admittedAtMs: Date.UTC(2026, 10, 20) + at * 977_000,
        costMicroUsd: at,
        cacheMove: at % 4 === 0 ? "moved_degraded" : null,
        cacheLossMicroUsd: at % 4 === 0 ? at * 7 : 0,
      }),
    );
    for (let at = 0; at < entries.length; at += 30) await ship(entries.slice(at, at + 40));
    for (const [table, unit] of [
      ["usage_hourly", "hour"],
      ["usage_daily", "day"],
    ]) {
      const sums = "model_served, user_id, requests, cost_micro_usd, input_tokens, cache_moves, cache_loss_micro_usd";
      const fromRows = await select(
        `select date_trunc('${unit}', admitted_at, 'UTC') as starts_at, model_served, user_id, count(*) as requests,
         sum(cost_micro_usd)::bigint as cost_micro_usd, sum(input_tokens)::bigint as input_tokens,
         count(cache_move) as cache_moves, sum(cache_loss_micro_usd)::bigint as cache_loss_micro_usd
         from weir.usage_entries group by 1, 2, 3 order by 1, 2, 3`,
      );
      expect(await select(`select starts_at, ${sums} from weir.${table} order by 1, 2, 3`)).toEqual(fromRows);
    }
  });

  it("sets aside an entry that fits no row, stores the others, and moves on", async () => {
    const broken = asJson(sampleEntry({ exchangeId: "bad" }))
      .toString()
      .replace('"costMicroUsd":1000', '"costMicroUsd":1e30');
    const entries = [1, 2, 3, 4, 5].map((at) => asJson(sampleEntry({ exchangeId: `good_${at}` })));
    entries.splice(3, 0, Buffer.from(broken));
    const cursor = { segment: 4, offset: 77 };
    expect(await store.usage.ship("journal", entries, cursor)).toBe(5);
    expect(await store.usage.ship("journal", entries, cursor)).toBe(0);
    expect((await store.usage.report(ALL))[0]?.requests).toBe(5);
    expect(await store.usage.cursor("journal")).toEqual(cursor);
    expect(await select("select convert_from(entry, 'UTF8') as entry from weir.usage_set_aside")).toEqual([
      { entry: broken },
    ]);
  });

  it("given many shippers of overlapping batches at once, counts every entry once", async () => {
    const entries = Array.from({ length: 300 }, (_, at) =>
      sampleEntry({ exchangeId: `req_${at}`, keyId: `key_${at % 7}`, costMicroUsd: 1 }),
    );
    const shuffles = Array.from({ length: 8 }, (_, at) =>
      [...entries.slice(at * 37), ...entries.slice(0, at * 37)].toReversed(),
    );
    const added = await Promise.all(
      shuffles.map(async (mine, at) => {
        let sum = 0;
        for (let from = 0; from < mine.length; from += 60)
          sum += await ship(mine.slice(from, from + 60), `journal_${at}`);
        return sum;
      }),
    );
    expect(added.reduce((sum, count) => sum + count, 0)).toBe(300);
    expect((await store.usage.report(ALL))[0]).toMatchObject({ requests: 300, costMicroUsd: 300 });
  });

  it("tries again when PostgreSQL breaks a deadlock by failing the batch", async () => {
    await ship([sampleEntry({ exchangeId: "req_0" })]);
    await client.query("set deadlock_timeout = '10s'");
    await client.query("begin");
    // The other transaction holds the daily sum, and then wants the key that the batch has inserted.
    await client.query("select from weir.usage_daily for update");
    const shipping = ship([sampleEntry({ exchangeId: "req_1" })]);
    await waitForLock(client);
    const taken = await client.query(
      `insert into weir.usage_entries
       select (jsonb_populate_record(known, '{"exchange_id": "req_1"}')).* from weir.usage_entries as known`,
    );
    // It could take the key because PostgreSQL has failed the batch.
    expect(taken.rowCount).toBe(1);
    await client.query("rollback");
    expect(await shipping).toBe(1);
    expect((await store.usage.report(ALL))[0]?.requests).toBe(2);
  });

  it("says that the store is unavailable when the server is", async () => {
    const away = new PostgresStore({
      connection: { host: "/nonexistent", port: 1, user: "weir", password: "x", database: "weir" },
      logger: silentLogger,
    });
    const failures = await Promise.allSettled([away.start(), away.ping(), away.usage.cursor("journal")]);
    for (const failure of failures) {
      expect(failure).toMatchObject({ status: "rejected", reason: { name: "StoreError", kind: "unavailable" } });
    }
    await away.stop();
  });

  it("answers a window's totals from rollups: whole days do not touch the rows", async () => {
    await ship([sampleEntry({ admittedAtMs: Date.UTC(2026, 10, 20, 3) })]);
    await client.query("delete from weir.usage_entries");
    const totals = await store.usage.totals("key", Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1));
    expect(totals.get("key_1")).toBe(1_000);
  });
});

function asJson(entry: Entry): Buffer {
  return Buffer.from(JSON.stringify(entry));
}

async function waitForLock(client: Client): Promise<void> {
  const text = "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
  while ((await client.query(text)).rows.length === 0);
}
