import { describe, expect, it } from "vitest";

import { windowAt } from "../../core/calendar-window.ts";
import type { SpendCounter } from "../../ledger/budgets/spend-counter.ts";
import type { BudgetRecord, BudgetWindow } from "../../store/ports/directory.ts";
import { errorHeaders } from "../../wire/anthropic/error-body.ts";
import type { BudgetRefusal } from "../../ledger/budgets/budget-book.ts";
import { budgetHeaders, budgetRefusal } from "./budget-answer.ts";

const NOW_MS = Date.UTC(2026, 10, 20, 12);

function budget(window: BudgetWindow): BudgetRecord {
  const [organizationId, scope, subjectId] = ["org_1", "team" as const, "team_1"];
  return { id: "bud_1", organizationId, scope, subjectId, window, limitMicroUsd: 25_000_000, enforcement: "hard" };
}

function counter(kind: BudgetWindow, given: Partial<SpendCounter> = {}): SpendCounter {
  return {
    kind,
    ...windowAt(kind, NOW_MS, "UTC"),
    spent: 24_000_000,
    reserved: 500_000,
    exposure: 0,
    refused: false,
    ...given,
  };
}

function refusalOf(window: BudgetWindow, given: Partial<BudgetRefusal> = {}): BudgetRefusal {
  const limited = given.budget ?? budget(window);
  return { budget: limited, counter: counter(window), limitMicroUsd: limited.limitMicroUsd, ...given };
}

describe("budgetRefusal", () => {
  it("is a billing error that is not to be repeated, and says whose budget is full, when it resets and what to do", () => {
    const refusal = budgetRefusal(refusalOf("day"), NOW_MS);

    expect(refusal.row).toMatchObject({ status: 429, type: "billing_error", retry: false });
    expect(refusal.message).toBe(
      "spend limit reached · resets Nov 21 · the daily budget of this team, $25.00, has no room for this request " +
        "($24.00 spent, $0.50 reserved by running requests); ask your administrator for an increase",
    );
  });

  it("carries the headers that Claude Code reads", () => {
    const refusal = budgetRefusal(refusalOf("day"), NOW_MS);
    const reset = String(Date.UTC(2026, 10, 21) / 1_000);

    expect(errorHeaders(refusal)).toEqual({
      "anthropic-ratelimit-unified-status": "rejected",
      "anthropic-ratelimit-unified-overage-utilization": "1",
      "anthropic-ratelimit-unified-reset": reset,
      "anthropic-ratelimit-unified-overage-reset": reset,
      "anthropic-ratelimit-unified-overage-surpassed-threshold": "1",
      "anthropic-ratelimit-unified-overage-period": "daily",
      "anthropic-ratelimit-unified-overage-scope": "group_pool",
      "anthropic-ratelimit-unified-overage-disabled-reason": "org_spend_cap_reached",
      "retry-after": "43200",
      "x-should-retry": "false",
    });
  });

  it.each([
    ["week", "weekly", "Nov 23"],
    ["month", "monthly", "Dec 1"],
  ] as const)("names the period of a %s", (window, period, reset) => {
    const refusal = budgetRefusal(refusalOf(window), NOW_MS);

    expect(refusal.message).toContain(`resets ${reset} · the ${period} budget`);
    expect(refusal.facts.headers?.["anthropic-ratelimit-unified-overage-period"]).toBe(period);
  });

  it("promises no reset of a total budget", () => {
    const refusal = budgetRefusal(refusalOf("total"), NOW_MS);

    expect(refusal.message).toMatch(/^spend limit reached · the total budget/);
    expect(Object.keys(errorHeaders(refusal)).filter((name) => /reset|retry-after/.test(name))).toEqual([]);
  });
});

describe("what the refusal tells beyond that", () => {
  it("ends with the operator's instruction where there is one, as it was written", () => {
    const { message } = budgetRefusal(refusalOf("day"), NOW_MS, "ask at https://go.example.com/limits");

    expect(message).toMatch(/ \$0\.50 reserved by running requests\) · ask at https:\/\/go\.example\.com\/limits$/);
    expect(message).not.toContain("administrator");
  });

  it("names the raised limit and until when it is raised", () => {
    const raises = [{ addMicroUsd: 5_000_000, fromMs: NOW_MS - 1, untilMs: Date.UTC(2026, 10, 25) }];
    const raised = refusalOf("day", { budget: { ...budget("day"), raises }, limitMicroUsd: 30_000_000 });

    expect(budgetRefusal(raised, NOW_MS).message).toContain("of this team, $30.00 (raised until Nov 25), has no room");
  });

  it("promises nothing of a budget of nothing, and marks a person's own budget as no pool", () => {
    const own = { ...budget("day"), scope: "user" as const, limitMicroUsd: 0 };
    const refusal = budgetRefusal(refusalOf("day", { budget: own, limitMicroUsd: 0 }), NOW_MS);

    expect(refusal.message).toMatch(/^spend limit reached · the daily budget of this user, \$0\.00/);
    expect(errorHeaders(refusal)).not.toHaveProperty("anthropic-ratelimit-unified-overage-scope");
  });
});

describe("budgetHeaders", () => {
  const at = (utilization: number): Record<string, string> =>
    budgetHeaders({ budget: budget("day"), counter: counter("day"), limitMicroUsd: 25_000_000, utilization }, false);

  it.each([
    [0, "allowed", undefined],
    [0.75, "allowed", undefined],
    [0.7501, "allowed_warning", "0.75"],
    [0.95, "allowed_warning", "0.75"],
    [0.951, "allowed_warning", "0.95"],
  ])("at a utilisation of %d say %s", (utilization, status, threshold) => {
    const headers = at(utilization);

    expect(headers["anthropic-ratelimit-unified-status"]).toBe(status);
    expect(headers["anthropic-ratelimit-unified-overage-status"]).toBe(status);
    expect(headers["anthropic-ratelimit-unified-representative-claim"]).toBe("overage");
    expect(headers["anthropic-ratelimit-unified-overage-surpassed-threshold"]).toBe(threshold);
  });

  it.each([
    [-1, "0"],
    [0.123456, "0.1235"],
    [1.7, "0.99"],
  ])("show a utilisation of %d as %s", (utilization, shown) => {
    expect(at(utilization)["anthropic-ratelimit-unified-overage-utilization"]).toBe(shown);
  });
});
