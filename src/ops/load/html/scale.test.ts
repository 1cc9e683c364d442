import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { linearScale, logScale, timeScale } from "./scale.ts";

const range = { from: 0, to: 100 };

describe("the axis of a chart", () => {
  it("is linear from zero to a round number that holds the largest value, with few ticks", () => {
    expect(linearScale(97, range).ticks).toEqual([0, 25, 50, 75, 100]);
    expect(linearScale(0.3, range).ticks).toEqual([0, 0.1, 0.2, 0.3]);
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e12, noNaN: true }), (max) => {
        const { ticks, at } = linearScale(max, range);
        expect(at(max)).toBeLessThanOrEqual(100 + 1e-6);
        expect(at(max)).toBeGreaterThan(49);
        expect(ticks.length).toBeGreaterThanOrEqual(2);
        expect(ticks.length).toBeLessThanOrEqual(6);
      }),
    );
  });

  it("is logarithmic with ticks at round numbers within it", () => {
    const { ticks, at } = logScale({ from: 8, to: 2200 }, range);
    expect(ticks).toEqual([10, 20, 50, 100, 200, 500, 1000, 2000]);
    expect(at(8)).toBeCloseTo(0, 9);
    expect(at(2200)).toBeCloseTo(100, 9);
    expect(logScale({ from: 0.01, to: 100_000 }, range).ticks).toEqual([0.01, 0.1, 1, 10, 100, 1000, 10_000, 100_000]);
  });

  it("is logarithmic with round steps where it spans less than a decade", () => {
    expect(logScale({ from: 500, to: 980 }, range).ticks).toEqual([500, 600, 700, 800, 900]);
    expect(logScale({ from: 8, to: 80 }, range).ticks).toEqual([10, 20, 50]);
    fc.assert(
      fc.property(
        fc.double({ min: 0.01, max: 1e6, noNaN: true }),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (from, times) => {
          const { ticks, at } = logScale({ from, to: from * times }, range);
          expect(ticks.length).toBeGreaterThanOrEqual(2);
          expect(ticks.length).toBeLessThanOrEqual(15);
          for (const tick of ticks) {
            expect(at(tick)).toBeGreaterThanOrEqual(-1e-6);
            expect(at(tick)).toBeLessThanOrEqual(100 + 1e-6);
          }
        },
      ),
    );
  });

  it("of time steps in seconds, minutes and hours that people count in", () => {
    expect(timeScale(25, range).ticks).toEqual([0, 5, 10, 15, 20, 25]);
    expect(timeScale(600, range).ticks).toEqual([0, 120, 240, 360, 480, 600]);
    expect(timeScale(90_000, range).ticks.at(-1)).toBe(86_400);
    expect(timeScale(25, range).at(25)).toBe(100);
  });
});
