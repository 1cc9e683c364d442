import { formatUsd } from "../../core/money.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import { groupedNumber } from "../words.ts";
import type { Balancer, BalanceContext } from "./balancer.ts";
import type { Candidate } from "./candidate.ts";
import { sortByScore } from "./sort-by-score.ts";
import { promptCostMicroUsd } from "./prompt-cost.ts";

/**
 * By what this request is expected to cost there. Where the session's prompt cache is warm it is read; elsewhere what is warm
 * has to be written again.
 */
export const cheapest: Balancer = {
  name: "cheapest",
  token: "cheapest",
  ignoresShare: true,
  chosen: null,
  arrange(candidates, context) {
    const usage = emptyUsage();
    for (const candidate of candidates) candidate.score = expectedCost(candidate, context, usage);
    sortByScore(candidates);
  },
  explain(candidate, context) {
    const cost = `$${formatUsd(expectedCost(candidate, context, emptyUsage()))} expected`;
    if (context.warmTokens === 0) return cost;
    const verb = candidate.target.key === context.warmKey ? "reading" : "writing";
    return `${cost}, ${verb} ${groupedNumber(context.warmTokens)} cached tokens`;
  },
};

/** Micro-dollars for the request at a candidate. `usage` is written over. */
function expectedCost({ target }: Candidate, context: BalanceContext, usage: Usage): number {
  const tokens = Math.min(context.warmTokens, context.inputTokens);
  usage.inputTokens = context.inputTokens - tokens;
  usage.outputTokens = context.outputTokens;
  const isWarm = target.key === context.warmKey;
  return promptCostMicroUsd(usage, { tokens, isWarm, warmFor: context.warmFor }, target);
}
