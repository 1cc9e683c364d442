/**
 * List prices of Claude models in micro-dollars per million tokens, dated. The latest row of a model whose `from` is not
 * in the future applies. Every row says where it comes from.
 */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
}

export interface PriceRow {
  /** Canonical model id. */
  readonly model: string;
  /** First day on which the row applies, UTC. */
  readonly from: string;
  readonly source: string;
  readonly rates: Rates;
  /** Applies instead of `rates` when input + cache reads + cache writes exceed `aboveInputTokens`. */
  readonly longContext?: { readonly aboveInputTokens: number; readonly rates: Rates };
  /** What fast mode multiplies every token rate by. */
  readonly fastMultiplier: number;
}

const SOURCE = "Anthropic list prices as of 2026-11";
const FROM = "2026-01-01";

/** Dollars per million tokens, in the order of the published price list: input, output, 5m write, 1h write, read. */
type Dollars = readonly [input: number, output: number, write5m: number, write1h: number, read: number];

function rates([input, output, write5m, write1h, read]: Dollars): Rates {
  const micro = (dollars: number): number => Math.round(dollars * 1_000_000);
  return {
    input: micro(input),
    output: micro(output),
    cacheWrite5m: micro(write5m),
    cacheWrite1h: micro(write1h),
    cacheRead: micro(read),
  };
}

function row(model: string, dollars: Dollars, extra: Partial<PriceRow> = {}): PriceRow {
  return { model, from: FROM, source: SOURCE, rates: rates(dollars), fastMultiplier: 2, ...extra };
}

const OPUS: Dollars = [5, 25, 6.25, 10, 0.5];
const SONNET_4: Dollars = [3, 15, 3.75, 6, 0.3];

export const PRICE_TABLE: readonly PriceRow[] = [
  row("claude-fable-5-2", [8, 40, 10, 16, 0.2]),
  row("claude-fable-5-1", [10, 50, 12.5, 20, 0.25]),
  row("claude-mythos-5-1", [10, 50, 12.5, 20, 0.25]),
  row("claude-fable-5", [10, 50, 12.5, 20, 1]),
  row("claude-opus-5-5", [4, 20, 5, 8, 0.2]),
  row("claude-opus-5", OPUS),
  row("claude-opus-4-8", OPUS),
  row("claude-opus-4-7", OPUS, { fastMultiplier: 6 }),
  row("claude-opus-4-6", OPUS, { fastMultiplier: 6 }),
  row("claude-opus-4-5", OPUS),
  row("claude-sonnet-5-5", [2, 10, 2.5, 4, 0.1]),
  row("claude-sonnet-5", [2, 10, 2.5, 4, 0.2]),
  row("claude-sonnet-4-6", SONNET_4),
  row("claude-sonnet-4-5", SONNET_4),
  row("claude-haiku-5-5", [0.1, 0.5, 0.125, 0.2, 0.01], {
    longContext: { aboveInputTokens: 100_000, rates: rates([0.5, 2.5, 0.625, 1, 0.05]) },
  }),
  row("claude-haiku-4-5", [1, 5, 1.25, 2, 0.1]),
];

/** What an unknown model costs: never nothing. */
export const UNKNOWN_MODEL_PRICE: PriceRow = row("unknown", OPUS, {
  source: "Tier for models that the table does not know",
});

/** One web search, in micro-dollars: 10 dollars a thousand. Overrides do not change it, the multiplier does. */
export const WEB_SEARCH_MICRO_USD = 10_000;
