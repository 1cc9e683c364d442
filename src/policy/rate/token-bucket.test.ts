import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { TokenBucket } from "./token-bucket.ts";

const MINUTE_MS = 60_000;

/** The level of a bucket by the definition: refilled evenly, capped at a minute's worth, at every moment that is looked at. */
class PlainBucket {
  #level: number;
  #atMs = 0;
  readonly #perMinute: number;

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
  }

  levelAt(nowMs: number): number {
    this.#level = Math.min(this.#perMinute, this.#level + ((nowMs - this.#atMs) / MINUTE_MS) * this.#perMinute);
    this.#atMs = nowMs;
    return this.#level;
  }

  take(amount: number, nowMs: number): void {
    this.#level = Math.min(this.#perMinute, this.levelAt(nowMs) - amount);
  }
}

const perMinute = fc.integer({ min: 1, max: 100_000 });
const step = fc.record({ waitMs: fc.nat(90_000), amount: fc.integer({ min: -500, max: 2_000 }) });

describe("TokenBucket", () => {
  it("agrees with the plain definition over any sequence of waits, takes, returns and debts", () => {
    fc.assert(
      fc.property(perMinute, fc.array(step, { maxLength: 40 }), (perMinute, steps) => {
        const bucket = new TokenBucket(perMinute, 0);
        const plain = new PlainBucket(perMinute);
        let nowMs = 0;
        for (const { waitMs, amount } of steps) {
          nowMs += waitMs;
          const missing = Math.min(1, perMinute) - plain.levelAt(nowMs);
          expect(Math.abs(bucket.waitMs(1, nowMs) - Math.max(0, (missing / perMinute) * MINUTE_MS))).toBeLessThan(
            1.001,
          );
          bucket.take(amount, nowMs);
          plain.take(amount, nowMs);
        }
      }),
    );
  });

  it("can take what it said one can, once that time has passed, and not a millisecond earlier", () => {
    fc.assert(
      fc.property(perMinute, fc.nat(5_000), fc.integer({ min: 1, max: 5_000 }), (perMinute, taken, wanted) => {
        const bucket = new TokenBucket(perMinute, 0);
        bucket.take(taken, 0);
        const waitMs = bucket.waitMs(wanted, 0);
        fc.pre(waitMs > 0);

        expect(bucket.waitMs(wanted, waitMs - 1)).toBeGreaterThan(0);
        // A millisecond more for the rounding of doubles.
        expect(bucket.waitMs(wanted, waitMs + 1)).toBe(0);
      }),
    );
  });

  it("never lets more pass than a full bucket and the flow since", () => {
    fc.assert(
      fc.property(perMinute, fc.array(fc.nat(20_000), { minLength: 1, maxLength: 60 }), (perMinute, waits) => {
        const bucket = new TokenBucket(perMinute, 0);
        let nowMs = 0;
        let passed = 0;
        for (const wait of waits) {
          nowMs += wait;
          while (bucket.waitMs(perMinute / 7, nowMs) === 0) {
            bucket.take(perMinute / 7, nowMs);
            passed += perMinute / 7;
          }
        }

        expect(passed).toBeLessThanOrEqual((perMinute + (nowMs / MINUTE_MS) * perMinute) * (1 + 1e-9));
      }),
    );
  });

  it("starts full and keeps at most a minute's worth", () => {
    const bucket = new TokenBucket(60, 0);
    expect(bucket.remaining(0)).toBe(60);

    bucket.take(60, 0);
    expect(bucket.remaining(1_000)).toBe(1);
    expect(bucket.remaining(10 * MINUTE_MS)).toBe(60);
  });

  it("works off a debt before it gives again", () => {
    const bucket = new TokenBucket(60, 0);
    bucket.take(120, 0);

    expect(bucket.remaining(0)).toBe(0);
    expect(bucket.waitMs(1, 0)).toBe(61_000);
  });

  it("counts what is taken late against what has flowed in by then, not against a bucket of long ago", () => {
    const bucket = new TokenBucket(60, 0);
    // Nobody looked for two minutes: the bucket has long been full when the sixty are taken.
    bucket.take(60, 2 * MINUTE_MS);

    expect(bucket.waitMs(1, 2 * MINUTE_MS)).toBe(1_000);
  });

  it("admits an amount above a minute's worth when it is full, and goes into debt for it", () => {
    const bucket = new TokenBucket(60, 0);
    expect(bucket.waitMs(600, 0)).toBe(0);

    bucket.take(600, 0);
    expect(bucket.waitMs(600, 0)).toBe(600_000);
  });

  it("ignores a clock that goes back", () => {
    const bucket = new TokenBucket(60, 10_000);
    bucket.take(60, 10_000);

    expect(bucket.remaining(0)).toBe(0);
    expect(bucket.remaining(11_000)).toBe(1);
  });

  it("keeps what it holds when its rate changes, at most a minute's worth of the new one", () => {
    const bucket = new TokenBucket(60, 0);
    bucket.take(50, 0);
    bucket.resize(600, 0);
    expect(bucket.remaining(0)).toBe(10);
    expect(bucket.remaining(1_000)).toBe(20);

    bucket.resize(5, 1_000);
    expect(bucket.remaining(1_000)).toBe(5);
  });
});
