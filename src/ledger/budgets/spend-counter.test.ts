import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { windowAt } from "../../core/calendar-window.ts";
import { SubjectSpend, WINDOW_KINDS } from "./spend-counter.ts";

const START_MS = Date.UTC(2026, 9, 20);
const DAY_MS = 86_400_000;

describe("SubjectSpend", () => {
  it("always has the four counters of the present windows, however time passes", () => {
    const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu");
    fc.assert(
      fc.property(zone, fc.array(fc.nat(40 * DAY_MS), { maxLength: 30 }), (timeZone, waits) => {
        const spend = new SubjectSpend(timeZone, START_MS);
        let nowMs = START_MS;
        for (const wait of waits) {
          nowMs += wait;
          const spans = spend.at(nowMs).map(({ kind, startMs, endMs }) => ({ kind, startMs, endMs }));

          expect(spans).toEqual(WINDOW_KINDS.map((kind) => ({ kind, ...windowAt(kind, nowMs, timeZone) })));
        }
      }),
    );
  });

  it("keeps the very counters whose windows have not turned, and gives new empty ones for the others", () => {
    const spend = new SubjectSpend("UTC", Date.UTC(2026, 9, 30, 12));
    const before = spend.at(Date.UTC(2026, 9, 30, 12));
    for (const counter of before) counter.spent = 7;
    // Friday to Saturday, the 31st: only the day turns.
    const after = spend.at(Date.UTC(2026, 9, 31));

    expect(after.map((counter, i) => counter === before[i])).toEqual([false, true, true, true]);
    expect(after.map(({ spent }) => spent)).toEqual([0, 7, 7, 7]);
    expect(before[0]?.spent).toBe(7);
  });

  it("does not open yesterday again when the time given is earlier", () => {
    const spend = new SubjectSpend("UTC", START_MS);
    const today = spend.at(START_MS);

    expect(spend.at(START_MS - 2 * DAY_MS)).toBe(today);
  });
});
