import { describe, expect, it } from "vitest";

import { flat, testReport } from "../testing/test-report.ts";
import { compareReports, DEFAULT_THRESHOLDS, type Comparison, type MetricChange } from "./compare-reports.ts";
import type { LoadReport } from "./load-report.ts";

const before = testReport();

function compare(changes: Partial<LoadReport>, options: { force?: boolean; baseline?: LoadReport } = {}): Comparison {
  return compareReports(options.baseline ?? before, testReport(changes), {
    thresholds: DEFAULT_THRESHOLDS,
    force: options.force ?? false,
  });
}

function metric(comparison: Comparison, name: string): MetricChange {
  return comparison.metrics.find((change) => change.metric === name)!;
}

const withP95 = (p95: number): Partial<LoadReport> => ({
  distributions: { ...before.distributions, latency: { ...flat(50), p95 } },
});
const withThroughput = (okPerSecond: number): Partial<LoadReport> => ({
  throughput: { ...before.throughput, okPerSecond },
});

describe("a run against an earlier one", () => {
  it("that is the same has no regression", () => {
    expect(compare({})).toMatchObject({ regressed: false, differences: [], notes: [] });
  });

  it.each([
    ["latency p95", withP95(60), withP95(60.001), 20],
    ["throughput", withThroughput(90), withThroughput(89.999), -10],
    ["error rate", { errorRate: 0.05 }, { errorRate: 0.050_01 }, 5],
  ] as const)("may reach the limit of its %s and not pass it", (name, at, beyond, limit) => {
    const reaching = compare(at);
    expect(reaching.regressed).toBe(false);
    expect(metric(reaching, name)).toMatchObject({ verdict: "within", limit });
    expect(metric(reaching, name).change).toBeCloseTo(limit, 6);
    const passing = compare(beyond);
    expect(passing.regressed).toBe(true);
    expect(passing.metrics.filter(({ verdict }) => verdict === "regression").map((change) => change.metric)).toEqual([
      name,
    ]);
  });

  it("is held to the limits at the boundary for awkward numbers, too", () => {
    for (const from of [0.1, 0.3, 1.1, 7.7, 33.3, 1e-3, 12_345.678]) {
      const baseline = testReport({ ...withP95(from), ...withThroughput(from) });
      const at = { ...withP95(from * 1.2), ...withThroughput(from * 0.9) };
      expect(compare(at, { baseline }).regressed).toBe(false);
    }
  });

  it("has no regression by being better", () => {
    expect(compare({ ...withP95(10), ...withThroughput(1000) }).regressed).toBe(false);
  });

  it("adds the limit of the error rate to it as percentage points", () => {
    const baseline = testReport({ errorRate: 0.1 });
    expect(compare({ errorRate: 0.15 }, { baseline }).regressed).toBe(false);
    expect(compare({ errorRate: 0.16 }, { baseline }).regressed).toBe(true);
  });

  it("without a single success has lost its latency and its throughput", () => {
    const comparison = compare({
      ...withThroughput(0),
      errorRate: 1,
      distributions: { ...before.distributions, latency: null },
    });
    expect(comparison.metrics.filter(({ verdict }) => verdict === "regression").map((change) => change.metric)).toEqual(
      ["latency p95", "throughput", "error rate"],
    );
    expect(metric(comparison, "latency p95")).toMatchObject({ to: null, change: null });
  });

  it("cannot fall behind a baseline that had nothing", () => {
    const baseline = testReport({ ...withThroughput(0), distributions: { ...before.distributions, latency: null } });
    expect(compare({}, { baseline }).regressed).toBe(false);
  });

  it("takes other limits when they are given", () => {
    const strict = { p95Percent: 0, throughputPercent: 0, errorRatePoints: 0 };
    expect(compareReports(before, testReport(withP95(50.1)), { thresholds: strict, force: false }).regressed).toBe(
      true,
    );
    expect(compareReports(before, before, { thresholds: strict, force: false }).regressed).toBe(false);
  });
});

describe("runs that cannot be compared", () => {
  const differing = testReport({
    plan: {
      ...before.plan,
      body: "100k",
      stream: false,
      load: { ...before.plan.load, users: 9 } as LoadReport["plan"]["load"],
    },
  });

  it("are refused with every difference named", () => {
    expect(() => compareReports(before, differing, { thresholds: DEFAULT_THRESHOLDS, force: false })).toThrow(
      expect.objectContaining({
        kind: "incompatible",
        message: expect.stringMatching(
          /stream: true against false[^]*body: "2k" against "100k"[^]*load.users: 5 against 9/,
        ),
      }),
    );
  });

  it("are compared when it is forced, with the differences kept", () => {
    const comparison = compareReports(before, differing, { thresholds: DEFAULT_THRESHOLDS, force: true });
    expect(comparison.differences).toHaveLength(3);
  });

  it("include partial ones, and kinds of load that differ", () => {
    expect(() => compare({ partial: { reason: "interrupted", atMs: 1 } })).toThrow(
      /the new run is partial \(interrupted\)/,
    );
    const rate = { kind: "rate", requestsPerSecond: 5, arrival: "constant", durationMs: 1000, rampMs: 0 } as const;
    expect(() => compare({ plan: { ...before.plan, load: rate } })).toThrow(/load: "closed" against "rate"/);
  });

  it("do not include those of other targets, seeds, keys and machines; the last is noted", () => {
    const elsewhere = compare({
      plan: { ...before.plan, url: "http://127.0.0.1:9999/v1/messages", seed: 9, keys: 3, threads: 4 },
      environment: { ...before.environment, cpu: "other cpu" },
    });
    expect(elsewhere.differences).toEqual([]);
    expect(elsewhere.notes.join()).toMatch(/different machines.*other cpu/);
  });

  it("note that few requests prove little", () => {
    expect(compare({ totals: { ...before.totals, ok: 40 } }).notes).toEqual([
      "The new run has only 40 good requests: its p95 rests on 2 of them.",
    ]);
  });
});
