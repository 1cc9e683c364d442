import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { EMPTY_WINDOW, errorRate, outcomesAt, withOutcome, type OutcomeWindow } from "./outcome-window.ts";

const SHAPE = { windowMs: 1_000, windowBuckets: 10 };

function windowOf(outcomes: readonly (readonly [atMs: number, failed: boolean])[]): OutcomeWindow {
  return outcomes.reduce((window, [atMs, failed]) => withOutcome(window, failed, atMs, SHAPE), EMPTY_WINDOW);
}

describe("OutcomeWindow", () => {
  it("counts what happened within the window and forgets the rest, part by part", () => {
    const window = windowOf([
      [0, true],
      [50, false],
      [150, true],
      [950, false],
    ]);

    expect(outcomesAt(window, 950, SHAPE)).toEqual({ ok: 2, failed: 2 });
    expect(outcomesAt(window, 1_000, SHAPE)).toEqual({ ok: 1, failed: 1 });
    expect(outcomesAt(window, 1_900, SHAPE)).toEqual({ ok: 0, failed: 0 });
  });

  it("is empty, and without an error rate, before anything happened", () => {
    expect(outcomesAt(EMPTY_WINDOW, 0, SHAPE)).toEqual({ ok: 0, failed: 0 });
    expect(errorRate(outcomesAt(EMPTY_WINDOW, 0, SHAPE))).toBe(0);
  });

  it("leaves the window that it was made from as it was", () => {
    const before = windowOf([[0, false]]);
    withOutcome(before, true, 500, SHAPE);

    expect(outcomesAt(before, 500, SHAPE)).toEqual({ ok: 1, failed: 0 });
  });

  it("agrees with counting every outcome whose part is within the window", () => {
    const step = fc.record({ afterMs: fc.nat(400), failed: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(2_000), (steps, laterMs) => {
        let atMs = 0;
        const all = steps.map(({ afterMs, failed }) => ({ atMs: (atMs += afterMs), failed }));
        const window = windowOf(all.map((outcome) => [outcome.atMs, outcome.failed]));
        const nowMs = atMs + laterMs;
        const oldestPart = Math.floor(nowMs / 100) - 10;
        const inside = all.filter((outcome) => Math.floor(outcome.atMs / 100) > oldestPart);
        const failed = inside.filter((outcome) => outcome.failed).length;

        expect(outcomesAt(window, nowMs, SHAPE)).toEqual({ ok: inside.length - failed, failed });
        expect(window.finished.length).toBeLessThanOrEqual(SHAPE.windowBuckets);
      }),
    );
  });
});
