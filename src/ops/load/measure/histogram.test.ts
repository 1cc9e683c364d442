import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { bucketEdgesMs, Histogram, RELATIVE_ERROR } from "./histogram.ts";

const durationsMs = fc.array(
  fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ min: 0, max: 4_000_000, noNaN: true })),
  { minLength: 1, maxLength: 300 },
);
const quantile = fc.constantFrom(0, 0.01, 0.5, 0.9, 0.95, 0.99, 0.999, 1);

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function exactQuantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(1, Math.ceil(q * sorted.length - 1e-9)) - 1]!;
}

describe("a histogram of durations", () => {
  it("gives every quantile within its declared error of the exact one, whatever the durations", () => {
    fc.assert(
      fc.property(durationsMs, quantile, (values, q) => {
        const exact = exactQuantile(values, q);
        const given = histogramOf(values).quantileMs(q);
        expect(Math.abs(given - exact)).toBeLessThanOrEqual(exact * RELATIVE_ERROR + 0.001);
      }),
    );
  });

  it("knows the smallest, the largest and the mean exactly, to the microsecond", () => {
    fc.assert(
      fc.property(durationsMs, (values) => {
        const histogram = histogramOf(values);
        expect(histogram.minMs).toBeCloseTo(Math.min(...values), 2);
        expect(histogram.maxMs).toBeCloseTo(Math.max(...values), 2);
        expect(histogram.quantileMs(1)).toBeLessThanOrEqual(histogram.maxMs);
        const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
        expect(Math.abs(histogram.meanMs - mean)).toBeLessThanOrEqual(0.001);
      }),
    );
  });

  it("is the same whether values are recorded in one or merged from two through their sparse form", () => {
    fc.assert(
      fc.property(durationsMs, durationsMs, (left, right) => {
        const merged = Histogram.from(histogramOf(left).toSparse());
        merged.add(histogramOf(right).toSparse());
        expect(merged.toSparse()).toEqual(histogramOf([...left, ...right]).toSparse());
        expect(merged.count).toBe(left.length + right.length);
      }),
    );
  });

  it("is empty again after clear, including what lay in its outermost buckets", () => {
    fc.assert(
      fc.property(durationsMs, (values) => {
        const histogram = histogramOf(values);
        histogram.clear();
        expect(histogram.toSparse()).toEqual(new Histogram().toSparse());
        expect(histogram.quantileMs(0.5)).toBe(0);
      }),
    );
  });

  it("puts each value between the edges of its bucket, and buckets follow each other without gaps", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (us) => {
        const [index = -1] = histogramOf([us / 1000]).toSparse().buckets;
        const { fromMs, toMs } = bucketEdgesMs(index);
        expect(us / 1000).toBeGreaterThanOrEqual(fromMs - 1e-9);
        expect(us / 1000).toBeLessThan(toMs);
        expect(bucketEdgesMs(index + 1).fromMs).toBe(toMs);
      }),
    );
  });

  it("takes a negative duration as zero and counts one beyond 71 minutes with its exact maximum", () => {
    const histogram = histogramOf([-5, 10_000_000]);
    expect(histogram.minMs).toBe(0);
    expect(histogram.maxMs).toBe(10_000_000);
    expect(histogram.count).toBe(2);
  });
});
