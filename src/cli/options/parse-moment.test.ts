import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { momentMs, parseMoment } from "./parse-moment.ts";

const iso = (text: string, zone: string, edge?: "end"): string =>
  new Date(momentMs(parseMoment(text), zone, edge)).toISOString();

describe("a moment", () => {
  it("is a date in the zone: its start, or its end where it closes a range", () => {
    expect(iso("2026-11-20", "UTC")).toBe("2026-11-20T00:00:00.000Z");
    expect(iso("2026-11-20", "Asia/Tokyo")).toBe("2026-11-19T15:00:00.000Z");
    expect(iso("2026-11-20", "UTC", "end")).toBe("2026-11-21T00:00:00.000Z");
  });

  it("is a local time in the zone, or an instant wherever that is", () => {
    expect(iso("2026-11-20T14:30", "Asia/Tokyo")).toBe("2026-11-20T05:30:00.000Z");
    expect(iso("2026-11-20T14:30:00Z", "Asia/Tokyo", "end")).toBe("2026-11-20T14:30:00.000Z");
    expect(iso("2026-11-20T14:30+01:00", "UTC")).toBe("2026-11-20T13:30:00.000Z");
  });

  it.each(["", "today", "2026-13-01", "2026-02-30", "20.11.2026", "2026-11-20T25:00"])("is not %j", (text) => {
    expect(() => parseMoment(text)).toThrow(/write for example 2026-11-20/);
  });

  it("given any text, is read or refused as a RangeError", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^2026-[01]\d-[0-3]\d(T[0-2]\d:[0-5]\d)?$/)), (text) => {
        try {
          expect(momentMs(parseMoment(text), "UTC")).toBeTypeOf("number");
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
