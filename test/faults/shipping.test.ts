import { setTimeout as sleep } from "node:timers/promises";

import * as fc from "fast-check";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";

import { systemClock } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { FileJournal } from "../../src/ledger/journal/file-journal.ts";
import { Shipper } from "../../src/ledger/shipper.ts";
import type { Entry } from "../../src/message/entry.ts";
import { EmbeddedPostgres } from "../../src/store/embedded/embedded-postgres.ts";
import { sampleEntry } from "../../src/store/ports/sample-entry.ts";
import type { ShipCursor, UsageStore } from "../../src/store/ports/usage.ts";
import { PostgresStore } from "../../src/store/postgres/postgres-store.ts";
import { newClusterDirectory, startTestPostgres, type TestPostgres } from "../harness/postgres.ts";

const KILLS = 4;
const EVENTUALLY = { timeout: 25_000, interval: 10 };

/** What can go wrong with one batch. */
type Fault = "none" | "refused" | "answer lost" | "connection cut";
const FAULTS: readonly Fault[] = ["none", "refused", "answer lost", "connection cut"];

describe("shipping from a real journal to a real PostgreSQL", () => {
  let server: TestPostgres;

  beforeAll(async () => {
    server = await startTestPostgres();
  });
  afterAll(async () => {
    await server.stop();
  });

  it("given an interruption at any point, stores each entry once and loses none", async () => {
    const step = fc.record({ entries: fc.nat(12), fault: fc.constantFrom(...FAULTS), restart: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 1, maxLength: 8 }),
        fc.integer({ min: 1, max: 4_000 }),
        shipsExactlyOnce,
      ),
      { numRuns: 12 },
    );
  });

  async function shipsExactlyOnce(
    steps: readonly { entries: number; fault: Fault; restart: boolean }[],
    batchBytes: number,
  ): Promise<void> {
    const scene = await openScene(await server.newDatabase());
    const admin = new Client(scene.connection);
    try {
      await admin.connect();
      const store = new FaultyStore(scene.store.usage, async () => {
        await admin.query(
          "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'weir' and datname = current_database()",
        );
      });
      let shipper = scene.ship(store, batchBytes);
      let written = 0;
      for (const { entries, fault, restart } of steps) {
        for (let at = 0; at < entries; at++) await append(scene.journal, entryNumber(written++));
        store.fault = fault;
        if (restart) shipper = scene.ship(store, batchBytes);
        await shipper.drain();
      }
      store.fault = "none";
      // The first try may meet a pooled connection that was cut and not yet noticed.
      await vi.waitFor(async () => expect(await scene.ship(store, batchBytes).drain()).toBe(true), EVENTUALLY);
      await expectLedger(scene.store, written);
      expect(await scene.store.usage.cursor(scene.journal.journalId)).toEqual(
        written === 0 ? null : scene.journal.durableEnd(),
      );
    } finally {
      await admin.end();
      await scene.close();
    }
  }
});

describe("shipping while PostgreSQL is killed under load", () => {
  let dataDir: string;
  let postgres: EmbeddedPostgres;

  beforeAll(async () => {
    dataDir = await newClusterDirectory();
    postgres = new EmbeddedPostgres({ dataDir, clock: systemClock, logger: silentLogger, orphanGraceMs: 0 });
    await postgres.start();
  });
  afterAll(async () => {
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  it("goes on each time, stores each entry once, and keeps telling of directory changes", async () => {
    const scene = await openScene(postgres.connection);
    const shipper = scene.ship(scene.store.usage, 4_096);
    const changes = vi.fn();
    const enough = new AbortController();
    let written = 0;
    await shipper.start();
    await scene.store.directory.subscribe(changes);
    const load = (async () => {
      while (!enough.signal.aborted) {
        await Promise.all(Array.from({ length: 20 }, () => append(scene.journal, entryNumber(written++))));
        await sleep(2);
      }
    })();
    try {
      for (let kill = 1; kill <= KILLS; kill++) {
        const before = await shipped(scene);
        process.kill(postgres.status().pid ?? 0, "SIGKILL");
        await vi.waitFor(
          () => expect(postgres.status()).toMatchObject({ state: "running", restarts: kill }),
          EVENTUALLY,
        );
        await vi.waitFor(async () => expect(await shipped(scene)).not.toEqual(before), EVENTUALLY);
      }
      await scene.store.directory.createOrganization({ id: "org_x", name: "X", status: "active", timeZone: "UTC" });
      await vi.waitFor(() => expect(changes).toHaveBeenCalled(), EVENTUALLY);
      enough.abort();
      await load;
      await vi.waitFor(async () => expect(await shipper.drain()).toBe(true), EVENTUALLY);
      await expectLedger(scene.store, written);
    } finally {
      enough.abort();
      await load;
      await shipper.stop();
      await scene.close();
    }
  });
});

/** A journal and a store, and shippers between them. */
interface Scene {
  readonly connection: TestPostgres["connection"];
  readonly journal: FileJournal;
  readonly store: PostgresStore;
  ship(store: UsageStore, batchBytes: number): Shipper;
  close(): Promise<void>;
}

async function openScene(connection: TestPostgres["connection"]): Promise<Scene> {
  const directory = await mkdtemp(join(tmpdir(), "weir-shipping-"));
  const journal = new FileJournal({ dir: directory, clock: systemClock, logger: silentLogger });
  const store = new PostgresStore({ connection, logger: silentLogger });
  const close = async (): Promise<void> => {
    await store.stop();
    await journal.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await journal.start();
    await store.start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    connection,
    journal,
    store,
    ship: (to, batchBytes) =>
      new Shipper({ reader: journal, store: to, clock: systemClock, logger: silentLogger, intervalMs: 5, batchBytes }),
    close,
  };
}

/** A usage store in front of which things go wrong, once for each fault that is set. */
class FaultyStore implements UsageStore {
  fault: Fault = "none";
  readonly #store: UsageStore;
  readonly #cutConnections: () => Promise<void>;

  constructor(store: UsageStore, cutConnections: () => Promise<void>) {
    this.#store = store;
    this.#cutConnections = cutConnections;
  }

  cursor(journalId: string): Promise<ShipCursor | null> {
    return this.#store.cursor(journalId);
  }

  async ship(journalId: string, entries: readonly Buffer[], cursor: ShipCursor): Promise<number> {
    const fault = this.fault;
    this.fault = "none";
    if (fault === "refused") throw new Error("refused");
    const shipping = this.#store.ship(journalId, entries, cursor);
    if (fault === "connection cut") await Promise.allSettled([this.#cutConnections(), shipping]);
    const stored = await shipping;
    if (fault === "answer lost") throw new Error(fault);
    return stored;
  }

  readonly totals: UsageStore["totals"] = (...query) => this.#store.totals(...query);
  readonly report: UsageStore["report"] = (query) => this.#store.report(query);
  readonly entries: UsageStore["entries"] = (query) => this.#store.entries(query);
}

function entryNumber(at: number): Entry {
  return sampleEntry({ exchangeId: `req_${String(at).padStart(9, "0")}`, keyId: `key_${at % 5}`, costMicroUsd: at });
}

function append(journal: FileJournal, entry: Entry): Promise<void> {
  return new Promise((resolve, reject) => {
    journal.append(entry, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Where shipping stands; while PostgreSQL is away, where it stood. */
async function shipped(scene: Scene): Promise<ShipCursor | null | undefined> {
  return await scene.store.usage.cursor(scene.journal.journalId).catch(() => undefined);
}

/** Rows, rollups and sums all say that entries 0 to `count` - 1 are there once each. */
async function expectLedger(store: PostgresStore, count: number): Promise<void> {
  const sum = Array.from({ length: count }, (_, at) => at).reduce((total, cost) => total + cost, 0);
  const all = { organizationId: "org_acme", fromMs: 0, toMs: Infinity, groupBy: [] };
  const [report] = await store.usage.report(all);
  expect([report?.requests ?? 0, report?.costMicroUsd ?? 0]).toEqual([count, sum]);
  const [rows] = await store.usage.report({ ...all, where: { session: "session-1" } });
  expect([rows?.requests ?? 0, rows?.costMicroUsd ?? 0]).toEqual([count, sum]);
  const totals = await store.usage.totals("key", 0, Infinity);
  expect([...totals.values()].reduce((total, cost) => total + cost, 0)).toBe(sum);
}
