import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "./clock.ts";
import { SteadyClock } from "./steady-clock.ts";

const START_MS = Date.UTC(2026, 10, 20, 12);
const DAY_MS = 86_400_000;
const SECOND_MS = 1_000;

function setUp(): { source: ManualClock; steady: SteadyClock; jump: (ms: number) => void } {
  const source = new ManualClock(START_MS);
  return { source, steady: new SteadyClock(source), jump: (ms) => source.setWall(source.nowMs() + ms) };
}

/** Looks at the clock every second, as traffic does. */
function pass(seconds: number, { source, steady }: { source: ManualClock; steady: SteadyClock }): void {
  for (let i = 0; i < seconds; i++) {
    source.advance(SECOND_MS);
    steady.nowMs();
  }
}

describe("SteadyClock", () => {
  it("tells the wall time while nothing happens to it", () => {
    const { source, steady } = setUp();
    source.advance(1_234);

    expect(steady.nowMs()).toBe(START_MS + 1_234);
    expect(steady.monotonicMs()).toBe(source.monotonicMs());
  });

  it("follows small corrections at once", () => {
    const { steady, jump } = setUp();
    jump(4_000);

    expect(steady.nowMs()).toBe(START_MS + 4_000);
  });

  it("does not go back when a small correction does", () => {
    const { steady, source, jump } = setUp();
    source.advance(10_000);
    const before = steady.nowMs();
    jump(-3_000);

    expect(steady.nowMs()).toBe(before);
    source.advance(3_500);
    expect(steady.nowMs()).toBe(before + 500);
  });

  it("ignores a jump of a day that is taken back within a minute", () => {
    const parts = setUp();
    parts.jump(DAY_MS);
    pass(59, parts);
    expect(parts.steady.nowMs()).toBe(START_MS + 59 * SECOND_MS);

    parts.jump(-DAY_MS);
    pass(120, parts);
    expect(parts.steady.nowMs()).toBe(START_MS + 179 * SECOND_MS);
  });

  it("believes a jump forward that has stood for a minute", () => {
    const parts = setUp();
    parts.jump(DAY_MS);
    pass(1, parts);
    pass(60, parts);

    expect(parts.steady.nowMs()).toBe(START_MS + DAY_MS + 61 * SECOND_MS);
  });

  it("begins to wait anew when the clock jumps to yet another time", () => {
    const parts = setUp();
    parts.jump(DAY_MS);
    pass(50, parts);
    parts.jump(DAY_MS);
    pass(50, parts);
    expect(parts.steady.nowMs()).toBe(START_MS + 100 * SECOND_MS);

    pass(11, parts);
    expect(parts.steady.nowMs()).toBe(START_MS + 2 * DAY_MS + 111 * SECOND_MS);
  });

  it("waits where it is after a jump back, so that yesterday's budget does not open again", () => {
    const parts = setUp();
    parts.source.advance(SECOND_MS);
    const before = parts.steady.nowMs();
    parts.jump(-DAY_MS);
    pass(300, parts);

    expect(parts.steady.nowMs()).toBeGreaterThanOrEqual(before);
    expect(parts.steady.nowMs()).toBeLessThan(before + DAY_MS);
  });

  it("never goes back and never runs ahead of every time that the wall has shown", () => {
    const moves = fc.array(
      fc.record({
        advanceMs: fc.integer({ min: 0, max: 30_000 }),
        jumpMs: fc.oneof(
          { weight: 4, arbitrary: fc.constant(0) },
          { weight: 1, arbitrary: fc.integer({ min: -2 * DAY_MS, max: 2 * DAY_MS }) },
        ),
      }),
      { maxLength: 100 },
    );
    fc.assert(
      fc.property(moves, (moves) => {
        const { source, steady, jump } = setUp();
        let last = steady.nowMs();
        let furthestOffset = START_MS;
        for (const { advanceMs, jumpMs } of moves) {
          source.advance(advanceMs);
          jump(jumpMs);
          furthestOffset = Math.max(furthestOffset, source.nowMs() - source.monotonicMs());
          const now = steady.nowMs();

          expect(now).toBeGreaterThanOrEqual(last);
          expect(now).toBeLessThanOrEqual(furthestOffset + source.monotonicMs());
          last = now;
        }
      }),
    );
  });
});
