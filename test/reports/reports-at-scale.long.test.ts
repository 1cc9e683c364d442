/** Every report over ten million ledger rows, and reports while entries are stored. Figures are printed, not asserted. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { IdGenerator } from "../../src/core/id.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { COST_DIMENSIONS, type ReportStore, type ReportWindow } from "../../src/store/ports/reports.ts";
import { sampleEntry } from "../../src/store/ports/sample-entry.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";
import { fillLedger, SHAPE } from "./ledger-of-millions.ts";

const DAY_MS = 86_400_000;
const ROUNDS = 20;
const BATCH = 500;
const STORE_FOR_MS = 30_000;
const WANTED_PER_SECOND = 2_000;
/** Fewer for a quick look. */
const ROWS = Number(process.env["WEIR_REPORT_ROWS"] ?? SHAPE.rows);

let server: TestPostgres;
let store: PostgresStore;
let last30: ReportWindow;
const all: ReportWindow = { organizationId: "org_1", fromMs: 0, toMs: Infinity };

beforeAll(async () => {
  server = await startTestPostgres();
  store = new PostgresStore({ connection: server.connection, logger: silentLogger });
  await store.start();
  await fillLedger(server.connection, { ...SHAPE, rows: ROWS });
  // Five hours off the day (UTC), as in a time zone, so that an edge has to be summed from rows.
  last30 = { ...all, fromMs: Math.floor(Date.now() / DAY_MS) * DAY_MS - 29 * DAY_MS + 5 * 3_600_000 };
}, 30 * 60_000);

afterAll(async () => {
  await store.stop();
  await server.stop();
});

function quantile(times: readonly number[], q: number): number {
  const sorted = [...times].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))] ?? 0);
}

async function measured(name: string, work: () => Promise<unknown>, rounds: number = ROUNDS): Promise<void> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const startedAt = performance.now();
    await work();
    times.push(performance.now() - startedAt);
  }
  process.stdout.write(`${name.padEnd(34)} p50 ${quantile(times, 0.5)} ms  p95 ${quantile(times, 0.95)} ms\n`);
}

function reportsOf(reports: ReportStore): readonly (readonly [string, () => Promise<unknown>])[] {
  const windows = [
    ["30 days", last30],
    ["90 days", all],
  ] as const;
  return windows.flatMap(([span, window]) => [
    ...COST_DIMENSIONS.map(
      (by) => [`cost by ${by}, ${span}`, () => reports.cost({ ...window, by: [by], limit: 50 })] as const,
    ),
    [`cost by tag and model, ${span}`, () => reports.cost({ ...window, by: ["tag", "model"], limit: 50 })] as const,
    [`sessions, ${span}`, () => reports.sessions({ ...window, limit: 20 })] as const,
    [`users, ${span}`, () => reports.users({ ...window, limit: 1_000 })] as const,
    [`days (forecast), ${span}`, () => reports.days({ ...window, timeZone: "Asia/Kolkata" })] as const,
    [`metered (reconcile), ${span}`, () => reports.metered(window)] as const,
  ]);
}

describe(`reports on ${ROWS.toLocaleString("en-US")} rows`, () => {
  it("answer", async () => {
    for (const [name, work] of reportsOf(store.reports)) await measured(name, work);
    const [dearest] = await store.reports.sessions({ ...all, limit: 1 });
    await measured("session tree", () => store.reports.session("org_1", dearest?.sessionId ?? ""));
    expect((await store.reports.cost({ ...all, by: ["session"], limit: 1 })).total.requests).toBe(ROWS);
    expect((await store.reports.cost({ ...all, by: ["user"], limit: 1 })).total.requests).toBe(ROWS);
  });

  it("export every row without holding them", async () => {
    const startedAt = performance.now();
    let [rows, firstMs, heapBytes] = [0, 0, 0];
    for await (const batch of store.reports.export({ ...all, grain: "exchange" })) {
      if (rows === 0) firstMs = performance.now() - startedAt;
      rows += batch.length;
      if (rows % 100_000 < batch.length) heapBytes = Math.max(heapBytes, process.memoryUsage().heapUsed);
    }
    const seconds = (performance.now() - startedAt) / 1000;
    process.stdout.write(
      `export: ${rows} rows in ${Math.round(seconds)} s, first after ${Math.round(firstMs)} ms, heap at most ${Math.round(heapBytes / 1e6)} MB\n`,
    );
    expect(rows).toBe(ROWS);
  });

  it("answer while entries are stored", async () => {
    const ids = new IdGenerator(systemClock);
    const stopAt = performance.now() + STORE_FOR_MS;
    let [stored, late] = [0, 0];
    const storing = (async () => {
      const startedAt = performance.now();
      for (let batch = 1; performance.now() < stopAt; batch++) {
        const entries = Array.from({ length: BATCH }, (_, at) => {
          const now = Date.now();
          const who = (stored + at) % SHAPE.users;
          return Buffer.from(
            JSON.stringify(
              sampleEntry({
                exchangeId: ids.next("req"),
                organizationId: "org_1",
                userId: `usr_${who}`,
                keyId: `key_${who}`,
                sessionId: `ses_live_${who}`,
                admittedAtMs: now,
                settledAtMs: now + 5,
              }),
            ),
          );
        });
        stored += await store.usage.ship("journal", entries, { segment: 1, offset: batch });
        // No faster than wanted: what is asked is whether reports leave room for it.
        const aheadMs = (batch * BATCH * 1000) / WANTED_PER_SECOND - (performance.now() - startedAt);
        if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
        else late = Math.max(late, -aheadMs);
      }
    })();
    const times: number[] = [];
    const reports = reportsOf(store.reports);
    for (let at = 0; performance.now() < stopAt; at++) {
      const startedAt = performance.now();
      await reports[at % reports.length]?.[1]();
      times.push(performance.now() - startedAt);
    }
    await storing;
    process.stdout.write(
      `stored ${Math.round(stored / (STORE_FOR_MS / 1000))} entries a second for ${STORE_FOR_MS / 1000} s, at most ${Math.round(late)} ms late; ` +
        `${times.length} reports meanwhile: p50 ${quantile(times, 0.5)} ms, p95 ${quantile(times, 0.95)} ms\n`,
    );
    expect((await store.reports.cost({ ...all, by: ["session"], limit: 1 })).total.requests).toBe(ROWS + stored);
  });
});
