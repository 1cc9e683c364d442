import { isRefusal, type CostForecast } from "../../ledger/budgets/budget-book.ts";
import { budgetHeaders, budgetRefusal } from "../../policy/budget/budget-answer.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";

/**
 * Refuses a batch for which a hard budget on the caller's path has no room (WeirError 429). Nothing stays reserved: a batch
 * runs for up to a day, and money held that long would starve everything else of the budget. So batches that run at the
 * same time may together pass a limit that each of them fits under; what they cost is counted as soon as each has ended.
 */
export function checkBatchBudget(exchange: Exchange, services: GatewayServices, forecast: CostForecast): void {
  const { path, organization } = required(exchange.identity, "identity");
  const now = services.windowClock.nowMs();
  const reserved = services.budgets.reserve(path, organization.timeZone, forecast, now);
  if (isRefusal(reserved)) throw budgetRefusal(reserved, now, exchange.snapshot.blockedMessage);
  services.budgets.settle(reserved, 0);
  const fullest = services.budgets.fullest(path, organization.timeZone, now);
  if (fullest !== null) exchange.budgetHeaders = budgetHeaders(fullest, false);
}
