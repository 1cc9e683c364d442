import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { quantile, spreadOf } from "./statistics.ts";

describe("the spread of several rounds", () => {
  it("has the middle round as its median", () => {
    expect(spreadOf([9, 1, 4])).toEqual({ median: 4, min: 1, max: 9 });
  });

  it("takes the mean of the two middle rounds when there is an even number", () => {
    expect(spreadOf([1, 2, 4, 100]).median).toBe(3);
  });

  it("refuses to make a number of no rounds at all", () => {
    expect(() => spreadOf([])).toThrow(/no values/);
  });

  it("has at least half of the values on either side of the median, in whatever order they come", () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1 });
    fc.assert(
      fc.property(values, (list) => {
        const { median, min, max } = spreadOf(list);
        expect(list.filter((value) => value <= median).length * 2).toBeGreaterThanOrEqual(list.length);
        expect(list.filter((value) => value >= median).length * 2).toBeGreaterThanOrEqual(list.length);
        expect([min, max]).toEqual([Math.min(...list), Math.max(...list)]);
      }),
    );
  });
});

describe("a quantile of a histogram", () => {
  it("is the smallest value that the share of observations does not exceed", () => {
    const histogram = [
      [10, 98],
      [20, 1],
      [500, 1],
    ] as const;
    expect([0.5, 0.98, 0.99, 1].map((share) => quantile(histogram, share))).toEqual([10, 10, 20, 500]);
  });

  it("does not exist without observations", () => {
    expect(quantile([], 0.5)).toBeUndefined();
  });

  it("is the element at that rank of the observations written out", () => {
    const bucket = fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 5 }));
    const buckets = fc.uniqueArray(bucket, { minLength: 1, selector: ([value]) => value });
    fc.assert(
      fc.property(buckets, fc.integer({ min: 1, max: 100 }), (list, percent) => {
        const histogram = list.toSorted(([a], [b]) => a - b);
        const all = histogram.flatMap(([value, count]) => Array.from({ length: count }, () => value));
        const rank = Math.ceil((percent / 100) * all.length - 1e-9);
        expect(quantile(histogram, percent / 100)).toBe(all[Math.max(0, rank - 1)]);
      }),
    );
  });
});
