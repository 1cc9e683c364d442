import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Entry } from "../../message/entry.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { UsageQuery, UsageRow, UsageStore } from "./usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 20);
const ALL: Pick<UsageQuery, "organizationId" | "fromMs" | "toMs"> = {
  organizationId: "org_acme",
  fromMs: 0,
  toMs: Infinity,
};

/** What every UsageStore does. `open` gives an empty store. */
export function usageContract(open: () => Promise<{ store: UsageStore; close: () => Promise<void> }>): void {
  describe("a usage store", () => {
    let store: UsageStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(async () => {
      await close();
    });

    const ship = (entries: readonly Entry[], offset = 1): Promise<number> =>
      store.ship("journal", entries.map(asJson), { segment: 1, offset });

    it("gives entries back exactly as they were shipped", async () => {
      const entry = sampleEntry({
        agentId: "agent-7",
        parentAgentId: "agent-1",
        target: null,
        clientFormat: "openai-responses",
        targetModel: "eu.anthropic.claude-haiku-4-5-20251001-v1:0",
        routeReason: "last-resort",
        cacheMove: "moved_failover",
        cacheLossMicroUsd: 9_000_000_000_001,
        sessionId: 'ünï "quoted"\n\u{1F600}',
        timeToFirstTokenMs: null,
        usage: {
          cacheWrite5mTokens: 3,
          cacheWrite1hTokens: 4,
          cacheReadTokens: 5_000_000_000,
          webSearchRequests: 2,
          serviceTier: "priority",
          speed: "fast",
          inferenceGeo: "us",
        },
        costMicroUsd: 8_000_000_000_001,
      });
      await ship([entry]);
      expect(await store.entries({ organizationId: "org_acme", exchangeId: "req_1", limit: 10 })).toEqual([entry]);
    });

    it("takes entries of a Weir that did not know of formats and moves: they were Messages, and moved no cache", async () => {
      const later = ["clientFormat", "targetModel", "routeReason", "cacheMove", "cacheLossMicroUsd"];
      const known = ([field]: [string, unknown]): boolean => !later.includes(field);
      const earlier = Object.fromEntries(Object.entries(sampleEntry()).filter(known));
      expect(await store.ship("journal", [Buffer.from(JSON.stringify(earlier))], { segment: 1, offset: 1 })).toBe(1);
      const meant = {
        clientFormat: "anthropic",
        targetModel: null,
        routeReason: null,
        cacheMove: null,
        cacheLossMicroUsd: 0,
      };
      expect(await store.entries({ organizationId: "org_acme", limit: 10 })).toEqual([{ ...earlier, ...meant }]);
      expect(await store.report({ ...ALL, groupBy: [] })).toMatchObject([
        { requests: 1, cacheMoves: 0, cacheLossMicroUsd: 0 },
      ]);
    });

    it("counts moved caches and sums their losses, from rollups and from rows alike", async () => {
      await ship([
        sampleEntry({ exchangeId: "a", cacheMove: "moved_unusable", cacheLossMicroUsd: 500 }),
        sampleEntry({ exchangeId: "b" }),
        sampleEntry({ exchangeId: "c", cacheMove: "moved_cheaper", cacheLossMicroUsd: 70 }),
        // A move that cost nothing is a move.
        sampleEntry({ exchangeId: "d", cacheMove: "moved_gone", sessionId: "session-2" }),
      ]);
      await ship([sampleEntry({ exchangeId: "e", cacheMove: "moved_failed", cacheLossMicroUsd: 1 })], 2);
      const sums = async (by: UsageQuery["groupBy"]): Promise<unknown[]> =>
        (await store.report({ ...ALL, groupBy: by })).map((row) => [row.group, row.cacheMoves, row.cacheLossMicroUsd]);
      expect(await sums(["target"])).toEqual([[{ target: "anthropic" }, 4, 571]]);
      expect(await sums(["session"])).toEqual([
        [{ session: "session-1" }, 3, 571],
        [{ session: "session-2" }, 1, 0],
      ]);
    });

    it("has no cursor for a journal that never shipped", async () => {
      expect(await store.cursor("journal")).toBeNull();
    });

    it("moves the cursor with the batch, also with an empty one, and never backwards", async () => {
      await store.ship("journal", [], { segment: 2, offset: 100 });
      await store.ship("journal", [], { segment: 1, offset: 900 });
      await store.ship("journal", [], { segment: 2, offset: 99 });
      expect(await store.cursor("journal")).toEqual({ segment: 2, offset: 100 });
      await store.ship("journal", [], { segment: 3, offset: 0 });
      expect(await store.cursor("journal")).toEqual({ segment: 3, offset: 0 });
      expect(await store.cursor("another")).toBeNull();
    });

    it("counts an entry once, however often it is shipped, by whichever journal", async () => {
      const twice = sampleEntry();
      expect(await ship([twice, twice])).toBe(1);
      expect(await ship([twice], 2)).toBe(0);
      expect(await store.ship("another", [asJson(twice)], { segment: 1, offset: 1 })).toBe(0);
      expect((await store.totals("key", 0, Infinity)).get("key_1")).toBe(1_000);
      expect((await store.report({ ...ALL, groupBy: [] }))[0]).toMatchObject({ requests: 1, costMicroUsd: 1_000 });
    });

    it("keeps two attempts of one exchange apart", async () => {
      expect(await ship([sampleEntry(), sampleEntry({ attempt: 2 })])).toBe(2);
    });

    it("sums costs by project tag within its organisation, over any window", async () => {
      const hourMs = 3_600_000;
      const startMs = Date.UTC(2026, 10, 19, 22, 30);
      const tagged = { tag: "search", organizationId: "org_acme" };
      await ship([
        sampleEntry({ ...tagged, exchangeId: "a", costMicroUsd: 1, admittedAtMs: startMs - 1 }),
        sampleEntry({ ...tagged, exchangeId: "b", costMicroUsd: 2, admittedAtMs: startMs }),
        sampleEntry({ ...tagged, exchangeId: "c", costMicroUsd: 4, admittedAtMs: startMs + 30 * hourMs }),
        sampleEntry({ ...tagged, exchangeId: "d", costMicroUsd: 8, admittedAtMs: startMs + 60 * hourMs }),
        sampleEntry({
          ...tagged,
          exchangeId: "e",
          costMicroUsd: 16,
          organizationId: "org_other",
          admittedAtMs: startMs,
        }),
        sampleEntry({ exchangeId: "f", costMicroUsd: 32, admittedAtMs: startMs }),
      ]);
      const totals = async (fromMs: number, toMs: number): Promise<object> =>
        Object.fromEntries(await store.totals("tag", fromMs, toMs));
      expect(await totals(0, Infinity)).toEqual({ "org_acme/search": 15, "org_other/search": 16 });
      expect(await totals(startMs, startMs + 60 * hourMs)).toEqual({ "org_acme/search": 6, "org_other/search": 16 });
    });

    it("sums costs for each subject of a scope, leaving out entries without one", async () => {
      await ship([
        sampleEntry({ exchangeId: "a", costMicroUsd: 1 }),
        sampleEntry({ exchangeId: "b", costMicroUsd: 2, userId: "usr_bob" }),
        sampleEntry({ exchangeId: "c", costMicroUsd: 4, userId: null, teamId: null, keyId: "key_2" }),
        sampleEntry({ exchangeId: "d", costMicroUsd: 8, organizationId: "org_other" }),
      ]);
      const totals = async (scope: "organization" | "team" | "user" | "key"): Promise<object> =>
        Object.fromEntries(await store.totals(scope, 0, Infinity));
      expect(await totals("organization")).toEqual({ org_acme: 7, org_other: 8 });
      expect(await totals("team")).toEqual({ team_core: 11 });
      expect(await totals("user")).toEqual({ usr_ada: 9, usr_bob: 2 });
      expect(await totals("key")).toEqual({ key_1: 11, key_2: 4 });
    });

    it("takes a window to include its first moment and exclude its last", async () => {
      await ship([sampleEntry({ admittedAtMs: START_MS + 5 })]);
      const total = async (fromMs: number, toMs: number): Promise<number | undefined> =>
        (await store.totals("key", fromMs, toMs)).get("key_1");
      expect(await total(START_MS + 5, START_MS + 6)).toBe(1_000);
      expect(await total(START_MS, START_MS + 5)).toBeUndefined();
      expect(await total(START_MS + 6, Infinity)).toBeUndefined();
      expect(await total(START_MS + 5, START_MS + 5)).toBeUndefined();
    });

    it("sums exactly over any window, whatever rollups it is answered from", async () => {
      const around = fc.integer({ min: START_MS - 3 * DAY_MS, max: START_MS + 3 * DAY_MS });
      const onTheHour = around.map((ms) => Math.floor(ms / HOUR_MS) * HOUR_MS);
      const moment = fc.oneof(
        around,
        onTheHour,
        onTheHour.map((ms) => ms - 1),
      );
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(moment, fc.nat(1_000_000)), { maxLength: 30 }),
          moment,
          moment,
          async (spent, a, b) => {
            const keyId = `key_round_${++round}`;
            const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
            await ship(
              spent.map(([admittedAtMs, costMicroUsd], at) =>
                sampleEntry({ exchangeId: `${keyId}_${at}`, keyId, admittedAtMs, costMicroUsd }),
              ),
            );
            const inside = spent.filter(([ms]) => ms >= fromMs && ms < toMs).map(([, cost]) => cost);
            const expected = inside.reduce((sum, cost) => sum + cost, 0);
            expect((await store.totals("key", fromMs, toMs)).get(keyId) ?? 0).toBe(expected);
            const [row] = await store.report({ ...ALL, fromMs, toMs, groupBy: ["key"], where: { key: keyId } });
            expect(row?.costMicroUsd ?? 0).toBe(expected);
            expect(row?.requests ?? 0).toBe(inside.length);
          },
        ),
        { numRuns: 40 },
      );
    });

    it("puts an entry with a fraction of a millisecond into the window of its moment", async () => {
      await ship([sampleEntry({ admittedAtMs: START_MS - 0.25 })]);
      expect((await store.totals("key", 0, START_MS)).get("key_1")).toBe(1_000);
      expect((await store.totals("key", START_MS, Infinity)).get("key_1")).toBeUndefined();
    });

    describe("reports", () => {
      beforeEach(async () => {
        await ship([
          sampleEntry({ exchangeId: "a", costMicroUsd: 5, admittedAtMs: START_MS - 1, usage: { cacheReadTokens: 7 } }),
          sampleEntry({ exchangeId: "b", costMicroUsd: 1, admittedAtMs: START_MS, usage: { cacheWrite5mTokens: 1 } }),
          sampleEntry({
            exchangeId: "c",
            costMicroUsd: 2,
            admittedAtMs: START_MS + HOUR_MS,
            modelServed: "claude-opus-4-5",
            usage: { cacheWrite5mTokens: 1, cacheWrite1hTokens: 1 },
          }),
          sampleEntry({
            exchangeId: "d",
            costMicroUsd: 4,
            admittedAtMs: START_MS + DAY_MS,
            sessionId: null,
            agentId: "agent-1",
            target: null,
          }),
          sampleEntry({ exchangeId: "e", organizationId: "org_other" }),
        ]);
      });

      it("sums the whole organisation and nothing of another", async () => {
        expect(await store.report({ ...ALL, groupBy: [] })).toEqual([
          {
            group: {},
            requests: 4,
            inputTokens: 40,
            outputTokens: 80,
            cacheReadTokens: 7,
            cacheWriteTokens: 3,
            costMicroUsd: 12,
            cacheMoves: 0,
            cacheLossMicroUsd: 0,
          },
        ]);
      });

      it("gives no row where there is nothing to report", async () => {
        expect(await store.report({ ...ALL, organizationId: "org_none", groupBy: [] })).toEqual([]);
        expect(await store.report({ ...ALL, fromMs: 5, toMs: 5, groupBy: [] })).toEqual([]);
      });

      it("groups by day, in the order of days", async () => {
        expect(costs(await store.report({ ...ALL, groupBy: ["day"] }))).toEqual([
          [{ day: "2026-11-19" }, 5],
          [{ day: "2026-11-20" }, 3],
          [{ day: "2026-11-21" }, 4],
        ]);
      });

      it("takes days in the zone that was asked for, also one off the hour", async () => {
        expect(costs(await store.report({ ...ALL, groupBy: ["day"], timeZone: "America/New_York" }))).toEqual([
          [{ day: "2026-11-19" }, 8],
          [{ day: "2026-11-20" }, 4],
        ]);
        const india = { ...ALL, toMs: START_MS + DAY_MS, timeZone: "Asia/Kolkata" };
        expect(costs(await store.report({ ...india, groupBy: ["day"] }))).toEqual([[{ day: "2026-11-20" }, 8]]);
      });

      it("groups by several dimensions, the dearest first", async () => {
        expect(costs(await store.report({ ...ALL, groupBy: ["model", "target"] }))).toEqual([
          [{ model: "claude-haiku-4-5", target: "anthropic" }, 6],
          [{ model: "claude-haiku-4-5", target: null }, 4],
          [{ model: "claude-opus-4-5", target: "anthropic" }, 2],
        ]);
      });

      it("groups by what only the rows know", async () => {
        expect(costs(await store.report({ ...ALL, groupBy: ["session"] }))).toEqual([
          [{ session: "session-1" }, 8],
          [{ session: null }, 4],
        ]);
        expect(costs(await store.report({ ...ALL, groupBy: ["agent"], where: { agent: "agent-1" } }))).toEqual([
          [{ agent: "agent-1" }, 4],
        ]);
      });

      it("filters by any dimension, grouped or not", async () => {
        const where = { model: "claude-haiku-4-5", day: "2026-11-20" };
        expect(costs(await store.report({ ...ALL, groupBy: ["user"], where }))).toEqual([[{ user: "usr_ada" }, 1]]);
      });

      it("stops at the limit", async () => {
        expect(await store.report({ ...ALL, groupBy: ["day"], limit: 2 })).toHaveLength(2);
      });
    });

    it("lists entries newest first, of one organisation, of one session, up to a limit", async () => {
      await ship([
        sampleEntry({ exchangeId: "a", admittedAtMs: START_MS }),
        sampleEntry({ exchangeId: "b", admittedAtMs: START_MS + 2, sessionId: "session-2" }),
        sampleEntry({ exchangeId: "c", admittedAtMs: START_MS + 1 }),
        sampleEntry({ exchangeId: "d", organizationId: "org_other" }),
      ]);
      const ids = async (query: { sessionId?: string; limit: number }): Promise<string[]> =>
        (await store.entries({ organizationId: "org_acme", ...query })).map((entry) => entry.exchangeId);
      expect(await ids({ limit: 10 })).toEqual(["b", "c", "a"]);
      expect(await ids({ limit: 2 })).toEqual(["b", "c"]);
      expect(await ids({ sessionId: "session-1", limit: 10 })).toEqual(["c", "a"]);
      expect(await store.entries({ organizationId: "org_other", exchangeId: "a", limit: 10 })).toEqual([]);
    });
  });
}

function asJson(entry: Entry): Buffer {
  return Buffer.from(JSON.stringify(entry));
}

function costs(rows: readonly UsageRow[]): unknown[] {
  return rows.map((row) => [row.group, row.costMicroUsd]);
}
