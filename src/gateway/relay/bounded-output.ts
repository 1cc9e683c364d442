import type { Exchange } from "../exchange.ts";

/**
 * An estimate of output tokens that was made from bytes, cut to what the request allowed: no answer has more, whatever an
 * upstream sends. Budgets hold back that much and no more.
 */
export function boundedOutputTokens({ scan }: Pick<Exchange, "scan">, estimatedTokens: number): number {
  return Math.min(estimatedTokens, scan?.maxTokens ?? 0);
}
