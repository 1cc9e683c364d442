import { describe, expect, it } from "vitest";

import { testReport } from "../testing/test-report.ts";
import { parseLoadReport } from "./load-report.ts";

describe("a report file", () => {
  it("is read back as it was written", () => {
    const report = testReport();
    expect(parseLoadReport(JSON.stringify(report), "a.json")).toEqual(report);
  });

  it.each([
    ["{", /a.json is not JSON/],
    ["[]", /a.json is not a load report/],
    [JSON.stringify({ ...testReport(), errorRate: 2 }), /not a load report at errorRate/],
    [JSON.stringify({ ...testReport(), windowMs: "x" }), /at windowMs/],
    [JSON.stringify({ ...testReport(), version: 99 }), /is of version 99; this weir reads version 1/],
    [
      JSON.stringify({
        ...testReport(),
        histograms: { latency: { buckets: [-1], counts: [1], sumUs: 1, minUs: 1, maxUs: 1 } },
      }),
      /at histograms.latency.buckets.0/,
    ],
    [
      JSON.stringify({
        ...testReport(),
        histograms: { latency: { buckets: [1, 2], counts: [1], sumUs: 1, minUs: 1, maxUs: 1 } },
      }),
      /differ in length/,
    ],
  ])("that is something else is refused with the place: %#", (text, message) => {
    expect(() => parseLoadReport(text, "a.json")).toThrow(message);
  });
});
