import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { windowAt } from "../core/calendar-window.ts";
import { ManualClock } from "../core/clock.ts";
import { BudgetBook } from "../ledger/budgets/budget-book.ts";
import { WINDOW_KINDS } from "../ledger/budgets/spend-counter.ts";
import type { Entry } from "../message/entry.ts";
import { MemoryUsageStore } from "../store/memory/memory-usage-store.ts";
import type { BudgetRecord, BudgetScope, DirectorySnapshot, KeyRecord } from "../store/ports/directory.ts";
import { sampleEntry } from "../store/ports/sample-entry.ts";
import { rebuildBudgets } from "./rebuild-budgets.ts";

const NOW_MS = Date.UTC(2026, 9, 28, 12);
const DAY_MS = 86_400_000;
const ZONES = { org_berlin: "Europe/Berlin", org_york: "America/New_York" } as const;
type OrganizationId = keyof typeof ZONES;

/** Each organisation has one team, one user and one key, named after it. */
function subjectsOf(organizationId: OrganizationId): readonly { scope: BudgetScope; id: string }[] {
  return [
    { scope: "organization", id: organizationId },
    { scope: "team", id: `team ${organizationId}` },
    { scope: "user", id: `user ${organizationId}` },
    { scope: "key", id: `key ${organizationId}` },
  ];
}

function directory(): DirectorySnapshot {
  const ids: readonly OrganizationId[] = ["org_berlin", "org_york"];
  const active = { status: "active" } as const;
  return {
    revision: 1,
    organizations: ids.map((id) => ({ id, name: id, timeZone: ZONES[id], ...active })),
    teams: ids.map((id) => ({ id: `team ${id}`, organizationId: id, name: id, ...active })),
    users: ids.map((id) => ({
      id: `user ${id}`,
      organizationId: id,
      teamId: `team ${id}`,
      name: id,
      email: null,
      ...active,
    })),
    keys: ids.map((id): KeyRecord => ({
      id: `key ${id}`,
      organizationId: id,
      teamId: null,
      userId: `user ${id}`,
      name: id,
      keyClass: "dev",
      hmac: id,
      hint: "",
      scopes: { models: [], endpoints: [], addresses: [] },
      limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
      createdAtMs: 0,
      expiresAtMs: null,
      revokedAtMs: null,
      replacesKeyId: null,
    })),
    budgets: [],
  };
}

function entry(organizationId: OrganizationId, admittedAtMs: number, costMicroUsd: number, n: number): Entry {
  const [, team, user, key] = subjectsOf(organizationId);
  return sampleEntry({
    exchangeId: `req_${n}`,
    organizationId,
    teamId: team!.id,
    userId: user!.id,
    keyId: key!.id,
    admittedAtMs,
    costMicroUsd,
  });
}

async function storeOf(entries: readonly Entry[]): Promise<MemoryUsageStore> {
  const store = new MemoryUsageStore();
  await store.ship(
    "journal",
    entries.map((entry) => Buffer.from(JSON.stringify(entry))),
    { segment: 1, offset: 1 },
  );
  return store;
}

/** What every counter of an organisation's subjects says was spent, by subject and window. */
function spentOf(book: BudgetBook, organizationId: OrganizationId): Record<string, number> {
  const standings = book.standings(subjectsOf(organizationId), ZONES[organizationId], NOW_MS);
  return Object.fromEntries(
    standings.map(({ budget, counter }) => [`${budget.subjectId} ${budget.window}`, counter.spent]),
  );
}

function newBook(): BudgetBook {
  const book = new BudgetBook({ clock: new ManualClock(NOW_MS), reserve: "expected", maxOvershoot: 0 });
  const watched = (["org_berlin", "org_york"] as const).flatMap((organizationId) =>
    subjectsOf(organizationId).flatMap(({ scope, id }) =>
      WINDOW_KINDS.map((window): BudgetRecord => ({
        id: "",
        organizationId,
        scope,
        subjectId: id,
        window,
        limitMicroUsd: 1,
        enforcement: "soft",
      })),
    ),
  );
  book.setBudgets(watched);
  return book;
}

describe("rebuildBudgets", () => {
  it("fills every counter with the sum of the rows in its window, each organisation in its own time zone", async () => {
    // October has a change of daylight saving in Berlin, and the weeks before now cross it.
    const row = fc.record({
      organizationId: fc.constantFrom("org_berlin" as const, "org_york" as const),
      agoMs: fc.oneof(fc.nat(2 * DAY_MS), fc.nat(60 * DAY_MS)),
      cost: fc.nat(1_000_000),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 40 }), async (rows) => {
        const entries = rows.map(({ organizationId, agoMs, cost }, n) =>
          entry(organizationId, NOW_MS - agoMs, cost, n),
        );
        const book = newBook();
        await rebuildBudgets(book, await storeOf(entries), { directory: directory(), nowMs: NOW_MS });

        for (const organizationId of ["org_berlin", "org_york"] as const) {
          const expected = subjectsOf(organizationId).flatMap(({ id }) =>
            WINDOW_KINDS.map((window) => {
              const { startMs } = windowAt(window, NOW_MS, ZONES[organizationId]);
              const inWindow = entries.filter(
                (row) => row.organizationId === organizationId && row.admittedAtMs >= startMs,
              );
              return [`${id} ${window}`, inWindow.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0)] as const;
            }),
          );
          expect(spentOf(book, organizationId)).toEqual(Object.fromEntries(expected));
        }
      }),
      { numRuns: 50 },
    );
  });

  it("counts an entry in the windows of its admission, not of its settle", async () => {
    const { startMs } = windowAt("day", NOW_MS, "Europe/Berlin");
    const late = { ...entry("org_berlin", startMs - 1, 700, 1), settledAtMs: NOW_MS };
    const book = newBook();
    await rebuildBudgets(book, await storeOf([late]), { directory: directory(), nowMs: NOW_MS });

    expect(spentOf(book, "org_berlin")).toMatchObject({
      "org_berlin day": 0,
      "org_berlin week": 700,
      "org_berlin total": 700,
    });
  });

  it("is not confused by rows of those who are gone", async () => {
    const gone = sampleEntry({
      organizationId: "org_gone",
      teamId: "t",
      userId: "u",
      keyId: "k",
      admittedAtMs: NOW_MS,
    });
    const book = newBook();
    await rebuildBudgets(book, await storeOf([gone]), { directory: directory(), nowMs: NOW_MS });

    expect(new Set(Object.values(spentOf(book, "org_berlin")))).toEqual(new Set([0]));
  });
});
