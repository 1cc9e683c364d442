import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS } from "../../message/models.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import { costOf, PriceBook, type Price } from "../prices/price-book.ts";
import { CostForecaster, type RequestSize } from "./cost-forecaster.ts";

function priceOf(model: string, multiplier = 1): Price {
  const book = new PriceBook({ overrides: [], multiplier, date: "2026-11-20" });
  return book.resolve({ upstream: "anthropic", upstreamModel: model, modelAsked: model, modelConfigured: null });
}

function size(given: Partial<RequestSize> = {}): RequestSize {
  return {
    keyId: "key_1",
    model: "claude-sonnet-4-5",
    bodyBytes: 7_000,
    maxTokens: 4_000,
    longCacheWrites: false,
    fast: false,
    ...given,
  };
}

const PRICE = priceOf("claude-sonnet-4-5");

/** What a request may use at most: two bytes a token in, `max_tokens` out, each input token of one kind. */
const request = fc
  .record({
    bodyBytes: fc.integer({ min: 2, max: 1_000_000 }),
    maxTokens: fc.nat(64_000),
    longCacheWrites: fc.boolean(),
    fast: fc.boolean(),
    inferenceGeo: fc.constantFrom("us", "global", null),
    shares: fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100), fc.nat(100)),
    outputShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ shares, outputShare, ...request }) => {
    const inputTokens = Math.floor(request.bodyBytes / 2);
    const sum = shares[0] + shares[1] + shares[2] + shares[3] || 1;
    const part = (share: number): number => Math.floor((inputTokens * share) / sum);
    const usage: Usage = {
      ...emptyUsage(),
      inputTokens: part(shares[0]),
      cacheReadTokens: part(shares[1]),
      cacheWrite5mTokens: part(shares[2]),
      cacheWrite1hTokens: request.longCacheWrites ? part(shares[3]) : 0,
      outputTokens: Math.floor(request.maxTokens * outputShare),
      speed: request.fast ? "fast" : "standard",
      inferenceGeo: request.inferenceGeo,
    };
    return { size: size(request), usage };
  });

describe("the worst case", () => {
  it("is not passed by any cost that the request can have, on any model, at any multiplier", () => {
    const model = fc.constantFrom(...BUILTIN_MODELS.map(({ id }) => id), "unknown-model");
    const multiplier = fc.integer({ min: 1, max: 10_000 }).map((thousandths) => thousandths / 1_000);
    fc.assert(
      fc.property(request, model, multiplier, ({ size, usage }, model, multiplier) => {
        const price = priceOf(model, multiplier);

        expect(new CostForecaster(0.95).forecast(size, price).worst).toBeGreaterThanOrEqual(costOf(usage, price));
      }),
      { numRuns: 1_000 },
    );
  });

  it("is never below what is expected, whatever was learnt", () => {
    fc.assert(
      fc.property(request, fc.array(fc.nat(10_000_000), { maxLength: 60 }), ({ size }, costs) => {
        const forecaster = new CostForecaster(0.95);
        for (const cost of costs) forecaster.observe(size.keyId, size.model, cost);
        const { expected, worst } = forecaster.forecast(size, PRICE);

        expect(expected).toBeLessThanOrEqual(worst);
        expect(expected).toBeGreaterThan(0);
        expect([expected, worst].every(Number.isSafeInteger)).toBe(true);
      }),
    );
  });
});

describe("what is expected", () => {
  it("does not take max_tokens for what an unknown key will write", () => {
    const modest = new CostForecaster(0.95).forecast(size({ maxTokens: 2_048 }), PRICE);
    const greedy = new CostForecaster(0.95).forecast(size({ maxTokens: 64_000 }), PRICE);

    expect(greedy.expected).toBe(modest.expected);
    expect(greedy.worst).toBeGreaterThan(modest.worst * 10);
  });

  it("is what the key and model really cost, once there is enough evidence", () => {
    const forecaster = new CostForecaster(0.95);
    for (let i = 0; i < 100; i++) forecaster.observe("key_1", "claude-sonnet-4-5", 3_000);
    const { expected } = forecaster.forecast(size({ maxTokens: 64_000 }), PRICE);

    expect(expected).toBeGreaterThanOrEqual(3_000);
    expect(expected).toBeLessThan(3_000 * 1.1);
  });

  it("is not lowered by a few cheap answers", () => {
    const forecaster = new CostForecaster(0.95);
    const untaught = forecaster.forecast(size(), PRICE).expected;
    for (let i = 0; i < 19; i++) forecaster.observe("key_1", "claude-sonnet-4-5", 200);

    expect(forecaster.forecast(size(), PRICE).expected).toBe(untaught);
  });

  it("is raised by the first dear answer", () => {
    const forecaster = new CostForecaster(0.95);
    forecaster.observe("key_1", "claude-sonnet-4-5", 50_000);

    expect(forecaster.forecast(size({ maxTokens: 64_000 }), PRICE).expected).toBeGreaterThanOrEqual(50_000);
  });

  it("is learnt for each key and model apart", () => {
    const forecaster = new CostForecaster(0.95);
    const untaught = forecaster.forecast(size(), PRICE);
    for (let i = 0; i < 100; i++) {
      forecaster.observe("key_2", "claude-sonnet-4-5", 900_000);
      forecaster.observe("key_1", "claude-opus-5", 900_000);
    }

    expect(forecaster.forecast(size(), PRICE)).toEqual(untaught);
  });

  it("follows the configured quantile", () => {
    const forecaster = new CostForecaster(0.5);
    const teach = (): void => {
      for (let i = 0; i < 100; i++) forecaster.observe("key_1", "claude-sonnet-4-5", i % 10 === 0 ? 40_000 : 1_000);
    };
    teach();
    expect(forecaster.forecast(size({ maxTokens: 64_000 }), PRICE).expected).toBeLessThan(1_100);

    forecaster.configure(0.95);
    teach();
    expect(forecaster.forecast(size({ maxTokens: 64_000 }), PRICE).expected).toBeGreaterThanOrEqual(40_000);
  });

  it("has a floor, so that tiny requests do not make the next one look free", () => {
    const { expected, worst } = new CostForecaster(0.95).forecast(size({ bodyBytes: 10, maxTokens: 0 }), PRICE);

    expect([expected, worst]).toEqual([100, 100]);
  });
});

describe("CostForecaster.estimateInputTokens", () => {
  it("errs by rounding up", () => {
    expect([0, 1, 7, 3_500].map((bytes) => CostForecaster.estimateInputTokens(bytes))).toEqual([0, 1, 2, 1_000]);
  });
});
