import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { costOf, PriceBook } from "../../ledger/prices/price-book.ts";
import { emptyUsage } from "../../message/usage.ts";
import { BatchTally, type PricedModel } from "./batch-tally.ts";
import { answered } from "./testing/fake-object-upstream.ts";

const PRICES = new PriceBook({ overrides: [], multiplier: 1, date: "2026-11-20" });

function pricedBy(model: string): PricedModel {
  const price = PRICES.resolve({ upstream: "u", upstreamModel: model, modelAsked: model, modelConfigured: null });
  return { model, price };
}

function tallied(...lines: readonly object[]): BatchTally {
  const tally = new BatchTally(pricedBy);
  for (const line of lines) tally.add(Buffer.from(JSON.stringify(line)));
  return tally;
}

describe("the tally of a batch", () => {
  it("sums what each model used and prices it at half, rounding once", () => {
    const tally = tallied(
      answered("a", "claude-opus-5-5", { input_tokens: 1, output_tokens: 0 }),
      answered("b", "claude-sonnet-5-5", { input_tokens: 1_000, output_tokens: 100, cache_read_input_tokens: 10 }),
      answered("c", "claude-opus-5-5", { input_tokens: 2, output_tokens: 3 }),
    );
    const [opus, sonnet] = tally.uses();
    expect(tally.succeeded).toBe(3);
    expect(opus).toMatchObject({ model: "claude-opus-5-5", usage: { inputTokens: 3, outputTokens: 3 } });
    // (3 x 4 + 3 x 20) / 2
    expect(opus?.costMicroUsd).toBe(36);
    // (1000 x 2 + 100 x 10 + 10 x 0.1) / 2 = 1500.5
    expect(sonnet?.costMicroUsd).toBe(1_501);
    expect(sonnet?.usage.serviceTier).toBe("batch");
  });

  it("counts failed, cancelled and expired requests as nothing", () => {
    const tally = tallied(
      { custom_id: "a", result: { type: "errored", error: { type: "error" } } },
      { custom_id: "b", result: { type: "canceled" } },
      { custom_id: "c", result: { type: "expired" } },
    );
    expect(tally.uses()).toEqual([]);
    expect(tally).toMatchObject({ succeeded: 0, unreadable: 0 });
  });

  it("does not take many short contexts for a long one", () => {
    const short = answered("s", "claude-haiku-5-5", { input_tokens: 60_000, output_tokens: 0 });
    const long = answered("l", "claude-haiku-5-5", { input_tokens: 100_001, output_tokens: 0 });
    const uses = tallied(short, short, short, long).uses();
    expect(uses.map(({ usage, costMicroUsd }) => [usage.inputTokens, costMicroUsd])).toEqual([
      [180_000, 9_000],
      [100_001, 25_000],
    ]);
  });

  it("keeps apart what is priced apart", () => {
    const usage = { input_tokens: 1_000_000, output_tokens: 0 };
    const uses = tallied(
      answered("a", "claude-opus-5-5", usage),
      answered("b", "claude-opus-5-5", { ...usage, inference_geo: "us" }),
      answered("c", "claude-opus-5-5", { ...usage, speed: "fast" }),
    ).uses();
    expect(uses.map(({ usage: { speed, inferenceGeo }, costMicroUsd }) => [speed, inferenceGeo, costMicroUsd])).toEqual(
      [
        [null, null, 2_000_000],
        [null, "us", 2_200_000],
        ["fast", null, 4_000_000],
      ],
    );
  });

  it("counts what it cannot read, and prices unknown models as such", () => {
    const tally = tallied({ custom_id: "a" }, answered("b", "claude-next", { input_tokens: 1_000_000 }));
    tally.add(Buffer.from('{"custom_id":'));
    tally.add(null);
    tally.add(Buffer.from('{"custom_id":"x","result":{"type":"succeeded","message":{"model":"claude-opus-5"}}}'));
    expect(tally).toMatchObject({ succeeded: 2, unreadable: 4 });
    expect(tally.uses().map(({ costMicroUsd }) => costMicroUsd)).toEqual([2_500_000]);
  });

  it("gives the same rows in whatever order the results come, never further from their own prices than rounding", () => {
    const result = fc.record({
      model: fc.constantFrom("claude-haiku-5-5", "claude-opus-5-5", "claude-sonnet-4-5"),
      input: fc.nat({ max: 200_000 }),
      output: fc.nat({ max: 20_000 }),
      geo: fc.constantFrom(undefined, "us"),
    });
    const twoOrders = fc
      .array(result, { minLength: 1 })
      .chain((results) => fc.tuple(fc.constant(results), fc.shuffledSubarray(results, { minLength: results.length })));
    fc.assert(
      fc.property(twoOrders, ([results, shuffled]) => {
        const lines = (order: typeof results): object[] =>
          order.map(({ model, input, output, geo }) =>
            answered("x", model, { input_tokens: input, output_tokens: output, inference_geo: geo }),
          );
        const uses = tallied(...lines(results)).uses();
        expect(tallied(...lines(shuffled)).uses()).toEqual(uses);
        const apart = results.map(({ model, input, output, geo }) =>
          costOf(
            {
              ...emptyUsage(),
              inputTokens: input,
              outputTokens: output,
              inferenceGeo: geo ?? null,
              serviceTier: "batch",
            },
            pricedBy(model).price,
          ),
        );
        const sum = (amounts: readonly number[]): number => amounts.reduce((total, amount) => total + amount, 0);
        const together = sum(uses.map(({ costMicroUsd }) => costMicroUsd));
        expect(Math.abs(together - sum(apart))).toBeLessThanOrEqual((results.length + uses.length) / 2);
      }),
    );
  });
});
