import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type Span, splitWindow } from "./window-split.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe("splitWindow", () => {
  it("takes whole days, whole hours around them, and rows at the edges", () => {
    const window = { fromMs: DAY_MS - HOUR_MS - 5, toMs: 3 * DAY_MS + 2 * HOUR_MS + 7 };
    expect(splitWindow(window)).toEqual({
      days: [{ fromMs: DAY_MS, toMs: 3 * DAY_MS }],
      hours: [
        { fromMs: DAY_MS - HOUR_MS, toMs: DAY_MS },
        { fromMs: 3 * DAY_MS, toMs: 3 * DAY_MS + 2 * HOUR_MS },
      ],
      rows: [
        { fromMs: DAY_MS - HOUR_MS - 5, toMs: DAY_MS - HOUR_MS },
        { fromMs: 3 * DAY_MS + 2 * HOUR_MS, toMs: 3 * DAY_MS + 2 * HOUR_MS + 7 },
      ],
    });
  });

  it("needs nothing but days for all time", () => {
    expect(splitWindow({ fromMs: 0, toMs: Infinity })).toEqual({
      days: [{ fromMs: 0, toMs: Infinity }],
      hours: [],
      rows: [],
    });
  });

  it("goes no coarser than it may", () => {
    const window = { fromMs: 0, toMs: DAY_MS };
    expect(splitWindow(window, "hour")).toEqual({ days: [], hours: [window], rows: [] });
    expect(splitWindow(window, "row")).toEqual({ days: [], hours: [], rows: [window] });
  });

  it("covers every moment of a window once and nothing else, with whole units", () => {
    const moment = fc.oneof(
      fc.integer({ min: 0, max: 5 * DAY_MS }),
      fc.nat(5 * 24).map((hour) => hour * HOUR_MS),
    );
    fc.assert(
      fc.property(moment, moment, fc.constantFrom("day", "hour", "row"), (a, b, coarsest) => {
        const window = { fromMs: Math.min(a, b), toMs: Math.max(a, b) };
        const { days, hours, rows } = splitWindow(window, coarsest);
        const parts = [...days, ...hours, ...rows].toSorted((x, y) => x.fromMs - y.fromMs);
        expect(joined(parts)).toEqual(window.fromMs < window.toMs ? [window] : []);
        for (const day of days) expect([day.fromMs % DAY_MS, day.toMs % DAY_MS]).toEqual([0, 0]);
        for (const hour of hours) expect([hour.fromMs % HOUR_MS, hour.toMs % HOUR_MS]).toEqual([0, 0]);
      }),
    );
  });
});

/** Spans that follow each other without a gap, as one. */
function joined(spans: readonly Span[]): Span[] {
  const runs: Span[] = [];
  for (const span of spans) {
    const last = runs.at(-1);
    if (last?.toMs === span.fromMs) runs.splice(-1, 1, { fromMs: last.fromMs, toMs: span.toMs });
    else runs.push(span);
  }
  return runs;
}
