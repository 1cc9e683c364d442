import { availableParallelism, cpus, loadavg, totalmem } from "node:os";

import { RELATIVE_ERROR, type Histogram } from "../measure/histogram.ts";
import type { Aggregate } from "../measure/aggregate.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import { REPORT_SCHEMA, REPORT_VERSION, type Distribution, type LoadReport } from "./load-report.ts";
import { summarisePlan } from "./plan-summary.ts";
import { warningsOn } from "./warnings.ts";

/** Above this share of its time in callbacks a thread is late for everything. */
const SATURATED_BUSY_SHARE = 0.85;
const SATURATED_LATE_SHARE = 0.01;
/** What a run leaves behind besides its measures. */
interface RunFacts {
  readonly startedAtMs: number;
  readonly finishedAtMs: number;
  readonly windowMs: number;
  readonly partial: LoadReport["partial"];
  /** Of the busiest thread. */
  readonly busyShare: number;
  readonly cpuSeconds: number;
}

/** Puts the report of a run together. */
export function buildReport(plan: LoadPlan, measured: Aggregate, facts: RunFacts): LoadReport {
  const { counters, inWindow } = measured;
  const windowSeconds = facts.windowMs / 1000;
  const perSecond = (value: number): number => (windowSeconds > 0 ? round3(value / windowSeconds) : 0);
  const ended = counters.ok + counters.failed;
  const saturated = isSaturated(plan, measured, facts);
  const report: LoadReport = {
    schema: REPORT_SCHEMA,
    version: REPORT_VERSION,
    startedAt: new Date(facts.startedAtMs).toISOString(),
    finishedAt: new Date(facts.finishedAtMs).toISOString(),
    partial: facts.partial,
    plan: summarisePlan(plan),
    environment: environment(),
    generator: { busyShare: round3(facts.busyShare), cpuSeconds: round3(facts.cpuSeconds), saturated },
    windowMs: round3(facts.windowMs),
    totals: { ...counters },
    throughput: {
      okPerSecond: perSecond(inWindow.ok),
      failedPerSecond: perSecond(inWindow.failed),
      outputTokensPerSecond: perSecond(inWindow.outputTokens),
    },
    errorRate: ended === 0 ? 0 : counters.failed / ended,
    distributions: distributions(measured),
    histograms: histograms(measured),
    seconds: [...measured.rows()],
    statuses: Object.fromEntries(measured.statuses),
    errors: [...measured.failures.values()].sort((a, b) => b.count - a.count),
    warnings: [],
  };
  return { ...report, warnings: warningsOn(plan, report) };
}

function isSaturated(plan: LoadPlan, { counters }: Aggregate, { busyShare }: RunFacts): boolean {
  if (plan.load.kind === "closed") return busyShare > SATURATED_BUSY_SHARE;
  // Polling for due times keeps an open load's thread busy without need; what shows is being late without waiting for a place.
  return busyShare > SATURATED_BUSY_SHARE && counters.late > counters.due * SATURATED_LATE_SHARE;
}

function environment(): LoadReport["environment"] {
  return {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    loadAverage: round3(loadavg()[0] ?? 0),
  };
}

function distributions(measured: Aggregate): LoadReport["distributions"] {
  const of = (measure: Parameters<Aggregate["histogram"]>[0]): Distribution | null =>
    distribution(measured.histogram(measure));
  return {
    latency: of("latency"),
    service: of("service"),
    ttfb: of("ttfb"),
    ttft: of("ttft"),
    gap: of("gap"),
    pace: of("pace"),
    failed: of("failed"),
    lateness: of("lateness"),
  };
}

function histograms(measured: Aggregate): LoadReport["histograms"] {
  const of = (measure: keyof LoadReport["histograms"]): LoadReport["histograms"] => {
    const histogram = measured.histogram(measure);
    if (histogram.count === 0) return {};
    const { buckets, counts, ...edges } = histogram.toSparse();
    return { [measure]: { buckets: [...buckets], counts: [...counts], ...edges } };
  };
  return { ...of("latency"), ...of("service"), ...of("ttfb"), ...of("ttft"), ...of("gap") };
}

function distribution(histogram: Histogram): Distribution | null {
  if (histogram.count === 0) return null;
  const at = (q: number): number => round3(histogram.quantileMs(q));
  return {
    count: histogram.count,
    mean: round3(histogram.meanMs),
    min: round3(histogram.minMs),
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    max: round3(histogram.maxMs),
  };
}

function round3(value: number): number {
  return Math.round(value * 1000) / 1000;
}

/** How exact the percentiles are, for readers of a report. */
export const PERCENTILE_ERROR_PERCENT = RELATIVE_ERROR * 100;
