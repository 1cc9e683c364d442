import { formatUsd } from "../../core/money.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { BudgetRefusal, BudgetStanding } from "../../ledger/budgets/budget-book.ts";
import { raisedUntil } from "../../ledger/budgets/budget.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { PayerScope } from "../../store/ports/spend-limits.ts";

/** What a budget that still admits shows at most. */
const MOST_BEFORE_FULL = 0.99;

/** Utilisations from which Claude Code warns its user, highest first. */
const WARN_ABOVE = [0.95, 0.75] as const;

const PERIOD = { day: "daily", week: "weekly", month: "monthly", total: "total" } as const satisfies Record<
  BudgetWindow,
  string
>;

/** Budgets that a caller shares with others: what they spent, somebody else may have. */
const POOLS: ReadonlySet<PayerScope> = new Set(["organization", "team", "tag"]);

/**
 * The refusal of a request for which a hard budget has no room: 429 `billing_error`, not to be retried, with the headers
 * that Claude Code reads. Its message begins with the words and the date form that the client recognises and localises, says
 * whose budget it is and when it resets, and ends with what to do: `instruction` where the operator wrote one.
 */
export function budgetRefusal(refusal: BudgetRefusal, nowMs: number, instruction: string | null = null): WeirError {
  const { budget, counter, limitMicroUsd } = refusal;
  // A budget of nothing does not become one of something when its window turns.
  const resets = Number.isFinite(counter.endMs) && limitMicroUsd > 0;
  const parts = ["spend limit reached"];
  if (resets) parts.push(`resets ${shortDate(counter.endMs)}`);
  const until = raisedUntil(budget, nowMs);
  const limit = `$${formatUsd(limitMicroUsd)}${until === null ? "" : ` (raised until ${shortDate(until)})`}`;
  const facts =
    `the ${PERIOD[budget.window]} budget of this ${budget.scope}, ${limit}, has no room for this request ` +
    `($${formatUsd(counter.spent)} spent, $${formatUsd(counter.reserved)} reserved by running requests)`;
  if (instruction === null) parts.push(`${facts}; ask your administrator for an increase`);
  else parts.push(facts, instruction);
  const standing: BudgetStanding = { budget, counter, limitMicroUsd, utilization: 1 };
  const headers = budgetHeaders(standing, true);
  const retryAfterSeconds = (counter.endMs - nowMs) / 1000;
  const answer = Number.isFinite(counter.endMs) ? { retryAfterSeconds, headers } : { headers };
  return new WeirError("weir:budget:exceeded", parts.join(" · "), answer);
}

/** The headers that tell a caller with a budget how full it is; Claude Code warns its user by them. */
export function budgetHeaders(standing: BudgetStanding, exceeded: boolean): Record<string, string> {
  const { budget, counter } = standing;
  // Full is what refuses; until then the client is not to read that nothing is left.
  const utilization = exceeded ? 1 : Math.min(MOST_BEFORE_FULL, Math.max(0, standing.utilization));
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
    if (POOLS.has(budget.scope)) headers["anthropic-ratelimit-unified-overage-scope"] = "group_pool";
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
