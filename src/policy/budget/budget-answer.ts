import { formatUsd } from "../../core/money.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { BudgetRefusal, BudgetStanding } from "../../ledger/budgets/budget-book.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";

/** Utilisations from which Claude Code warns its user, highest first. */
const WARN_ABOVE = [0.95, 0.75] as const;

const PERIOD = { day: "daily", week: "weekly", month: "monthly", total: "total" } as const satisfies Record<
  BudgetWindow,
  string
>;

/**
 * The refusal of a request for which a hard budget has no room: 429 `billing_error`, not to be retried, with the headers
 * that Claude Code reads. Its message begins with the words and the date form that the client recognises and localises.
 */
export function budgetRefusal({ budget, counter }: BudgetRefusal, nowMs: number): WeirError {
  const parts = ["spend limit reached"];
  if (Number.isFinite(counter.endMs)) parts.push(`resets ${shortDate(counter.endMs)}`);
  const limit = `$${formatUsd(budget.limitMicroUsd)}`;
  parts.push(
    `the ${PERIOD[budget.window]} budget of this ${budget.scope}, ${limit}, has no room for this request ` +
      `($${formatUsd(counter.spent)} spent, $${formatUsd(counter.reserved)} reserved by running requests); ` +
      `ask your administrator for an increase`,
  );
  const standing: BudgetStanding = { budget, counter, utilization: 1 };
  const facts = Number.isFinite(counter.endMs)
    ? { retryAfterSeconds: (counter.endMs - nowMs) / 1000, headers: budgetHeaders(standing, true) }
    : { headers: budgetHeaders(standing, true) };
  return new WeirError("weir:budget:exceeded", parts.join(" · "), facts);
}

/** The headers that tell a caller with a budget how full it is; Claude Code warns its user by them. */
export function budgetHeaders(standing: BudgetStanding, exceeded: boolean): Record<string, string> {
  const { budget, counter } = standing;
  const utilization = Math.min(1, Math.max(0, standing.utilization));
  const surpassed = exceeded ? 1 : WARN_ABOVE.find((threshold) => utilization > threshold);
  const status = exceeded ? "rejected" : surpassed === undefined ? "allowed" : "allowed_warning";
  const headers: Record<string, string> = {
    "anthropic-ratelimit-unified-status": status,
    "anthropic-ratelimit-unified-overage-utilization": String(Math.round(utilization * 10_000) / 10_000),
  };
  if (Number.isFinite(counter.endMs)) {
    const reset = String(Math.floor(counter.endMs / 1000));
    headers["anthropic-ratelimit-unified-reset"] = reset;
    headers["anthropic-ratelimit-unified-overage-reset"] = reset;
  }
  if (surpassed !== undefined) headers["anthropic-ratelimit-unified-overage-surpassed-threshold"] = String(surpassed);
  if (exceeded) {
    headers["anthropic-ratelimit-unified-overage-period"] = PERIOD[budget.window];
    headers["anthropic-ratelimit-unified-overage-disabled-reason"] = "org_spend_cap_reached";
  } else {
    headers["anthropic-ratelimit-unified-representative-claim"] = "overage";
    headers["anthropic-ratelimit-unified-overage-status"] = status;
  }
  return headers;
}

function shortDate(ms: number): string {
  return new Intl.DateTimeFormat("en-US", { month: "short", day: "numeric", timeZone: "UTC" }).format(ms);
}
