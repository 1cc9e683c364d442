import { describe, expect, it, vi } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import type { Entry } from "../../message/entry.ts";
import { MemoryOwnedObjectStore } from "../../store/memory/memory-owned-object-store.ts";
import { MemoryUsageStore } from "../../store/memory/memory-usage-store.ts";
import { batchMeterOf, BatchMeter } from "./batch-meter.ts";
import { BatchSettler } from "./batch-settler.ts";
import { answered } from "./testing/fake-object-upstream.ts";
import {
  batchRequest,
  MODEL,
  startObjectsGateway,
  type ObjectsGateway,
  type Person,
} from "./testing/objects-gateway.ts";

const BATCHES = "/v1/messages/batches";
/** 1,000 input and 100 output tokens of Sonnet 5.5, at half price: (2,000 + 1,000) / 2. */
const USED = { input_tokens: 1_000, output_tokens: 100 };
const COST = 1_500;

/** Makes a batch that has ended with one answered request. */
async function endedBatch({ makeBatch, upstream }: ObjectsGateway, person: Person = "ada"): Promise<string> {
  const id = await makeBatch(person);
  upstream.end(id, [answered("one", MODEL, USED)]);
  return id;
}

function settlerOf({ gateway }: ObjectsGateway, ledger: MemoryUsageStore | null = null): BatchSettler {
  return new BatchSettler(gateway.services, { ledger });
}

/** What the day's counters of a subject have counted. */
function spent({ gateway }: ObjectsGateway, scope: "organization" | "team" | "user" | "key", id: string): number {
  const { budgets, clock } = gateway.services;
  budgets.setBudgets([
    { id: "b", organizationId: "org_1", scope, subjectId: id, window: "day", limitMicroUsd: 1e9, enforcement: "soft" },
  ]);
  return budgets.standings([{ scope, id }], "UTC", clock.nowMs())[0]?.counter.spent ?? Number.NaN;
}

const settled = async ({ store }: ObjectsGateway, id: string): Promise<boolean> =>
  ((await store.get("batch", id))?.settledAtMs ?? null) !== null;

describe("an ended batch", () => {
  it("is metered by the sweep: one row for each model, at batch price, charged to all who pay", async () => {
    const objects = await startObjectsGateway();
    const { gateway, upstream, makeBatch } = objects;
    const id = await makeBatch("ada", [
      batchRequest("a"),
      batchRequest("b", { model: "claude-opus-5-5" }),
      batchRequest("c"),
    ]);
    upstream.end(id, [
      answered("a", MODEL, USED),
      answered("b", "claude-opus-5-5", { input_tokens: 10, output_tokens: 10 }),
      answered("c", MODEL, USED),
      { custom_id: "d", result: { type: "errored", error: { type: "error" } } },
    ]);
    await settlerOf(objects).sweep();
    const common = {
      exchangeId: `bat_${id}`,
      attempts: 2,
      organizationId: "org_1",
      teamId: "team_1",
      userId: "usr_1",
      keyId: "key_1",
      userType: "developer",
      endpoint: "batches",
      target: "anthropic",
      status: 200,
      outcome: "complete",
      usageSource: "reported",
      latencyMs: 30 * 60_000,
    };
    expect(gateway.journal.entries).toEqual([
      expect.objectContaining({ ...common, attempt: 1, modelServed: "claude-opus-5-5", costMicroUsd: 120 }),
      expect.objectContaining({ ...common, attempt: 2, modelServed: MODEL, costMicroUsd: 2 * COST }),
    ]);
    expect(gateway.journal.entries[1]?.usage).toMatchObject({
      inputTokens: 2_000,
      outputTokens: 200,
      serviceTier: "batch",
    });
    expect(await settled(objects, id)).toBe(true);
    for (const [scope, subject] of [
      ["organization", "org_1"],
      ["team", "team_1"],
      ["user", "usr_1"],
      ["key", "key_1"],
    ] as const) {
      expect(spent(objects, scope, subject)).toBe(120 + 2 * COST);
    }
  });

  it.each([
    ["retrieves it", ""],
    ["fetches its results", "/results"],
  ])("is metered when its owner %s", async (_, below) => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    expect((await objects.call("ada", "GET", `${BATCHES}/${id}${below}`)).status).toBe(200);
    await vi.waitFor(async () => expect(await settled(objects, id)).toBe(true));
    expect(objects.gateway.journal.entries).toHaveLength(1);
  });

  it("is metered once, however many ask at the same time and however often afterwards", async () => {
    const objects = await startObjectsGateway();
    const { gateway, call } = objects;
    const id = await endedBatch(objects);
    const settler = settlerOf(objects);
    const everybody = (): Promise<unknown> =>
      Promise.all([
        ...Array.from({ length: 20 }, (_, at) =>
          call("ada", "GET", `${BATCHES}/${id}${at % 2 === 0 ? "" : "/results"}`),
        ),
        settler.sweep(),
        settler.sweep(),
      ]);
    await everybody();
    await vi.waitFor(async () => expect(await settled(objects, id)).toBe(true));
    await everybody();
    await settler.sweep();
    expect(gateway.journal.entries).toHaveLength(1);
    expect(spent(objects, "organization", "org_1")).toBe(COST);
  });

  it("is read once for everybody who asks while it is being settled", async () => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    const [batch] = await objects.store.unsettledBatches(1);
    const meter = batchMeterOf(objects.gateway.services);
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => meter.settle(batch!)));
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => "settled"));
    expect(objects.upstream.seen("GET", `${BATCHES}/${id}/results`)).toHaveLength(1);
    expect(objects.gateway.journal.entries).toHaveLength(1);
  });

  it("is not metered before it has ended", async () => {
    const objects = await startObjectsGateway();
    const id = await objects.makeBatch("ada");
    await settlerOf(objects).sweep();
    await objects.call("ada", "GET", `${BATCHES}/${id}`);
    await objects.call("ada", "GET", `${BATCHES}/${id}/results`);
    expect(objects.upstream.seen("GET", `${BATCHES}/${id}/results`)).toHaveLength(1);
    expect(objects.gateway.journal.entries).toEqual([]);
    expect(await settled(objects, id)).toBe(false);
  });

  it("in which nothing was answered costs nothing and is done with", async () => {
    const objects = await startObjectsGateway();
    const id = await objects.makeBatch("ada");
    objects.upstream.end(id, [{ custom_id: "one", result: { type: "expired" } }]);
    await settlerOf(objects).sweep();
    expect(objects.gateway.journal.entries).toEqual([]);
    expect(await settled(objects, id)).toBe(true);
  });

  it("of a mapped model is called and priced as the model that was asked for", async () => {
    const models = [{ id: "our-opus", label: null, description: null, upstreamModel: { anthropic: "opus-in-house" } }];
    const objects = await startObjectsGateway({ models });
    const id = await objects.makeBatch("service", [batchRequest("a", { model: "our-opus" })]);
    objects.upstream.end(id, [answered("a", "opus-in-house", { input_tokens: 1_000_000 })]);
    await settlerOf(objects).sweep();
    // No list price: as an unknown model, at half.
    expect(objects.gateway.journal.entries).toMatchObject([
      { modelServed: "our-opus", costMicroUsd: 2_500_000, userId: null, userType: "service" },
    ]);
  });

  it("of a key that the directory no longer has is paid for all the same", async () => {
    const objects = await startObjectsGateway();
    await endedBatch(objects, "eve");
    objects.gateway.setDirectory({});
    await settlerOf(objects).sweep();
    expect(objects.gateway.journal.entries).toMatchObject([
      { organizationId: "org_2", userId: "usr_eve", keyId: "key_eve", teamId: null, costMicroUsd: COST },
    ]);
    expect(spent(objects, "user", "usr_eve")).toBe(COST);
  });
});

describe("settling that fails", () => {
  const failures: [string, (objects: ObjectsGateway) => () => void][] = [
    [
      "because the upstream does",
      ({ upstream }) => {
        upstream.override = (request, response) => {
          if (request.url?.endsWith("/results") !== true) return false;
          response.writeHead(529).end("{}");
          return true;
        };
        return () => (upstream.override = null);
      },
    ],
    [
      "because the results are cut",
      ({ upstream }) => {
        upstream.override = (request, response) => {
          if (request.url?.endsWith("/results") !== true) return false;
          response.writeHead(200, { "content-length": "1000" });
          response.write(`${JSON.stringify(answered("one", MODEL, USED))}\n`, () => response.destroy());
          return true;
        };
        return () => (upstream.override = null);
      },
    ],
    [
      "because results are missing",
      ({ upstream }) => {
        upstream.override = (request, response) => {
          if (request.url?.endsWith("/results") !== true) return false;
          response.end("");
          return true;
        };
        return () => (upstream.override = null);
      },
    ],
    [
      "because the journal is full",
      ({ gateway }) => {
        gateway.journal.failWith = new Error("disk full");
        return () => (gateway.journal.failWith = null);
      },
    ],
    [
      "because the batch cannot be marked",
      ({ store }) => {
        const mark = vi.spyOn(store, "markSettled").mockRejectedValue(new Error("the database is away"));
        return () => mark.mockRestore();
      },
    ],
    [
      "because unsettled batches cannot be found",
      ({ store }) => {
        const list = vi.spyOn(store, "unsettledBatches").mockRejectedValue(new Error("the database is away"));
        return () => list.mockRestore();
      },
    ],
  ];

  it.each(failures)("%s is made up for by a later sweep, and counted once", async (_, fail) => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    const settler = settlerOf(objects);
    const heal = fail(objects);
    await settler.sweep();
    await settler.sweep();
    expect(await settled(objects, id)).toBe(false);
    heal();
    await settler.sweep();
    expect(await settled(objects, id)).toBe(true);
    expect(objects.gateway.journal.entries).toHaveLength(1);
    expect(spent(objects, "organization", "org_1")).toBe(COST);
  });

  it("in the middle of several rows goes on with the rows that are missing", async () => {
    const objects = await startObjectsGateway();
    const { gateway, upstream, makeBatch } = objects;
    const id = await makeBatch("ada");
    upstream.end(id, [answered("a", MODEL, USED), answered("b", "claude-opus-5-5", { output_tokens: 1 })]);
    const append = vi.spyOn(gateway.journal, "append");
    append.mockImplementationOnce((entry, durable) => gateway.journal.settle(entry, durable));
    append.mockImplementationOnce((_, durable) => setImmediate(() => durable(new Error("disk full"))));
    const settler = settlerOf(objects);
    await settler.sweep();
    await settler.sweep();
    expect(gateway.journal.entries.map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(spent(objects, "organization", "org_1")).toBe(10 + COST);
  });

  it("counts lines that cannot be read as not metered, and says so in the row", async () => {
    const objects = await startObjectsGateway();
    const id = await objects.makeBatch("ada");
    objects.upstream.end(id, [answered("one", MODEL, USED)]);
    const batch = objects.upstream.batches.get(id);
    if (batch !== undefined) batch.results += "{broken\n";
    await settlerOf(objects).sweep();
    expect(objects.gateway.journal.entries).toMatchObject([{ usageSource: "partial", costMicroUsd: COST }]);
  });

  it("does not hold up the other batches", async () => {
    const objects = await startObjectsGateway();
    const lost = await endedBatch(objects);
    const other = await endedBatch(objects, "bob");
    objects.upstream.batches.delete(lost);
    await settlerOf(objects).sweep();
    expect(await settled(objects, lost)).toBe(false);
    expect(await settled(objects, other)).toBe(true);
  });

  it("is given up when no upstream can know the batch any more", async () => {
    const clock = new ManualClock(Date.parse("2026-11-20T12:00:00Z"));
    const objects = await startObjectsGateway({ clock });
    const lost = await endedBatch(objects);
    objects.upstream.batches.delete(lost);
    const error = vi.spyOn(objects.gateway.services.logger, "error");
    clock.advance(31 * 24 * 3_600_000 - 1_000);
    await settlerOf(objects).sweep();
    expect(await settled(objects, lost)).toBe(false);
    clock.advance(1_001);
    await settlerOf(objects).sweep();
    expect(await settled(objects, lost)).toBe(true);
    expect(error).toHaveBeenCalledWith(
      expect.objectContaining({ batch: lost }),
      expect.stringContaining("never be metered"),
    );
    error.mockRestore();
  });
});

describe("a process that dies while it settles", () => {
  it("leaves rows that the next one finds in the ledger and neither writes nor charges again", async () => {
    const store = new MemoryOwnedObjectStore();
    const ledger = new MemoryUsageStore();
    const before = await startObjectsGateway({ store });
    const id = await before.makeBatch("ada");
    before.upstream.end(id, [answered("a", MODEL, USED), answered("b", "claude-opus-5-5", { output_tokens: 1 })]);
    // It dies after the first row is durable: the second is not written, the batch not marked.
    const append = vi.spyOn(before.gateway.journal, "append");
    append.mockImplementationOnce((entry, durable) => before.gateway.journal.settle(entry, durable));
    append.mockImplementation((_, durable) => setImmediate(() => durable(new Error("gone"))));
    await settlerOf(before).sweep();
    const rows = before.gateway.journal.entries.map((entry: Entry) => Buffer.from(JSON.stringify(entry)));
    expect(rows).toHaveLength(1);
    await ledger.ship("journal_1", rows, { segment: 1, offset: 1 });

    // The next process: the same records, nothing in memory.
    const next = await startObjectsGateway({ upstreams: [{ baseUrl: before.upstream.url }] });
    const meter = new BatchMeter({ ...next.gateway.services, objects: store });
    meter.useLedger(ledger);
    const [batch] = await store.unsettledBatches(1);
    expect(batch?.id).toBe(id);
    if (batch !== undefined) expect(await meter.settle(batch)).toBe("settled");
    expect(next.gateway.journal.entries).toMatchObject([{ attempt: 2, modelServed: MODEL, costMicroUsd: COST }]);
    expect(spent(next, "organization", "org_1")).toBe(COST);
    expect(await store.unsettledBatches(1)).toEqual([]);
  });
});

describe("deleting a batch", () => {
  it("meters it first", async () => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    const answer = await objects.call("ada", "DELETE", `${BATCHES}/${id}`);
    expect(await answer.json()).toEqual({ id, type: "message_batch_deleted" });
    expect(objects.gateway.journal.entries).toHaveLength(1);
    expect(await objects.store.get("batch", id)).toBeNull();
  });

  it("that is gone upstream before it was metered keeps the record, so that the loss comes to light", async () => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    objects.upstream.batches.delete(id);
    const answer = await objects.call("ada", "DELETE", `${BATCHES}/${id}`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain("no such thing upstream");
    expect(await settled(objects, id)).toBe(false);
    expect(await objects.store.unsettledBatches(1)).toHaveLength(1);
  });

  it("is refused while it runs, and while its usage cannot be recorded", async () => {
    const objects = await startObjectsGateway();
    const id = await objects.makeBatch("ada");
    const running = await objects.call("ada", "DELETE", `${BATCHES}/${id}`);
    expect(running.status).toBe(400);
    expect(await running.text()).toMatch(/still being processed/);
    objects.upstream.end(id, [answered("one", MODEL, USED)]);
    objects.gateway.journal.failWith = new Error("disk full");
    expect((await objects.call("ada", "DELETE", `${BATCHES}/${id}`)).status).toBe(503);
    expect(objects.upstream.seen("DELETE", `${BATCHES}/${id}`)).toEqual([]);
    objects.gateway.journal.failWith = null;
    expect((await objects.call("ada", "DELETE", `${BATCHES}/${id}`)).status).toBe(200);
    expect(objects.gateway.journal.entries).toHaveLength(1);
  });
});

describe("the settler", () => {
  it("sweeps whenever its timer says so, from start to stop", async () => {
    const objects = await startObjectsGateway();
    const first = await endedBatch(objects);
    const ticks: (() => void)[] = [];
    const every = vi.fn((run: () => void, _ms: number) => {
      ticks.push(run);
      return () => ticks.splice(0);
    });
    const settler = new BatchSettler(objects.gateway.services, { ledger: null, every });
    await settler.start();
    await settler.start();
    expect(every.mock.calls.map(([, ms]) => ms)).toEqual([60_000]);
    ticks[0]?.();
    await settler.sweep();
    expect(await settled(objects, first)).toBe(true);
    await settler.stop();
    await settler.stop();
    expect(ticks).toEqual([]);
  });

  it("when stopped ends what it is reading and settles no more", async () => {
    const objects = await startObjectsGateway();
    const id = await endedBatch(objects);
    const asked = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    objects.upstream.override = (request, response) => {
      if (request.url?.endsWith("/results") !== true) return false;
      response.once("close", () => closed.resolve());
      response.write(`${JSON.stringify(answered("one", MODEL, USED))}\n`, () => asked.resolve());
      return true;
    };
    const settler = settlerOf(objects);
    const sweep = settler.sweep();
    await asked.promise;
    await settler.stop();
    await Promise.all([sweep, closed.promise]);
    expect(await settled(objects, id)).toBe(false);
    expect(objects.gateway.journal.entries).toEqual([]);
    await expect(
      batchMeterOf(objects.gateway.services).settle((await objects.store.unsettledBatches(1))[0]!),
    ).rejects.toThrow();
  });
});
