import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS } from "../../message/models.ts";
import { PRICE_TABLE, UNKNOWN_MODEL_PRICE, type Rates } from "./table.ts";

/** Dollars per million tokens as a person reads them off the published list of November 2026. */
const LIST = {
  "claude-fable-5-2": "8/40/10/16/0.2",
  "claude-fable-5-1": "10/50/12.5/20/0.25",
  "claude-mythos-5-1": "10/50/12.5/20/0.25",
  "claude-fable-5": "10/50/12.5/20/1",
  "claude-opus-5-5": "4/20/5/8/0.2",
  "claude-opus-5": "5/25/6.25/10/0.5",
  "claude-opus-4-8": "5/25/6.25/10/0.5",
  "claude-opus-4-7": "5/25/6.25/10/0.5",
  "claude-opus-4-6": "5/25/6.25/10/0.5",
  "claude-opus-4-5": "5/25/6.25/10/0.5",
  "claude-sonnet-5-5": "2/10/2.5/4/0.1",
  "claude-sonnet-5": "2/10/2.5/4/0.2",
  "claude-sonnet-4-6": "3/15/3.75/6/0.3",
  "claude-sonnet-4-5": "3/15/3.75/6/0.3",
  "claude-haiku-5-5": "0.1/0.5/0.125/0.2/0.01",
  "claude-haiku-4-5": "1/5/1.25/2/0.1",
} as const;

function written({ input, output, cacheWrite5m, cacheWrite1h, cacheRead }: Rates): string {
  return [input, output, cacheWrite5m, cacheWrite1h, cacheRead].map((micro) => micro / 1_000_000).join("/");
}

describe("PRICE_TABLE", () => {
  it("holds the published prices", () => {
    expect(Object.fromEntries(PRICE_TABLE.map((row) => [row.model, written(row.rates)]))).toEqual(LIST);
  });

  it("prices every built-in model", () => {
    const priced = new Set(PRICE_TABLE.map((row) => row.model));

    expect(BUILTIN_MODELS.map((model) => model.id).filter((id) => !priced.has(id))).toEqual([]);
  });

  it("has whole, positive rates, writes dearer than input and reads cheaper, each with source and date", () => {
    for (const row of [...PRICE_TABLE, UNKNOWN_MODEL_PRICE]) {
      for (const rates of [row.rates, row.longContext?.rates ?? row.rates]) {
        expect(Object.values(rates).every((rate) => Number.isSafeInteger(rate) && rate > 0)).toBe(true);
        expect(rates.cacheWrite5m).toBe(rates.input * 1.25);
        expect(rates.cacheWrite1h).toBe(rates.input * 2);
        expect(rates.cacheRead).toBeLessThan(rates.input);
      }
      expect(row.source).not.toBe("");
      expect(row.from).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
  });

  it("has a dearer row for long contexts of Haiku 5.5, and six-fold fast mode where it was", () => {
    expect(PRICE_TABLE.filter((row) => row.longContext !== undefined).map((row) => row.model)).toEqual([
      "claude-haiku-5-5",
    ]);
    expect(PRICE_TABLE.filter((row) => row.fastMultiplier === 6).map((row) => row.model)).toEqual([
      "claude-opus-4-7",
      "claude-opus-4-6",
    ]);
  });

  it("prices what it does not know like Opus", () => {
    expect(written(UNKNOWN_MODEL_PRICE.rates)).toBe("5/25/6.25/10/0.5");
  });
});
