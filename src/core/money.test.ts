import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { divideRoundHalfUp, formatUsd, parseUsd } from "./money.ts";

describe("formatUsd and parseUsd", () => {
  it("give back every amount that a number can hold exactly", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (micro) => {
        expect(parseUsd(formatUsd(micro)) === micro).toBe(true);
      }),
    );
  });

  it.each([
    [0, "0.00"],
    [1, "0.000001"],
    [100, "0.0001"],
    [10_000, "0.01"],
    [100_000, "0.10"],
    [123_000, "0.123"],
    [1_000_000, "1.00"],
    [12_345_678, "12.345678"],
    [-2_500_000, "-2.50"],
  ])("writes %d micro-dollars as %s", (micro, text) => {
    expect(formatUsd(micro)).toBe(text);
  });
});

describe("parseUsd", () => {
  it.each([
    ["12.5", 12_500_000],
    [" 12.50 ", 12_500_000],
    [12.5, 12_500_000],
    [0.1, 100_000],
    ["0.10000000000", 100_000],
    [0.000001, 1],
    ["-3", -3_000_000],
    [4.125, 4_125_000],
  ])("reads %j as %d micro-dollars", (written, micro) => {
    expect(parseUsd(written)).toBe(micro);
  });

  it("reads every number with at most six decimals exactly, whatever its double", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10_000_000_000 }), (micro) => {
        expect(parseUsd(micro / 1_000_000)).toBe(micro);
      }),
    );
  });

  it.each(["", "1.2345678", "1e3", "1,5", "$5", "5.", ".5", "0x10", "NaN", "--1", "1 2", 1e-7, Number.NaN, Infinity])(
    "refuses %j",
    (written) => {
      expect(() => parseUsd(written)).toThrow(RangeError);
    },
  );

  it("refuses what a number cannot hold exactly", () => {
    expect(parseUsd("9007199254.740991")).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => parseUsd("9007199254.740992")).toThrow(RangeError);
  });
});

describe("divideRoundHalfUp", () => {
  it("is the nearest whole number, and the upper one of two that are equally near", () => {
    const numerator = fc.bigInt({ min: 0n, max: 10n ** 24n });
    const denominator = fc.bigInt({ min: 1n, max: 10n ** 12n });
    fc.assert(
      fc.property(numerator, denominator, (n, d) => {
        fc.pre(n / d < 2n ** 53n);
        const rounded = BigInt(divideRoundHalfUp(n, d));

        // -1/2 < rounded - n/d <= 1/2, multiplied by 2d.
        const twiceError = 2n * (rounded * d - n);
        expect(twiceError > -d && twiceError <= d).toBe(true);
      }),
    );
  });

  it("rounds a half up", () => {
    expect(divideRoundHalfUp(1n, 2n)).toBe(1);
    expect(divideRoundHalfUp(3n, 2n)).toBe(2);
    expect(divideRoundHalfUp(149n, 100n)).toBe(1);
  });
});
