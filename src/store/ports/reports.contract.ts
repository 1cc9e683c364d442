import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Entry } from "../../message/entry.ts";
import type { CostDimension, ExportGrain, ExportRow, ReportStore } from "./reports.ts";
import { sampleEntry } from "./sample-entry.ts";
import type { UsageStore } from "./usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = Date.UTC(2026, 10, 20);
const ALL = { organizationId: "org_acme", fromMs: 0, toMs: Infinity };

interface Opened {
  readonly store: { readonly usage: UsageStore; readonly reports: ReportStore };
  readonly close: () => Promise<void>;
}

/** What every ReportStore does. `open` gives an empty one, and the usage store that fills it. */
export function reportsContract(open: () => Promise<Opened>): void {
  describe("a report store", () => {
    let usage: UsageStore;
    let reports: ReportStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({
        store: { usage, reports },
        close,
      } = await open());
    });
    afterEach(async () => {
      await close();
    });

    const ship = async (...entries: readonly Entry[]): Promise<void> => {
      await usage.ship(
        "journal",
        entries.map((entry) => Buffer.from(JSON.stringify(entry))),
        { segment: 1, offset: 1 },
      );
    };
    const exported = async (grain: ExportGrain): Promise<ExportRow[]> => {
      const rows: ExportRow[] = [];
      for await (const batch of reports.export({ ...ALL, grain })) rows.push(...batch);
      return rows;
    };

    describe("given the entries of two teams and another organisation", () => {
      beforeEach(async () => {
        await ship(
          sampleEntry({ exchangeId: "a", costMicroUsd: 5, admittedAtMs: START_MS - 1, settledAtMs: START_MS + 2_000 }),
          sampleEntry({
            exchangeId: "b",
            costMicroUsd: 7,
            admittedAtMs: START_MS + HOUR_MS,
            settledAtMs: START_MS + HOUR_MS + 9_000,
            agentId: "agent-1",
            modelServed: "claude-opus-5",
            tag: "apollo",
            usage: { cacheReadTokens: 3, cacheWrite5mTokens: 1, cacheWrite1hTokens: 2 },
          }),
          sampleEntry({
            exchangeId: "c",
            costMicroUsd: 11,
            admittedAtMs: START_MS + DAY_MS,
            settledAtMs: START_MS + DAY_MS + 1_000,
            teamId: "team_other",
            userId: "usr_bob",
            keyId: "key_2",
            sessionId: "session-2",
            tag: "apollo",
            target: null,
            usageSource: "estimated",
            priceVersion: "2026-12-01",
          }),
          sampleEntry({
            exchangeId: "d",
            costMicroUsd: 1,
            sessionId: null,
            userId: null,
            admittedAtMs: START_MS + DAY_MS,
          }),
          sampleEntry({ exchangeId: "e", costMicroUsd: 1_000, organizationId: "org_other" }),
        );
      });

      it.each<[CostDimension, (string | number | null)[][]]>([
        ["organization", [["org_acme", 24]]],
        [
          "team",
          [
            ["team_core", 13],
            ["team_other", 11],
          ],
        ],
        [
          "user",
          [
            ["usr_ada", 12],
            ["usr_bob", 11],
            [null, 1],
          ],
        ],
        [
          "key",
          [
            ["key_1", 13],
            ["key_2", 11],
          ],
        ],
        [
          "model",
          [
            ["claude-haiku-4-5", 17],
            ["claude-opus-5", 7],
          ],
        ],
        [
          "target",
          [
            ["anthropic", 13],
            [null, 11],
          ],
        ],
        [
          "session",
          [
            ["session-1", 12],
            ["session-2", 11],
            [null, 1],
          ],
        ],
        [
          "tag",
          [
            ["apollo", 18],
            [null, 6],
          ],
        ],
      ])("sums cost by %s, the dearest first", async (by, expected) => {
        const report = await reports.cost({ ...ALL, by: [by], limit: 10 });
        expect(report.rows.map((row) => [row.group[by], row.costMicroUsd])).toEqual(expected);
        expect(report).toMatchObject({ groups: expected.length, total: { costMicroUsd: 24, requests: 4 } });
      });

      it("sums by two dimensions, and counts what the limit leaves out", async () => {
        const report = await reports.cost({ ...ALL, by: ["tag", "user"], limit: 2 });
        expect(report.rows.map(({ group, costMicroUsd }) => [group, costMicroUsd])).toEqual([
          [{ tag: "apollo", user: "usr_bob" }, 11],
          [{ tag: "apollo", user: "usr_ada" }, 7],
        ]);
        expect(report).toMatchObject({
          groups: 4,
          total: { costMicroUsd: 24, cacheReadTokens: 3, cacheWriteTokens: 3 },
        });
      });

      it("gives nothing for an empty window or an organisation without entries", async () => {
        const nothing = { rows: [], groups: 0, total: { requests: 0, costMicroUsd: 0 } };
        expect(await reports.cost({ ...ALL, toMs: 0, by: ["user"], limit: 5 })).toMatchObject(nothing);
        expect(await reports.cost({ ...ALL, organizationId: "org_none", by: [], limit: 5 })).toMatchObject(nothing);
        expect(await reports.sessions({ ...ALL, organizationId: "org_none", limit: 5 })).toEqual([]);
        expect(await reports.users({ ...ALL, fromMs: 9, toMs: 9, limit: 5 })).toEqual([]);
      });

      it("splits a session by agent and model", async () => {
        expect(await reports.session("org_acme", "session-1")).toMatchObject([
          { agentId: null, model: "claude-haiku-4-5", costMicroUsd: 5, requests: 1, userId: "usr_ada" },
          { agentId: "agent-1", parentAgentId: null, model: "claude-opus-5", costMicroUsd: 7, cacheWriteTokens: 3 },
        ]);
      });

      it("gives nothing of a session of another organisation", async () => {
        expect(await reports.session("org_other", "session-2")).toEqual([]);
      });

      it("lists sessions with their times, the dearest first", async () => {
        expect(await reports.sessions({ ...ALL, limit: 10 })).toMatchObject([
          { sessionId: "session-1", costMicroUsd: 12, firstAtMs: START_MS - 1, lastAtMs: START_MS + HOUR_MS + 9_000 },
          { sessionId: "session-2", costMicroUsd: 11, userId: "usr_bob", keyId: "key_2" },
        ]);
        expect(await reports.sessions({ ...ALL, limit: 1 })).toHaveLength(1);
      });

      it("counts conversations and models of users", async () => {
        const rows = await reports.users({ ...ALL, limit: 10 });
        expect(rows.map(({ userId, conversations, models }) => [userId, conversations, models])).toEqual([
          ["usr_ada", 1, ["claude-opus-5", "claude-haiku-4-5"]],
          ["usr_bob", 1, ["claude-haiku-4-5"]],
          [null, 0, ["claude-haiku-4-5"]],
        ]);
        expect(rows[0]).toMatchObject({ requests: 2, lastAtMs: START_MS + HOUR_MS + 9_000, cacheReadTokens: 3 });
      });

      it("sums days of a time zone, also one that is off the hour", async () => {
        const days = async (timeZone: string): Promise<unknown[]> =>
          (await reports.days({ ...ALL, timeZone })).map(({ day, costMicroUsd }) => [day, costMicroUsd]);
        expect(await days("UTC")).toEqual([
          ["2026-11-19", 5],
          ["2026-11-20", 7],
          ["2026-11-21", 12],
        ]);
        expect(await days("Asia/Kolkata")).toEqual([
          ["2026-11-20", 12],
          ["2026-11-21", 12],
        ]);
        expect(await days("America/New_York")).toEqual([
          ["2026-11-19", 12],
          ["2026-11-20", 12],
        ]);
      });

      it("exports every exchange in the order of time", async () => {
        const rows = await exported("exchange");
        expect(rows.map(({ exchangeId }) => exchangeId ?? "").toSorted((a, b) => a.localeCompare(b))).toEqual([
          "a",
          "b",
          "c",
          "d",
        ]);
        expect(rows.map(({ startMs }) => startMs)).toEqual(
          rows.map(({ startMs }) => startMs).toSorted((a, b) => a - b),
        );
        expect(rows.find(({ exchangeId }) => exchangeId === "b")).toMatchObject({
          attempt: 1,
          tag: "apollo",
          cacheWriteTokens: 3,
          costMicroUsd: 7,
          outcome: "complete",
        });
      });

      it("exports sums by day that keep the total", async () => {
        const rows = await exported("day");
        expect(rows.map(({ startMs }) => startMs)).toEqual([
          START_MS - DAY_MS,
          START_MS,
          START_MS + DAY_MS,
          START_MS + DAY_MS,
        ]);
        expect(rows.every(({ startMs, endMs }) => endMs - startMs === DAY_MS)).toBe(true);
        expect(rows.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)).toBe(24);
      });

      it("ends an export that its reader has had enough of", async () => {
        for await (const batch of reports.export({ ...ALL, grain: "exchange" })) {
          expect(batch.length).toBeGreaterThan(0);
          break;
        }
        expect((await reports.cost({ ...ALL, by: [], limit: 1 })).total.requests).toBe(4);
      });

      it("says what was metered by day and model, of chosen targets", async () => {
        const rows = await reports.metered({ ...ALL, targets: ["anthropic"] });
        expect(rows.map(({ day, model, costMicroUsd }) => [day, model, costMicroUsd])).toEqual([
          ["2026-11-19", "claude-haiku-4-5", 5],
          ["2026-11-20", "claude-opus-5", 7],
          ["2026-11-21", "claude-haiku-4-5", 1],
        ]);
        expect(rows[1]).toMatchObject({
          cacheWrite5mTokens: 1,
          cacheWrite1hTokens: 2,
          cacheReadTokens: 3,
          estimated: 0,
        });
        const [, , last] = await reports.metered(ALL);
        expect(last).toMatchObject({ requests: 2, estimated: 1, priceVersions: ["2026-11-01", "2026-12-01"] });
      });
    });

    it("counts an entry once, however often it is shipped and in whatever batches", async () => {
      const entries = [1, 2, 3, 4].map((at) => sampleEntry({ exchangeId: `req_${at}`, costMicroUsd: at }));
      await ship(...entries.slice(0, 3));
      await ship(...entries.slice(1));
      await ship(...entries);
      expect(await reports.cost({ ...ALL, by: ["session"], limit: 5 })).toMatchObject({
        total: { costMicroUsd: 10, requests: 4 },
      });
      expect(await reports.days({ ...ALL, timeZone: "UTC" })).toMatchObject([{ costMicroUsd: 10, requests: 4 }]);
    });

    it("counts the same exchange once when it comes again with other times", async () => {
      const entry = sampleEntry({ exchangeId: "req_1", costMicroUsd: 3 });
      await ship(entry);
      await ship({ ...entry, admittedAtMs: entry.admittedAtMs + 70 * DAY_MS });
      expect(await reports.cost({ ...ALL, by: ["session"], limit: 5 })).toMatchObject({ total: { requests: 1 } });
    });

    it("given any window, the sums by session, tag or user are those of the entries in it", async () => {
      const around = fc.integer({ min: START_MS - 3 * DAY_MS, max: START_MS + 3 * DAY_MS });
      const onTheDay = fc.integer({ min: -3, max: 3 }).map((days) => START_MS + days * DAY_MS);
      const moment = fc.oneof(around, onTheDay);
      let round = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(moment, fc.nat(1_000_000), fc.nat(2)), { maxLength: 20 }),
          moment,
          moment,
          async (spent, a, b) => {
            const organizationId = `org_${++round}`;
            const [fromMs, toMs] = [Math.min(a, b), Math.max(a, b)];
            await ship(
              ...spent.map(([admittedAtMs, costMicroUsd, who], at) => {
                const [sessionId, tag, userId] = [`s${who}`, who === 0 ? null : `t${who}`, `u${who}`];
                const exchangeId = `${organizationId}_${at}`;
                return sampleEntry({ exchangeId, organizationId, admittedAtMs, costMicroUsd, sessionId, tag, userId });
              }),
            );
            const inside = spent.filter(([ms]) => ms >= fromMs && ms < toMs);
            const expected = inside.reduce((sum, [, cost]) => sum + cost, 0);
            for (const by of ["session", "tag", "user"] as const) {
              const report = await reports.cost({ organizationId, fromMs, toMs, by: [by], limit: 10 });
              expect(report.total.costMicroUsd).toBe(expected);
              expect(report.total.requests).toBe(inside.length);
              expect(report.rows.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)).toBe(expected);
            }
            const users = await reports.users({ organizationId, fromMs, toMs, limit: 10 });
            expect(users.reduce((sum, { conversations }) => sum + conversations, 0)).toBe(
              new Set(inside.map(([, , who]) => who)).size,
            );
          },
        ),
        { numRuns: 25 },
      );
    });
  });
}
