import { QuantileSketch } from "../../core/quantile-sketch.ts";
import { ratesFor, US_REGION_FACTOR, type Price } from "../prices/price-book.ts";
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
  /** The region that it asks for; `us` costs more. */
  readonly inferenceGeo?: string | null;
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
/** Observations after which the quantile is read again. */
const REFRESH_EVERY = 16;
/** Keys remembered; beyond it the oldest is forgotten and learnt anew. */
const MAX_KEYS = 20_000;

/**
 * Learns what requests of a key and model really cost, so that a reservation is neither the worst case (which fills small
 * budgets with money that nobody spends) nor nothing.
 */
export class CostForecaster {
  /** By key, then by model. */
  readonly #sketches = new Map<string, Map<string, Learnt>>();
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
    const factor =
      (price.multiplierPpm / 1_000_000) *
      (size.fast ? price.row.fastMultiplier : 1) *
      (size.inferenceGeo === "us" ? US_REGION_FACTOR : 1);
    const cost = (bytesPerToken: number, outputTokens: number): number => {
      const inputTokens = size.bodyBytes / bytesPerToken;
      const rates = ratesFor(inputTokens, price.row);
      const inputRate = Math.max(rates.input, size.longCacheWrites ? rates.cacheWrite1h : rates.cacheWrite5m);
      return Math.ceil(((inputTokens * inputRate + outputTokens * rates.output) / 1_000_000) * factor);
    };
    const worst = Math.max(FLOOR_MICRO_USD, cost(WORST_BYTES_PER_TOKEN, size.maxTokens));
    const known = this.#sketches.get(size.keyId)?.get(size.model);
    const learnt = known?.expected ?? 0;
    const trusted = known !== undefined && known.sketch.weight >= TRUSTED_WEIGHT;
    const prior = cost(TYPICAL_BYTES_PER_TOKEN, Math.min(size.maxTokens, PRIOR_OUTPUT_TOKENS));
    const expected = trusted ? learnt : Math.max(learnt, prior);
    return { expected: Math.min(worst, Math.max(FLOOR_MICRO_USD, expected)), worst };
  }

  /** Tells what a request cost in the end. */
  observe(keyId: string, model: string, costMicroUsd: number): void {
    const learnt = this.#learnt(keyId, model);
    learnt.sketch.add(costMicroUsd);
    // Often while little is known, seldom afterwards.
    if (++learnt.sinceQuantile < Math.min(REFRESH_EVERY, learnt.sketch.weight)) return;
    learnt.sinceQuantile = 0;
    learnt.expected = learnt.sketch.quantile(this.#quantile);
  }

  #learnt(keyId: string, model: string): Learnt {
    let byModel = this.#sketches.get(keyId);
    if (byModel === undefined) {
      if (this.#sketches.size >= MAX_KEYS) this.#sketches.delete(this.#sketches.keys().next().value ?? "");
      byModel = new Map();
      this.#sketches.set(keyId, byModel);
    }
    let learnt = byModel.get(model);
    if (learnt === undefined) {
      learnt = { sketch: new QuantileSketch(), expected: 0, sinceQuantile: 0 };
      byModel.set(model, learnt);
    }
    return learnt;
  }
}

/** What is known of one key and model. */
interface Learnt {
  readonly sketch: QuantileSketch;
  /** The quantile as last read from the sketch: reading it costs more than adding to it. */
  expected: number;
  sinceQuantile: number;
}
