import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { addSpan, parseSpan, startOfLast } from "./parse-span.ts";

const at = (text: string): number => Date.parse(text);
const iso = (ms: number): string => new Date(ms).toISOString();

describe("a span of time", () => {
  it.each([
    ["30m", { count: 30, unit: "minutes" }],
    ["24h", { count: 24, unit: "hours" }],
    ["90D", { count: 90, unit: "days" }],
    ["2w", { count: 2, unit: "weeks" }],
    [" 6mo ", { count: 6, unit: "months" }],
    ["1y", { count: 1, unit: "years" }],
  ])("is read from %j", (text, span) => {
    expect(parseSpan(text)).toEqual(span);
  });

  it.each(["", "7", "d", "0d", "-1d", "1.5d", "7 fortnights", "999999d", "7d7d"])("is not read from %j", (text) => {
    expect(() => parseSpan(text)).toThrow(RangeError);
  });

  it("given any text, is read or refused as a RangeError", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseSpan(text).count).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });

  it("is laid on the calendar: a month ends on the day of the same number, a day may have 25 hours", () => {
    expect(iso(addSpan(at("2027-01-31T10:00:00Z"), { count: 1, unit: "months" }, "UTC"))).toBe(
      "2027-02-28T10:00:00.000Z",
    );
    const berlin = addSpan(at("2026-10-24T22:00:00Z"), { count: 1, unit: "days" }, "Europe/Berlin");
    expect(iso(berlin)).toBe("2026-10-25T23:00:00.000Z");
  });
});

describe("the last days", () => {
  it("are whole days of the zone, today included", () => {
    const now = at("2026-11-20T12:34:56Z");
    expect(iso(startOfLast({ count: 7, unit: "days" }, now, "UTC"))).toBe("2026-11-14T00:00:00.000Z");
    expect(iso(startOfLast({ count: 1, unit: "days" }, now, "Asia/Tokyo"))).toBe("2026-11-19T15:00:00.000Z");
    expect(iso(startOfLast({ count: 1, unit: "months" }, now, "UTC"))).toBe("2026-10-21T00:00:00.000Z");
  });

  it("are exact for hours and minutes", () => {
    expect(iso(startOfLast({ count: 24, unit: "hours" }, at("2026-11-20T12:34:56Z"), "UTC"))).toBe(
      "2026-11-19T12:34:56.000Z",
    );
  });
});
