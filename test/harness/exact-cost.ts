import type { Usage } from "../../src/message/usage.ts";

/**
 * What usage costs, computed apart from Weir: prices in thousandths of a dollar per million tokens (which is thousandths of
 * a micro-dollar per token), everything in big integers, one rounding at the end. The list is written anew on purpose: a
 * wrong figure in one of the two shows.
 */
type Thousandths = readonly [input: bigint, output: bigint, write5m: bigint, write1h: bigint, read: bigint];

const PRICES: Readonly<Record<string, Thousandths>> = {
  "claude-fable-5-2": [8_000n, 40_000n, 10_000n, 16_000n, 200n],
  "claude-fable-5-1": [10_000n, 50_000n, 12_500n, 20_000n, 250n],
  "claude-mythos-5-1": [10_000n, 50_000n, 12_500n, 20_000n, 250n],
  "claude-fable-5": [10_000n, 50_000n, 12_500n, 20_000n, 1_000n],
  "claude-opus-5-5": [4_000n, 20_000n, 5_000n, 8_000n, 200n],
  "claude-opus-5": [5_000n, 25_000n, 6_250n, 10_000n, 500n],
  "claude-opus-4-7": [5_000n, 25_000n, 6_250n, 10_000n, 500n],
  "claude-sonnet-5-5": [2_000n, 10_000n, 2_500n, 4_000n, 100n],
  "claude-sonnet-5": [2_000n, 10_000n, 2_500n, 4_000n, 200n],
  "claude-sonnet-4-6": [3_000n, 15_000n, 3_750n, 6_000n, 300n],
  "claude-haiku-4-5": [1_000n, 5_000n, 1_250n, 2_000n, 100n],
};
const HAIKU_5_5: Thousandths = [100n, 500n, 125n, 200n, 10n];
const HAIKU_5_5_LONG: Thousandths = [500n, 2_500n, 625n, 1_000n, 50n];
const HAIKU_LONG_ABOVE = 100_000;
const FAST: Readonly<Record<string, bigint>> = { "claude-opus-4-7": 6n };
const WEB_SEARCH = 10_000_000n;

/** The models that have a price here. */
export const PRICED_MODELS: readonly string[] = [...Object.keys(PRICES), "claude-haiku-5-5"];

/** The cost in micro-dollars, rounded half up. */
export function exactCostMicroUsd(model: string, usage: Usage): number {
  const tokens = [
    usage.inputTokens,
    usage.outputTokens,
    usage.cacheWrite5mTokens,
    usage.cacheWrite1hTokens,
    usage.cacheReadTokens,
  ];
  const prices = pricesOf(model, usage);
  let sum = tokens.reduce((sum, count, kind) => sum + BigInt(count) * (prices[kind] ?? 0n), 0n);
  // In twentieths from here on: US inference is eleven tenths, a batch one half.
  sum *= 20n;
  if (usage.speed === "fast") sum *= FAST[model] ?? 2n;
  if (usage.inferenceGeo === "us") sum = (sum / 10n) * 11n;
  if (usage.serviceTier === "batch") sum /= 2n;
  sum += BigInt(usage.webSearchRequests) * WEB_SEARCH * 20n;
  return Number((sum + 10_000n) / 20_000n);
}

function pricesOf(model: string, usage: Usage): Thousandths {
  if (model !== "claude-haiku-5-5") return PRICES[model] ?? [0n, 0n, 0n, 0n, 0n];
  const context = usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  return context > HAIKU_LONG_ABOVE ? HAIKU_5_5_LONG : HAIKU_5_5;
}
