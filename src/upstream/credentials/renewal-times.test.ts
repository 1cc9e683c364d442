import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { renewDelayMs, retryDelayMs } from "./renewal-times.ts";

const MINUTE_MS = 60_000;
const NOW_MS = 1_790_000_000_000;

function delayFor(lifeMs: number, random: number): number {
  return renewDelayMs({ value: "", expiresAtMs: NOW_MS + lifeMs }, NOW_MS, () => random) ?? Number.NaN;
}

describe("when a value is renewed", () => {
  it("is at three quarters of an hour's life, at the earliest", () => {
    expect(delayFor(60 * MINUTE_MS, 0)).toBe(45 * MINUTE_MS);
  });

  it("is at four fifths of it, at the latest", () => {
    expect(delayFor(60 * MINUTE_MS, 0.999999)).toBeCloseTo(48 * MINUTE_MS, -2);
  });

  it("leaves five minutes where a fifth of the life is less", () => {
    expect(delayFor(15 * MINUTE_MS, 0.5)).toBe(10 * MINUTE_MS);
  });

  it("is at half of a life that is shorter than ten minutes", () => {
    expect(delayFor(4 * MINUTE_MS, 0.5)).toBe(2 * MINUTE_MS);
  });

  it("is never for a value that does not end", () => {
    expect(renewDelayMs({ value: "", expiresAtMs: null }, NOW_MS, () => 0.5)).toBeNull();
  });

  it("is when the issuer says so, whatever the end", () => {
    const issued = { value: "", expiresAtMs: NOW_MS + 60 * MINUTE_MS, renewAfterMs: 10_000 };

    expect(renewDelayMs(issued, NOW_MS, () => 0.5)).toBe(10_000);
  });

  it("always lies ahead, and before the end of any life of two seconds or more", () => {
    const lives = fc.integer({ min: 2_000, max: 7 * 24 * 60 * MINUTE_MS });
    const chances = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(lives, chances, (lifeMs, chance) => {
        const delayMs = delayFor(lifeMs, chance);
        expect(delayMs).toBeGreaterThanOrEqual(1_000);
        expect(delayMs).toBeLessThan(lifeMs);
        if (lifeMs >= 10 * MINUTE_MS) expect(lifeMs - delayMs).toBeGreaterThanOrEqual(5 * MINUTE_MS - 1);
      }),
    );
  });
});

describe("when a failed renewal is repeated", () => {
  it("is within a limit that doubles from one second to a minute", () => {
    const longest = [1, 2, 3, 4, 5, 6, 7, 8, 50].map((failures) => retryDelayMs(failures, () => 1));

    expect(longest).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000]);
  });

  it("is anywhere within the limit, but not at once", () => {
    expect(retryDelayMs(5, () => 0.25)).toBe(4_000);
    expect(retryDelayMs(5, () => 0)).toBe(200);
  });
});
