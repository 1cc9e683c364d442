import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { QuantileSketch } from "./quantile-sketch.ts";

/** One bucket is this much wider than its lower edge; edges are rounded up to whole numbers. */
const BUCKET_RATIO = 2 ** (1 / 8);

const costs = fc.array(fc.integer({ min: 1, max: 50_000_000 }), { minLength: 1, maxLength: 255 });
const quantile = fc.constantFrom(0.5, 0.9, 0.95, 0.99, 0.999);

function exactQuantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(values.length * q - 1e-9) - 1)] ?? 0;
}

describe("QuantileSketch", () => {
  it("answers 0 before anything was seen", () => {
    expect(new QuantileSketch().quantile(0.95)).toBe(0);
    expect(new QuantileSketch().weight).toBe(0);
  });

  it("is never below the true quantile and at most one bucket above it", () => {
    fc.assert(
      fc.property(costs, quantile, (values, q) => {
        const sketch = new QuantileSketch();
        for (const value of values) sketch.add(value);

        const exact = exactQuantile(values, q);
        expect(sketch.quantile(q)).toBeGreaterThanOrEqual(exact);
        expect(sketch.quantile(q)).toBeLessThanOrEqual(Math.ceil(exact * BUCKET_RATIO));
      }),
    );
  });

  it("never falls when the quantile rises", () => {
    fc.assert(
      fc.property(costs, (values) => {
        const sketch = new QuantileSketch();
        for (const value of values) sketch.add(value);
        const answers = [0.1, 0.5, 0.9, 0.95, 0.999].map((q) => sketch.quantile(q));

        expect(answers).toEqual(answers.toSorted((a, b) => a - b));
      }),
    );
  });

  it("follows a change: what was seen long ago counts for little", () => {
    const sketch = new QuantileSketch();
    for (let i = 0; i < 1_000; i++) sketch.add(1_000_000);
    for (let i = 0; i < 2_500; i++) sketch.add(100);

    expect(sketch.quantile(0.95)).toBeLessThanOrEqual(Math.ceil(100 * BUCKET_RATIO));
  });

  it("forgets evidence instead of gathering it for ever", () => {
    const sketch = new QuantileSketch();
    for (let i = 0; i < 10_000; i++) sketch.add(500);

    expect(sketch.weight).toBeGreaterThan(200);
    expect(sketch.weight).toBeLessThan(600);
  });

  it("takes free, fractional, absurd and meaningless costs without failing", () => {
    const sketch = new QuantileSketch();
    for (const value of [0, 0.5, -3, Number.NaN, 1e30]) sketch.add(value);

    expect(sketch.weight).toBe(5);
    expect(sketch.quantile(0.5)).toBe(1);
    expect(sketch.quantile(0.999)).toBeLessThan(Infinity);
  });
});
