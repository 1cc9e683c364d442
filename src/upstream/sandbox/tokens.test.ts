import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { estimateTokens, takeTokens } from "./tokens.ts";

const anyText = fc.string({ unit: "grapheme", maxLength: 200 });

describe("estimateTokens", () => {
  it("counts about 3.6 characters of English a token", () => {
    expect(estimateTokens("a".repeat(3_600))).toBe(1_001);
    expect(estimateTokens("")).toBe(0);
    expect(estimateTokens("a")).toBe(1);
  });

  it("counts a token for every Chinese character and two for an emoji", () => {
    expect(estimateTokens("反转链表")).toBe(4);
    expect(estimateTokens("😀")).toBe(2);
  });

  it("counts other alphabets between the two", () => {
    const russian = estimateTokens("привет".repeat(100));
    expect(russian).toBeGreaterThan(estimateTokens("privet".repeat(100)));
    expect(russian).toBeLessThan(600);
  });

  it("gives the same for a text whether or not a wide character stands before it, apart from that character", () => {
    const ascii = "hello world, ".repeat(50);
    expect(Math.abs(estimateTokens(`中${ascii}`) - estimateTokens(ascii) - 1)).toBeLessThanOrEqual(1);
  });

  it("never counts a whole lower than a part, nor higher than its parts together", () => {
    fc.assert(
      fc.property(anyText, anyText, (left, right) => {
        const whole = estimateTokens(left + right);
        expect(whole).toBeGreaterThanOrEqual(Math.max(estimateTokens(left), estimateTokens(right)));
        expect(whole).toBeLessThanOrEqual(estimateTokens(left) + estimateTokens(right));
      }),
    );
  });
});

describe("takeTokens", () => {
  it("gives a prefix that stays within the budget, does not split a character and could not be longer", () => {
    fc.assert(
      fc.property(anyText, fc.nat(40), (text, budget) => {
        const head = takeTokens(text, budget);
        expect(text.startsWith(head)).toBe(true);
        expect(estimateTokens(head)).toBeLessThanOrEqual(budget);
        expect(head.isWellFormed()).toBe(true);
        const next = text.codePointAt(head.length);
        if (next !== undefined) expect(estimateTokens(head + String.fromCodePoint(next))).toBeGreaterThan(budget);
        if (estimateTokens(text) <= budget) expect(head).toBe(text);
      }),
    );
  });

  it("uses the budget up when the text is long enough", () => {
    expect(estimateTokens(takeTokens("lorem ".repeat(1_000), 120))).toBe(120);
  });
});
