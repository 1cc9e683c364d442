import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { windowAt, type WindowKind } from "./calendar-window.ts";

const HOUR_MS = 3_600_000;
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia"];
const CALENDAR_KINDS = ["day", "week", "month"] as const;

const zone = fc.constantFrom(...ZONES);
const moment = fc.integer({ min: Date.UTC(2020, 0), max: Date.UTC(2035, 0) });

function span(kind: WindowKind, at: string, timeZone: string): { start: string; end: string; hours: number } {
  const { startMs, endMs } = windowAt(kind, Date.parse(at), timeZone);
  const iso = (ms: number): string => new Date(ms).toISOString().replace(":00.000Z", "Z");
  return { start: iso(startMs), end: iso(endMs), hours: (endMs - startMs) / HOUR_MS };
}

/** The wall-clock date and time in a zone by node's own Intl: an independent reading of the time zone database. */
function local(ms: number, timeZone: string): { date: string; time: string; weekday: string } {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    weekday: "short",
  }).formatToParts(ms);
  const part = (type: string): string => parts.find((candidate) => candidate.type === type)?.value ?? "";
  return {
    date: `${part("year")}-${part("month")}-${part("day")}`,
    time: `${part("hour")}:${part("minute")}`,
    weekday: part("weekday"),
  };
}

describe("windowAt", () => {
  it("contains the moment, and the next window begins where this one ends", () => {
    fc.assert(
      fc.property(fc.constantFrom(...CALENDAR_KINDS), moment, zone, (kind, atMs, timeZone) => {
        const window = windowAt(kind, atMs, timeZone);
        expect(window.startMs).toBeLessThanOrEqual(atMs);
        expect(window.endMs).toBeGreaterThan(atMs);

        expect(windowAt(kind, window.startMs, timeZone)).toEqual(window);
        expect(windowAt(kind, window.endMs - 1, timeZone)).toEqual(window);
        expect(windowAt(kind, window.endMs, timeZone).startMs).toBe(window.endMs);
      }),
      { numRuns: 300 },
    );
  });

  it("begins at local midnight, a week on Monday, a month on its first", () => {
    fc.assert(
      fc.property(moment, zone, (atMs, timeZone) => {
        const starts = CALENDAR_KINDS.map((kind) => local(windowAt(kind, atMs, timeZone).startMs, timeZone));

        expect(starts.map(({ time }) => time)).toEqual(["00:00", "00:00", "00:00"]);
        expect(starts[0]?.date).toBe(local(atMs, timeZone).date);
        expect(starts[1]?.weekday).toBe("Mon");
        expect(starts[2]?.date.slice(-2)).toBe("01");
      }),
      { numRuns: 200 },
    );
  });

  it("holds in every time zone of the database", () => {
    const atMs = Date.UTC(2026, 10, 20, 12);
    for (const timeZone of Intl.supportedValuesOf("timeZone")) {
      const { startMs, endMs } = windowAt("day", atMs, timeZone);
      expect([timeZone, startMs <= atMs && atMs < endMs]).toEqual([timeZone, true]);
    }
  });

  it.each([
    ["Europe/Berlin", "2026-03-29T12:00Z", "2026-03-28T23:00Z", "2026-03-29T22:00Z", 23],
    ["Europe/Berlin", "2026-10-25T12:00Z", "2026-10-24T22:00Z", "2026-10-25T23:00Z", 25],
    ["America/New_York", "2026-03-08T12:00Z", "2026-03-08T05:00Z", "2026-03-09T04:00Z", 23],
    ["America/New_York", "2026-11-01T12:00Z", "2026-11-01T04:00Z", "2026-11-02T05:00Z", 25],
    ["Asia/Kathmandu", "2026-03-29T12:00Z", "2026-03-28T18:15Z", "2026-03-29T18:15Z", 24],
    ["UTC", "2026-03-29T12:00Z", "2026-03-29T00:00Z", "2026-03-30T00:00Z", 24],
  ])("has the right day in %s at %s", (timeZone, at, ...expected) => {
    const { start, end, hours } = span("day", at, timeZone);
    expect([start, end, hours]).toEqual(expected);
  });

  it("keeps both passes of the repeated hour in one day", () => {
    // 2026-10-25 in Berlin: 02:30 comes twice, an hour apart.
    const [first, second] = [Date.UTC(2026, 9, 25, 0, 30), Date.UTC(2026, 9, 25, 1, 30)];
    expect(local(first, "Europe/Berlin").time).toBe(local(second, "Europe/Berlin").time);

    expect(windowAt("day", first, "Europe/Berlin")).toEqual(windowAt("day", second, "Europe/Berlin"));
  });

  it("has weeks of 167 and 169 hours where daylight saving turns", () => {
    expect(span("week", "2026-03-25T12:00Z", "Europe/Berlin").hours).toBe(167);
    expect(span("week", "2026-10-25T23:59Z", "Europe/Berlin").start).toBe("2026-10-25T23:00Z");
    expect(span("week", "2026-10-25T22:59Z", "Europe/Berlin").hours).toBe(169);
  });

  it("begins the week on Monday across a year's end", () => {
    expect(span("week", "2027-01-01T12:00Z", "UTC")).toEqual({
      start: "2026-12-28T00:00Z",
      end: "2027-01-04T00:00Z",
      hours: 168,
    });
  });

  it.each([
    ["2026-01-31T23:59Z", "2026-01-01T00:00Z", "2026-02-01T00:00Z"],
    ["2026-02-28T23:59Z", "2026-02-01T00:00Z", "2026-03-01T00:00Z"],
    ["2028-02-29T12:00Z", "2028-02-01T00:00Z", "2028-03-01T00:00Z"],
    ["2026-12-31T23:59Z", "2026-12-01T00:00Z", "2027-01-01T00:00Z"],
  ])("has the whole month at %s", (at, start, end) => {
    expect(span("month", at, "UTC")).toMatchObject({ start, end });
  });

  it("knows the leap year", () => {
    expect(span("month", "2028-02-10T00:00Z", "UTC").hours).toBe(29 * 24);
    expect(span("month", "2100-02-10T00:00Z", "UTC").hours).toBe(28 * 24);
  });

  it("passes over a day that a zone skipped", () => {
    // Samoa went from the 29th straight to the 31st of December 2011.
    const skipped = windowAt("day", Date.UTC(2011, 11, 30, 9, 59), "Pacific/Apia");

    expect(local(skipped.startMs, "Pacific/Apia").date).toBe("2011-12-29");
    expect(local(skipped.endMs, "Pacific/Apia").date).toBe("2011-12-31");
  });

  it("has no end in total", () => {
    expect(windowAt("total", Date.now(), "Asia/Kathmandu")).toEqual({ startMs: 0, endMs: Infinity });
  });
});
