import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { Budget } from "../../ledger/budgets/budget.ts";
import { BudgetBook } from "../../ledger/budgets/budget-book.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import { usageOf } from "./usage-route.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12);
const USER = { scope: "user", id: "usr_1" } as const;
// Of an identity, the answer reads these alone.
const IDENTITY = {
  path: [USER],
  organization: { timeZone: "UTC" },
  principal: { userId: "usr_1", keyId: "key_1" },
} as unknown as Identity;

function answer(budgets: Partial<Record<BudgetWindow, number>>, spentMicroUsd: number): Record<string, unknown> {
  const clock = new ManualClock(NOW_MS);
  const book = new BudgetBook({ clock, reserve: "expected", maxOvershoot: 0 });
  const of = (window: BudgetWindow, limitMicroUsd: number): Budget => ({
    id: window,
    organizationId: "org_1",
    scope: "user",
    subjectId: USER.id,
    window,
    limitMicroUsd,
    enforcement: "hard",
  });
  const windows: readonly BudgetWindow[] = ["day", "week", "month", "total"];
  book.setBudgets(windows.flatMap((window) => (budgets[window] === undefined ? [] : [of(window, budgets[window])])));
  book.charge([USER], "UTC", spentMicroUsd);
  return usageOf(IDENTITY, { book, clock });
}

describe("the caller's own usage", () => {
  it("shows every limit, and as the active one the fullest, in cents", () => {
    expect(answer({ day: 10_000_000, month: 100_000_000 }, 7_609_999)).toEqual({
      extra_usage: { is_enabled: true, monthly_limit: 1_000, used_credits: 760, utilization: 76, currency: "USD" },
      limits: [
        {
          kind: "spend",
          group: "daily",
          scope: "user",
          percent: 76,
          resets_at: "2026-11-21T00:00:00.000Z",
          severity: "warning",
          is_active: true,
        },
        {
          kind: "spend",
          group: "monthly",
          scope: "user",
          percent: 8,
          resets_at: "2026-12-01T00:00:00.000Z",
          severity: "normal",
          is_active: false,
        },
      ],
    });
  });

  it.each([
    [9_499_999, 95, "warning"],
    [9_510_000, 95, "critical"],
    [9_999_999, 99, "critical"],
    [10_000_000, 100, "critical"],
    [12_000_000, 120, "critical"],
  ])("of $10 with %d micro-dollars spent says %d %% and %s", (spent, percent, severity) => {
    expect(answer({ total: 10_000_000 }, spent)).toMatchObject({
      limits: [{ percent, severity, group: "total", resets_at: null }],
    });
  });

  it("of several that are full names the one that lasts longest", () => {
    const { limits } = answer({ day: 1, week: 1, month: 9_000_000 }, 5) as {
      limits: { group: string; is_active: boolean }[];
    };

    expect(limits.filter((limit) => limit.is_active).map(({ group }) => group)).toEqual(["weekly"]);
  });

  it("shows what was spent where nothing is limited", () => {
    expect(answer({}, 1_230_000)).toMatchObject({
      extra_usage: { monthly_limit: null, used_credits: 123, utilization: null, daily: { used_credits: 123 } },
      limits: [],
    });
  });
});
