import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { LoadProgress } from "../progress.ts";
import { compareReports, DEFAULT_THRESHOLDS } from "../report/compare-reports.ts";
import { testReport } from "../testing/test-report.ts";
import { comparisonText } from "./compare-text.ts";
import { formatBytes, formatMs, formatShare, formatSpan, formatStopwatch } from "./format.ts";
import { progressFrame, progressLine, sparkline } from "./progress-frame.ts";
import { ProgressWriter } from "./progress-writer.ts";
import { summaryText } from "./summary-text.ts";

const progress: LoadProgress = {
  phase: "measure",
  elapsedMs: 37_000,
  fraction: 0.62,
  etaMs: 23_000,
  ok: 12_333,
  failed: 12,
  late: 3,
  inFlight: 50,
  perSecond: 412,
  p50Ms: 11.8,
  p99Ms: 48.2,
  ttftP50Ms: 8.1,
  ttftP99Ms: 30,
  recent: [100, 200, 400, 412],
};

describe("numbers for people", () => {
  it.each([
    [0, "0 ms"],
    [0.0042, "0.004 ms"],
    [0.1432, "0.14 ms"],
    [9.999, "10.0 ms"],
    [12.34, "12.3 ms"],
    [999.4, "999 ms"],
    [999.6, "1.00 s"],
    [1234, "1.23 s"],
    [90_000, "1.50 min"],
  ])("a duration of %d ms is %s", (ms, text) => {
    expect(formatMs(ms)).toBe(text);
  });

  it("spans, stopwatches, shares and bytes are written as one says them", () => {
    expect([500, 30_000, 12_400, 60_000, 200_000, 3_600_000, 5_400_000].map(formatSpan)).toEqual([
      "500 ms",
      "30 s",
      "12.4 s",
      "1 min",
      "3 min 20 s",
      "1 h",
      "1 h 30 min",
    ]);
    expect([0, 37_000, 754_000, 3_723_000].map(formatStopwatch)).toEqual(["0:00", "0:37", "12:34", "1:02:03"]);
    expect([0, 0.000_01, 0.0012, 0.0184, 0.5, 0.9999, 1].map(formatShare)).toEqual([
      "0 %",
      "< 0.01 %",
      "0.12 %",
      "1.84 %",
      "50.0 %",
      "99.9 %",
      "100 %",
    ]);
    expect([512, 2048, 1_300_000, 5e9].map(formatBytes)).toEqual(["512 B", "2.00 KB", "1.24 MB", "4.66 GB"]);
  });
});

describe("the progress display", () => {
  it("shows rates, percentiles, errors, a bar, the recent past and the time left", () => {
    expect(progressFrame(progress, 90)).toEqual([
      "measuring   █████████████████████████░░░░░░░░░░░░░░░  62 %  0:37, 0:23 left",
      "requests    412/s     ▃▄██ 12,345 done, 50 in flight",
      "latency     p50 11.8 ms      p99 48.2 ms",
      "first token p50 8.10 ms      p99 30.0 ms",
      "errors      12 (0.10 %)   sent late 3",
    ]);
  });

  it("is never wider than the terminal", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 20, max: 200 }),
        fc.nat(1e9),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(fc.nat(1e6), { maxLength: 60 }),
        (columns, ok, fraction, recent) => {
          for (const line of progressFrame({ ...progress, ok, fraction, recent, elapsedMs: ok }, columns))
            expect(line.length).toBeLessThanOrEqual(columns);
        },
      ),
    );
  });

  it("draws small columns in proportion", () => {
    expect(sparkline([0, 50, 100])).toBe("▁▅█");
    expect(sparkline([0, 0])).toBe("▁▁");
    expect(sparkline([])).toBe("");
  });

  it("on a terminal draws over its last frame in a single write, and removes itself at the end", () => {
    const written: string[] = [];
    const output = { isTTY: true, hasColors: false, columns: () => 60, write: (text: string) => written.push(text) };
    const writer = new ProgressWriter(output);
    writer.head(["h".repeat(200), "second line"]);
    writer.show(progress);
    writer.show(progress);
    writer.finish();
    writer.finish();
    expect(written).toHaveLength(4);
    expect(written[0]).toBe(`${"h".repeat(59)}\nsecond line\n`);
    expect(written[1]).not.toContain("\u001B");
    expect(written[2]!.startsWith("\u001B[5A\r\u001B[0J")).toBe(true);
    expect(written[3]).toBe("\u001B[7A\r\u001B[0J");
  });

  it("leaves a note standing, above what is drawn after it", () => {
    const written: string[] = [];
    const output = { isTTY: true, hasColors: false, columns: () => 60, write: (text: string) => written.push(text) };
    const writer = new ProgressWriter(output);
    writer.head(["head"]);
    writer.show(progress);
    writer.note("Ending early.");
    writer.show(progress);
    writer.finish();
    expect(written.slice(2, 4)).toEqual(["\u001B[5A\r\u001B[0J", "Ending early.\n"]);
    expect(written.at(-1)).toBe("\u001B[5A\r\u001B[0J");
  });

  it("has colours only where they are wanted, and red ones for errors", () => {
    const shown = (hasColors: boolean): string => {
      let text = "";
      new ProgressWriter({ isTTY: true, hasColors, columns: () => 80, write: (more) => (text += more) }).show(progress);
      return text;
    };
    expect(shown(false)).not.toContain("\u001B");
    expect(shown(true)).toContain("\u001B[31merrors      12");
  });

  it("in a log writes a line now and then, without control characters", () => {
    const written: string[] = [];
    const writer = new ProgressWriter({
      isTTY: false,
      hasColors: false,
      columns: () => 80,
      write: (text) => written.push(text),
    });
    for (let elapsedMs = 0; elapsedMs <= 12_000; elapsedMs += 100) writer.show({ ...progress, elapsedMs });
    writer.show({ ...progress, elapsedMs: 12_100, phase: "drain" });
    writer.finish();
    expect(written).toHaveLength(4);
    expect(written.join("")).not.toContain("\u001B");
    expect(written[1]).toBe(
      "0:05 measuring 62 %, 12,345 done, 412/s, p50 11.8 ms, p99 48.2 ms, 12 failed, 50 in flight\n",
    );
    expect(progressLine({ ...progress, p50Ms: null, p99Ms: null })).toContain("p50 –");
  });
});

describe("the result in the terminal", () => {
  it("has the plan, the figures, the errors and the warnings", () => {
    const text = summaryText(
      testReport({
        errors: [{ kind: "http", detail: "429 rate_limit_error", count: 7, firstAtMs: 10, message: "slow down" }],
        warnings: ["Mind this."],
      }),
    );
    expect(text).toContain("5 users, 200 requests each; 2k bodies, max_tokens 64, streaming, claude-test");
    expect(text).toMatch(/throughput +100 requests\/s, 300 output tokens\/s/);
    expect(text).toMatch(/latency +50.0 ms +50.0 ms/);
    expect(text).not.toMatch(/from sending|sent late/);
    expect(text).toMatch(/7 +http +429 rate_limit_error +slow down/);
    expect(text).toContain("! Mind this.");
  });

  it("of a comparison says which metric, from, to, change and limit", () => {
    const before = testReport();
    const after = testReport({ throughput: { okPerSecond: 50, failedPerSecond: 0, outputTokensPerSecond: 300 } });
    const text = comparisonText(compareReports(before, after, { thresholds: DEFAULT_THRESHOLDS, force: false }));
    expect(text).toMatch(/throughput +100 \/s +50.0 \/s +−50.0 % +at least −10 % +REGRESSION/);
    expect(text).toMatch(/latency p95 +50.0 ms +50.0 ms +±0.0 % +at most \+20 % +ok/);
    expect(text.trim().endsWith("Regression: throughput.")).toBe(true);
  });
});
