import { QuantileSketch } from "../../core/quantile-sketch.ts";
import type { Price } from "../prices/price-book.ts";
import type { CostForecast } from "./budget-book.ts";

/** What is known of a request before it is sent. */
export interface RequestSize {
  readonly keyId: string;
  readonly model: string;
  /** Bytes of the JSON body. */
  readonly bodyBytes: number;
  readonly maxTokens: number;
  /** Whether it asks for one-hour cache writes, which cost twice the input rate. */
  readonly longCacheWrites: boolean;
  /** Whether it asks for fast mode, which multiplies every rate. */
  readonly fast: boolean;
}

/** A token of JSON-wrapped text is at least two bytes long in every script that was measured; three and a half is typical. */
const WORST_BYTES_PER_TOKEN = 2;
const TYPICAL_BYTES_PER_TOKEN = 3.5;
/** Output tokens expected of a key and model never seen before; agents seldom write more in one turn. */
const PRIOR_OUTPUT_TOKENS = 2_048;
/** Observations from which the sketch is trusted alone. */
const TRUSTED_WEIGHT = 20;
/** No reservation is below this, so that a run of tiny requests does not make the next large one look free. */
const FLOOR_MICRO_USD = 100;
/** Sketches kept; beyond it the oldest is forgotten and learnt anew. */
const MAX_SKETCHES = 20_000;

/**
 * Learns what requests of a key and model really cost, so that a reservation is neither the worst case (which fills small
 * budgets with money that nobody spends) nor nothing.
 */
export class CostForecaster {
  readonly #sketches = new Map<string, QuantileSketch>();
  #quantile: number;

  constructor(quantile: number) {
    this.#quantile = quantile;
  }

  configure(quantile: number): void {
    this.#quantile = quantile;
  }

  /** Estimated input tokens of a body, for limits and for settling what a crash interrupted. */
  static estimateInputTokens(bodyBytes: number): number {
    return Math.ceil(bodyBytes / TYPICAL_BYTES_PER_TOKEN);
  }

  forecast(size: RequestSize, price: Price): CostForecast {
    const { rates } = price.row;
    const write = size.longCacheWrites ? rates.cacheWrite1h : rates.cacheWrite5m;
    const inputRate = Math.max(rates.input, write);
    const cost = (bytesPerToken: number, outputTokens: number): number =>
      Math.ceil(
        (((size.bodyBytes / bytesPerToken) * inputRate + outputTokens * rates.output) / 1_000_000) *
          (price.multiplierPpm / 1_000_000) *
          (size.fast ? price.row.fastMultiplier : 1),
      );
    const worst = Math.max(FLOOR_MICRO_USD, cost(WORST_BYTES_PER_TOKEN, size.maxTokens));
    const sketch = this.#sketches.get(sketchKey(size.keyId, size.model));
    const learnt = sketch === undefined ? 0 : sketch.quantile(this.#quantile);
    const trusted = sketch !== undefined && sketch.weight >= TRUSTED_WEIGHT;
    const prior = cost(TYPICAL_BYTES_PER_TOKEN, Math.min(size.maxTokens, PRIOR_OUTPUT_TOKENS));
    const expected = trusted ? learnt : Math.max(learnt, prior);
    return { expected: Math.min(worst, Math.max(FLOOR_MICRO_USD, expected)), worst };
  }

  /** Tells what a request cost in the end. */
  observe(keyId: string, model: string, costMicroUsd: number): void {
    const key = sketchKey(keyId, model);
    let sketch = this.#sketches.get(key);
    if (sketch === undefined) {
      if (this.#sketches.size >= MAX_SKETCHES) this.#sketches.delete(this.#sketches.keys().next().value ?? "");
      sketch = new QuantileSketch();
      this.#sketches.set(key, sketch);
    }
    sketch.add(costMicroUsd);
  }
}

function sketchKey(keyId: string, model: string): string {
  return `${keyId}/${model}`;
}
