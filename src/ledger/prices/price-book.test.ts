import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS } from "../../message/models.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import { costOf, PriceBook, type Price, type PriceKey, type PriceOverride } from "./price-book.ts";
import type { Rates } from "./table.ts";

const DATE = "2026-11-20";

function bookOf(overrides: readonly PriceOverride[] = [], multiplier = 1): PriceBook {
  return new PriceBook({ overrides, multiplier, date: DATE });
}

function key(given: Partial<PriceKey> & { upstreamModel: string }): PriceKey {
  return { upstream: "anthropic", modelAsked: given.upstreamModel, modelConfigured: null, ...given };
}

function flat(rate: number): Rates {
  return { input: rate, output: rate, cacheWrite5m: rate, cacheWrite1h: rate, cacheRead: rate };
}

function override(model: string, rate: number, upstream = "anthropic"): PriceOverride {
  return { upstream, model, rates: flat(rate) };
}

/** A non-negative fraction of whole numbers: no rounding anywhere, until it is asked for once. */
class Exact {
  readonly #numerator: bigint;
  readonly #denominator: bigint;

  constructor(numerator: number | bigint, denominator: number | bigint = 1) {
    this.#numerator = BigInt(numerator);
    this.#denominator = BigInt(denominator);
  }

  plus(other: Exact): Exact {
    const numerator = this.#numerator * other.#denominator + other.#numerator * this.#denominator;
    return new Exact(numerator, this.#denominator * other.#denominator);
  }

  times(other: Exact): Exact {
    return new Exact(this.#numerator * other.#numerator, this.#denominator * other.#denominator);
  }

  /** The nearest whole number, a half up. */
  rounded(): number {
    const { numerator, denominator } = {
      numerator: this.#numerator * 2n + this.#denominator,
      denominator: this.#denominator * 2n,
    };
    return Number(numerator / denominator);
  }
}

/** The cost by the price list's own words, in exact fractions of a micro-dollar. */
function exactCost(usage: Usage, { row, multiplierPpm }: Price): number {
  const { inputTokens, outputTokens, cacheWrite5mTokens, cacheWrite1hTokens, cacheReadTokens } = usage;
  const context = inputTokens + cacheWrite5mTokens + cacheWrite1hTokens + cacheReadTokens;
  const long = row.longContext !== undefined && context > row.longContext.aboveInputTokens;
  const rates = long ? row.longContext.rates : row.rates;
  const perMillion = (tokens: number, rate: number): Exact => new Exact(tokens).times(new Exact(rate, 1_000_000));
  let tokens = perMillion(inputTokens, rates.input)
    .plus(perMillion(outputTokens, rates.output))
    .plus(perMillion(cacheWrite5mTokens, rates.cacheWrite5m))
    .plus(perMillion(cacheWrite1hTokens, rates.cacheWrite1h))
    .plus(perMillion(cacheReadTokens, rates.cacheRead));
  if (usage.speed === "fast") tokens = tokens.times(new Exact(row.fastMultiplier));
  if (usage.inferenceGeo === "us") tokens = tokens.times(new Exact(11, 10));
  if (usage.serviceTier === "batch") tokens = tokens.times(new Exact(1, 2));
  const searches = new Exact(usage.webSearchRequests).times(new Exact(10_000));
  return tokens.plus(searches).times(new Exact(multiplierPpm, 1_000_000)).rounded();
}

const tokens = fc.oneof(fc.nat(300_000), fc.nat(1_000_000_000), fc.constantFrom(0, 1, 100_000, 100_001));
const usage: fc.Arbitrary<Usage> = fc.record({
  inputTokens: tokens,
  outputTokens: tokens,
  cacheWrite5mTokens: tokens,
  cacheWrite1hTokens: tokens,
  cacheReadTokens: tokens,
  webSearchRequests: fc.nat(100),
  serviceTier: fc.constantFrom(null, "standard", "priority", "batch"),
  speed: fc.constantFrom(null, "standard", "fast"),
  inferenceGeo: fc.constantFrom(null, "global", "us"),
});
const rate = fc.integer({ min: 1, max: 200_000_000 });
const rates: fc.Arbitrary<Rates> = fc.record({
  input: rate,
  output: rate,
  cacheWrite5m: rate,
  cacheWrite1h: rate,
  cacheRead: rate,
});
const multiplier = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 10_000_000 }).map((ppm) => ppm / 1_000_000),
);
const listedModel = fc.constantFrom(...BUILTIN_MODELS.map(({ id }) => id), "a-model-that-nobody-knows");

describe("costOf", () => {
  it("is the exact price rounded once, for any usage of any listed model at any multiplier", () => {
    fc.assert(
      fc.property(usage, listedModel, multiplier, (usage, model, multiplier) => {
        const price = bookOf([], multiplier).resolve(key({ upstreamModel: model }));

        expect(costOf(usage, price)).toBe(exactCost(usage, price));
      }),
      { numRuns: 3_000 },
    );
  });

  it("is the exact price rounded once, for any contracted rates", () => {
    fc.assert(
      fc.property(usage, rates, multiplier, (usage, rates, multiplier) => {
        const row = { upstream: "anthropic", model: "claude-opus-5", rates };
        const price = bookOf([row], multiplier).resolve(key({ upstreamModel: "claude-opus-5" }));

        expect(price.origin).toBe("override");
        expect(costOf(usage, price)).toBe(exactCost(usage, price));
      }),
      { numRuns: 2_000 },
    );
  });

  it("rounds a half up, once for the whole and not once a kind of token", () => {
    const price = bookOf([override("m", 500_000)]).resolve(key({ upstreamModel: "m" }));

    expect(costOf({ ...emptyUsage(), inputTokens: 1 }, price)).toBe(1);
    expect(costOf({ ...emptyUsage(), inputTokens: 1, outputTokens: 1 }, price)).toBe(1);
    expect(costOf({ ...emptyUsage(), inputTokens: 1, outputTokens: 1, cacheReadTokens: 1 }, price)).toBe(2);
  });

  it("is nothing for no usage", () => {
    expect(costOf(emptyUsage(), bookOf().resolve(key({ upstreamModel: "claude-opus-5" })))).toBe(0);
  });

  const million = { ...emptyUsage(), inputTokens: 1_000_000 };
  it.each<[string, string, Partial<Usage>, number]>([
    ["list price", "claude-opus-5", {}, 5_000_000],
    ["fast mode", "claude-opus-5", { speed: "fast" }, 10_000_000],
    ["fast mode of the older Opus", "claude-opus-4-7", { speed: "fast" }, 30_000_000],
    ["the US region", "claude-opus-5", { inferenceGeo: "us" }, 5_500_000],
    ["batch", "claude-opus-5", { serviceTier: "batch" }, 2_500_000],
    ["a US batch", "claude-opus-5", { serviceTier: "batch", inferenceGeo: "us" }, 2_750_000],
    ["a long context", "claude-haiku-5-5", {}, 500_000],
    ["an unknown model", "someone-elses-model", {}, 5_000_000],
    ["web searches", "claude-opus-5", { inputTokens: 0, webSearchRequests: 1_000 }, 10_000_000],
    [
      "web searches in a fast US batch",
      "claude-opus-5",
      { inputTokens: 0, webSearchRequests: 3, speed: "fast", inferenceGeo: "us", serviceTier: "batch" },
      30_000,
    ],
  ])("charges %s", (_, model, given, cost) => {
    expect(costOf({ ...million, ...given }, bookOf().resolve(key({ upstreamModel: model })))).toBe(cost);
  });

  it("takes the dearer rates for exactly those contexts of Haiku 5.5 that are above 100,000 tokens", () => {
    const price = bookOf().resolve(key({ upstreamModel: "claude-haiku-5-5" }));
    const context = { ...emptyUsage(), inputTokens: 50_000, cacheReadTokens: 30_000, cacheWrite5mTokens: 15_000 };

    expect(costOf({ ...context, cacheWrite1hTokens: 5_000 }, price)).toBe(5_000 + 300 + 1_875 + 1_000);
    expect(costOf({ ...context, cacheWrite1hTokens: 5_001 }, price)).toBe(25_000 + 1_500 + 9_375 + 5_001);
    expect(costOf({ ...emptyUsage(), outputTokens: 1_000_000 }, price)).toBe(500_000);
  });

  it("multiplies everything by the contract's multiplier, web searches too", () => {
    const price = bookOf([], 0.85).resolve(key({ upstreamModel: "claude-opus-5" }));

    expect(costOf({ ...million, webSearchRequests: 100 }, price)).toBe(4_250_000 + 850_000);
  });

  it("meters fast mode at the same rates where they are contracted", () => {
    const price = bookOf([override("claude-opus-4-7", 1_000_000)]).resolve(key({ upstreamModel: "claude-opus-4-7" }));

    expect(costOf({ ...million, speed: "fast" }, price)).toBe(1_000_000);
  });
});

/** Spellings of Claude Sonnet 4.5 at the providers. */
const SPELLINGS = [
  "claude-sonnet-4-5",
  "claude-sonnet-4-5-20250929",
  "claude-sonnet-4-5@20250929",
  "claude-sonnet-4-5-latest",
  "Claude-Sonnet-4-5",
  "anthropic.claude-sonnet-4-5-20250929-v1:0",
  "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
  "vertex_ai/claude-sonnet-4-5@20250929",
  "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
];

describe("PriceBook.resolve", () => {
  it.each(SPELLINGS)("finds the list price under the spelling %s", (upstreamModel) => {
    expect(bookOf().resolve(key({ upstreamModel })).row.model).toBe("claude-sonnet-4-5");
  });

  it("never gives an unknown model away", () => {
    fc.assert(
      fc.property(
        fc.string(),
        fc.string(),
        fc.option(fc.string()),
        usage,
        (upstreamModel, modelAsked, modelConfigured, usage) => {
          const price = bookOf().resolve(key({ upstreamModel, modelAsked, modelConfigured }));
          const paid = usage.inputTokens + usage.outputTokens > 1_000;

          if (paid) expect(costOf(usage, price)).toBeGreaterThan(0);
        },
      ),
    );
  });

  it("prices an opaque deployment as the model that was configured or asked for", () => {
    const opaque = "arn:aws:bedrock:eu-west-1:1:application-inference-profile/abc";

    expect(bookOf().resolve(key({ upstreamModel: opaque, modelConfigured: "claude-opus-5" })).row.model).toBe(
      "claude-opus-5",
    );
    expect(bookOf().resolve(key({ upstreamModel: opaque, modelAsked: "claude-haiku-4-5" })).row.model).toBe(
      "claude-haiku-4-5",
    );
    expect(bookOf().resolve(key({ upstreamModel: opaque, modelAsked: "my-alias" }))).toMatchObject({
      origin: "unknown",
    });
  });

  it("prices what was sent upstream, not what was asked for", () => {
    const price = bookOf().resolve(key({ upstreamModel: "claude-haiku-4-5", modelAsked: "claude-opus-5" }));

    expect(price.row.model).toBe("claude-haiku-4-5");
  });
});

describe("overrides", () => {
  it("apply to their upstream alone", () => {
    const book = bookOf([override("claude-sonnet-4-5", 1, "bedrock-eu")]);

    expect(book.resolve(key({ upstreamModel: "claude-sonnet-4-5" })).origin).toBe("list");
    expect(book.resolve(key({ upstreamModel: "claude-sonnet-4-5", upstream: "bedrock-eu" })).origin).toBe("override");
  });

  it.each(SPELLINGS)("that name a built-in model cover %s", (upstreamModel) => {
    const book = bookOf([override("claude-sonnet-4-5", 1)]);

    expect(book.resolve(key({ upstreamModel, modelAsked: "alias" })).origin).toBe("override");
  });

  it.each(SPELLINGS)("that name a built-in model as %s cover its plain id", (spelling) => {
    const book = bookOf([override(spelling, 1)]);

    expect(book.resolve(key({ upstreamModel: "claude-sonnet-4-5" })).origin).toBe("override");
    expect(book.resolve(key({ upstreamModel: "claude-sonnet-4-6" })).origin).toBe("list");
  });

  it("match other strings exactly but for case, as sent upstream or as asked for", () => {
    const book = bookOf([override("My-Alias", 1), override("arn:aws:bedrock:Profile/X", 2)]);

    expect(book.resolve(key({ upstreamModel: "claude-opus-5", modelAsked: "my-alias" })).row.rates.input).toBe(1);
    expect(book.resolve(key({ upstreamModel: "ARN:aws:bedrock:profile/x", modelAsked: "y" })).row.rates.input).toBe(2);
    expect(book.resolve(key({ upstreamModel: "my-alias-2", modelAsked: "my" })).origin).toBe("unknown");
  });

  it("go by the most specific: sent upstream, then asked for, then the built-in model, in whatever order they are written", () => {
    const rows = [override("deployment-7", 1), override("my-alias", 2), override("claude-opus-5", 3)];
    const asked = { upstreamModel: "deployment-7", modelAsked: "my-alias", modelConfigured: "claude-opus-5" };
    fc.assert(
      fc.property(fc.shuffledSubarray(rows), (rows) => {
        const inForce = Math.min(...rows.map((row) => row.rates.input));
        const price = bookOf(rows).resolve(key(asked));

        if (rows.length > 0) expect(price.row.rates.input).toBe(inForce);
        else expect(price.origin).toBe("list");
      }),
    );
  });

  it("for an exact spelling stand before those for its model", () => {
    const dated = "claude-opus-5-20260901";
    const book = bookOf([override("claude-opus-5", 3), override(dated, 1)]);

    expect(book.resolve(key({ upstreamModel: dated })).row.rates.input).toBe(1);
    expect(book.resolve(key({ upstreamModel: "claude-opus-5" })).row.rates.input).toBe(3);
  });
});

describe("an override for the model asked for", () => {
  it("does not price another model that serves it, unless it names exactly what was asked for", () => {
    const book = bookOf([override("claude-opus-5", 3)]);
    const served = { upstreamModel: "claude-haiku-4-5" };

    expect(book.resolve(key({ ...served, modelAsked: "claude-opus-5-20260901" })).row.model).toBe("claude-haiku-4-5");
    expect(book.resolve(key({ ...served, modelAsked: "claude-opus-5" })).row.rates.input).toBe(3);
  });
});

describe("PriceBook.version", () => {
  it("is the table's alone without contract, and changes with overrides and multiplier", () => {
    const versions = [
      bookOf(),
      bookOf([], 0.85),
      bookOf([], 0.86),
      bookOf([override("claude-opus-5", 1)]),
      bookOf([override("claude-opus-5", 2)]),
      bookOf([override("claude-opus-5", 2)], 0.85),
    ].map((book) => book.version);

    expect(versions[0]).toBe("2026-11");
    expect(new Set(versions).size).toBe(versions.length);
    expect(bookOf([override("claude-opus-5", 2)]).version).toBe(versions[4]);
  });
});
