import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exponential, hash32, seededRandom } from "./random.ts";

const take = (seed: number, stream: number, count: number): readonly number[] => {
  const random = seededRandom(seed, stream);
  return Array.from({ length: count }, () => random.next());
};

describe("seeded randomness", () => {
  it("repeats for the same seed and stream, and differs for another of either", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (seed, stream) => {
        expect(take(seed, stream, 8)).toEqual(take(seed, stream, 8));
        expect(take(seed, stream, 8)).not.toEqual(take(seed + 1, stream, 8));
        expect(take(seed, stream, 8)).not.toEqual(take(seed, stream + 1, 8));
      }),
    );
  });

  it("spreads over [0, 1) evenly", () => {
    const bins = Array.from({ length: 10 }, () => 0);
    for (const value of take(7, 0, 100_000)) bins[Math.floor(value * 10)]! += 1;
    for (const count of bins) expect(Math.abs(count - 10_000)).toBeLessThan(500);
  });

  it("draws exponential waits with the wanted mean, of which 1/e are longer than it", () => {
    const random = seededRandom(3);
    const waits = Array.from({ length: 50_000 }, () => exponential(random, 20));
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean).toBeGreaterThan(19.5);
    expect(mean).toBeLessThan(20.5);
    expect(waits.filter((wait) => wait > 20).length / waits.length).toBeCloseTo(1 / Math.E, 1);
  });

  it("hashes like names to unlike numbers", () => {
    const hashes = new Set(Array.from({ length: 10_000 }, (_, i) => hash32(`user ${i}`)));
    expect(hashes.size).toBeGreaterThan(9_990);
  });
});
