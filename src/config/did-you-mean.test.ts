import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { didYouMean, editDistance } from "./did-you-mean.ts";

const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 8 });

describe("did you mean", () => {
  it("finds what is one slip away: a letter too many, too few, another, or two swapped", () => {
    for (const slip of ["posrt", "prt", "pirt", "oprt"])
      expect(didYouMean(slip, ["host", "port", "tls"])).toContain("port");
  });

  it("ignores case and names the nearest first", () => {
    expect(didYouMean("HOST", ["hosts", "host"])[0]).toBe("host");
  });

  it("says nothing when nothing is near", () => {
    expect(didYouMean("telemetry", ["listen", "store"])).toEqual([]);
  });
});

describe("edit distance", () => {
  it("is zero only for the same word, and the same both ways", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b) === 0).toBe(a === b);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
      }),
    );
  });

  it("is at most the longer length and at least the difference of lengths", () => {
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(editDistance(a, b)).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  it("is at most one after a single slip: a letter lost, added or changed, or two neighbours swapped", () => {
    fc.assert(
      fc.property(word, fc.nat(), (text, at) => {
        const [before, letter, next, after] = cut(text, at % (text.length + 1));
        for (const slip of [next + after, `x${letter}${next}${after}`, `x${next}${after}`, next + letter + after]) {
          expect(editDistance(text, before + slip)).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});

/** A text in four parts: what stands before `at`, the letter there, the next one, and the rest. */
function cut(text: string, at: number): [string, string, string, string] {
  return [text.slice(0, at), text.slice(at, at + 1), text.slice(at + 1, at + 2), text.slice(at + 2)];
}
