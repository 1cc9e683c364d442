import type { MicroUsd } from "../../core/money.ts";
import { emptyUsage } from "../../message/usage.ts";
import { promptCostMicroUsd } from "../balance/prompt-cost.ts";
import type { RouteTarget } from "../target.ts";
import type { WarmCache } from "./session-table.ts";

/**
 * What it costs that a session's prompt cache is not where its next request goes: the warm tokens at that target's rate for
 * cache writes (for input, where it writes none) less its rate for cache reads. Whole micro-dollars, never negative.
 */
export function moveCostMicroUsd({ tokens, life }: WarmCache, to: RouteTarget): MicroUsd {
  const cold = promptCostMicroUsd(emptyUsage(), { tokens, warmFor: life, isWarm: false }, to);
  const warm = promptCostMicroUsd(emptyUsage(), { tokens, warmFor: life, isWarm: true }, to);
  return Math.max(0, cold - warm);
}
