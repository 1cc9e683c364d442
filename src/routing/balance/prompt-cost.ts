import { costOf } from "../../ledger/prices/price-book.ts";
import type { Usage } from "../../message/usage.ts";
import type { RouteTarget } from "../target.ts";

/** The part of a prompt that the session has in a cache somewhere. */
export interface CachedPart {
  readonly tokens: number;
  /** Whether that is at the target in question; elsewhere it has to be written again. */
  readonly isWarm: boolean;
  readonly warmFor: "5m" | "1h";
}

/**
 * What a cached part of a prompt costs at a target, as the ledger would charge it: read where it is warm, written anew where it
 * is not, plain input where nothing can be told to cache. The uncached rest goes in as `inputTokens` and `outputTokens`, which
 * `usage` may already hold; its counts of cached tokens are written over.
 */
export function promptCostMicroUsd(usage: Usage, part: CachedPart, target: RouteTarget): number {
  const uncachedTokens = usage.inputTokens;
  const writes = !part.isWarm && target.promptCache === "explicit";
  usage.cacheReadTokens = part.isWarm ? part.tokens : 0;
  usage.cacheWrite5mTokens = writes && part.warmFor === "5m" ? part.tokens : 0;
  usage.cacheWrite1hTokens = writes && part.warmFor === "1h" ? part.tokens : 0;
  usage.inputTokens = part.isWarm || writes ? uncachedTokens : uncachedTokens + part.tokens;
  const cost = costOf(usage, target.price);
  usage.inputTokens = uncachedTokens;
  return cost;
}
