import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { RetryBudget } from "./retry-budget.ts";

const SETTINGS = { ratio: 0.2, minPerSecond: 10, windowMs: 10_000 };

function takeAll(budget: RetryBudget, nowMs: number): number {
  let taken = 0;
  while (budget.take(nowMs)) taken++;
  return taken;
}

describe("RetryBudget", () => {
  it("lets a quiet upstream have its minimum, and no more until the window has passed", () => {
    const budget = new RetryBudget(SETTINGS);

    expect(takeAll(budget, 0)).toBe(100);
    expect(takeAll(budget, 9_000)).toBe(0);
    expect(takeAll(budget, 10_000)).toBe(100);
  });

  it("earns a fifth of each request, and forgets it with the window", () => {
    const budget = new RetryBudget({ ...SETTINGS, minPerSecond: 0 });
    for (let i = 0; i < 50; i++) budget.requested(i * 10);
    expect(budget.left(1_000)).toBe(10);

    expect(budget.left(10_999)).toBe(0);
  });

  it("takes nothing when nothing is left", () => {
    const budget = new RetryBudget({ ...SETTINGS, minPerSecond: 0 });
    for (let i = 0; i < 4; i++) budget.requested(0);
    expect(budget.take(0)).toBe(false);

    budget.requested(0);
    expect(budget.take(0)).toBe(true);
    expect(budget.take(0)).toBe(false);
  });

  it("holds its bound in every window, whatever comes", () => {
    const step = fc.record({ afterMs: fc.nat(700), requests: fc.nat(20), retries: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), fc.integer({ min: 0, max: 5 }), (steps, minPerSecond) => {
        const budget = new RetryBudget({ ratio: 0.2, minPerSecond, windowMs: 10_000 });
        const requests: number[] = [];
        const retries: number[] = [];
        let nowMs = 0;
        for (const step of steps) {
          nowMs += step.afterMs;
          for (let i = 0; i < step.requests; i++) {
            budget.requested(nowMs);
            requests.push(nowMs);
          }
          for (let i = 0; i < step.retries; i++) if (budget.take(nowMs)) retries.push(nowMs);
          // The window of the budget is made of whole parts: it covers at least nine tenths of ten seconds, at most all of it.
          const within = (times: readonly number[], ms: number): number => times.filter((at) => at > nowMs - ms).length;
          expect(within(retries, 9_000)).toBeLessThanOrEqual(0.2 * within(requests, 10_000) + minPerSecond * 10 + 1e-6);
        }
      }),
      { numRuns: 100 },
    );
  });
});
