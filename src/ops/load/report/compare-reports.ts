import { LoadError } from "../load-error.ts";
import type { LoadReport, PlanSummary } from "./load-report.ts";

/** How much worse a metric may become before it is a regression. */
export interface Thresholds {
  /** Percent that the 95th percentile of the latency may rise. */
  readonly p95Percent: number;
  /** Percent that the throughput may fall. */
  readonly throughputPercent: number;
  /** Percentage points that the error rate may rise. */
  readonly errorRatePoints: number;
}

export const DEFAULT_THRESHOLDS: Thresholds = { p95Percent: 20, throughputPercent: 10, errorRatePoints: 5 };

export interface MetricChange {
  readonly metric: string;
  readonly unit: "ms" | "/s" | "%" | "tokens/s";
  /** Null when the run has nothing to take it from. */
  readonly from: number | null;
  readonly to: number | null;
  /** In percent of `from`, or in percentage points for a rate; null when it cannot be said. */
  readonly change: number | null;
  readonly changeUnit: "%" | "points";
  /** The limit on `change`, signed; null for metrics that are only shown. */
  readonly limit: number | null;
  /** Whether a larger value is the better one. */
  readonly higherIsBetter: boolean;
  readonly verdict: "regression" | "within" | "shown";
}

export interface Comparison {
  readonly baseline: { readonly startedAt: string; readonly url: string };
  readonly candidate: { readonly startedAt: string; readonly url: string };
  readonly metrics: readonly MetricChange[];
  readonly regressed: boolean;
  /** How the plans differ; empty unless the comparison was forced. */
  readonly differences: readonly string[];
  /** What to bear in mind when reading the table: other machines, few requests. */
  readonly notes: readonly string[];
}

/** Runs with fewer good requests than this have a p95 that a handful of requests decides. */
const FEW_REQUESTS = 200;

/**
 * Compares a run with an earlier one of the same plan. A change equal to its limit is within it. Throws LoadError
 * (`incompatible`) when the plans differ in what the figures depend on, or a run was cut short, unless `force` is set.
 */
export function compareReports(
  baseline: LoadReport,
  candidate: LoadReport,
  options: { readonly thresholds: Thresholds; readonly force: boolean },
): Comparison {
  const differences = [...planDifferences(baseline.plan, candidate.plan), ...partialRuns(baseline, candidate)];
  if (differences.length > 0 && !options.force) throw incompatible(differences);
  const metrics = measureChanges(baseline, candidate, options.thresholds);
  return {
    baseline: { startedAt: baseline.startedAt, url: baseline.plan.url },
    candidate: { startedAt: candidate.startedAt, url: candidate.plan.url },
    metrics,
    regressed: metrics.some(({ verdict }) => verdict === "regression"),
    differences,
    notes: notesOn(baseline, candidate),
  };
}

function notesOn(baseline: LoadReport, candidate: LoadReport): readonly string[] {
  const notes: string[] = [];
  for (const field of ["cpu", "cores", "node", "platform"] as const) {
    const [from, to] = [baseline.environment[field], candidate.environment[field]];
    if (from !== to)
      notes.push(`The runs were measured on different machines or runtimes (${field}: ${from}, now ${to}).`);
  }
  for (const [name, { totals, generator }] of [
    ["The baseline", baseline],
    ["The new run", candidate],
  ] as const) {
    if (totals.ok < FEW_REQUESTS)
      notes.push(
        `${name} has only ${totals.ok} good requests: its p95 rests on ${Math.floor(totals.ok / 20)} of them.`,
      );
    if (generator.saturated) notes.push(`${name} was limited by its load generator.`);
  }
  return notes;
}

function measureChanges(baseline: LoadReport, candidate: LoadReport, thresholds: Thresholds): readonly MetricChange[] {
  const ms = (metric: string, of: (report: LoadReport) => number | undefined, limit: number | null): MetricChange =>
    judged({ metric, unit: "ms", from: of(baseline) ?? null, to: of(candidate) ?? null, limit, higherIsBetter: false });
  const perSecond = (metric: string, of: (report: LoadReport) => number, limit: number | null): MetricChange =>
    judged({ metric, unit: "/s", from: of(baseline), to: of(candidate), limit, higherIsBetter: true });
  return [
    ms("latency p95", ({ distributions }) => distributions.latency?.p95, thresholds.p95Percent),
    perSecond("throughput", ({ throughput }) => throughput.okPerSecond, -thresholds.throughputPercent),
    errorRate(baseline, candidate, thresholds.errorRatePoints),
    ms("latency p50", ({ distributions }) => distributions.latency?.p50, null),
    ms("latency p99", ({ distributions }) => distributions.latency?.p99, null),
    ms("first token p50", ({ distributions }) => distributions.ttft?.p50, null),
    ms("first token p95", ({ distributions }) => distributions.ttft?.p95, null),
    {
      ...perSecond("output tokens", ({ throughput }) => throughput.outputTokensPerSecond, null),
      unit: "tokens/s" as const,
    },
  ].filter(({ from, to, limit }) => limit !== null || from !== null || to !== null);
}

type Unjudged = Pick<MetricChange, "metric" | "unit" | "from" | "to" | "limit" | "higherIsBetter">;

function judged(metric: Unjudged): MetricChange {
  const { from, to, limit, higherIsBetter } = metric;
  const change = from === null || to === null || from === 0 ? null : (to / from - 1) * 100;
  if (limit === null) return { ...metric, change, changeUnit: "%", verdict: "shown" };
  return { ...metric, change, changeUnit: "%", verdict: isWorse(metric, higherIsBetter) ? "regression" : "within" };
}

/** Whether the value passes its limit. The product is compared, not the quotient, so that the limit itself is exact. */
function isWorse({ from, to, limit }: Unjudged, higherIsBetter: boolean): boolean {
  // Without a baseline there is nothing to fall behind; without a value where there was one, all has been lost.
  if (from === null || (higherIsBetter && from === 0)) return false;
  if (to === null) return true;
  const bound = from * (1 + (limit ?? 0) / 100);
  const slack = Math.abs(bound) * 1e-9;
  return higherIsBetter ? to < bound - slack : to > bound + slack;
}

function errorRate(baseline: LoadReport, candidate: LoadReport, points: number): MetricChange {
  const change = (candidate.errorRate - baseline.errorRate) * 100;
  return {
    metric: "error rate",
    unit: "%",
    from: baseline.errorRate * 100,
    to: candidate.errorRate * 100,
    change,
    changeUnit: "points",
    limit: points,
    higherIsBetter: false,
    verdict: change > points + 1e-9 ? "regression" : "within",
  };
}

/** What has to be the same for two runs' figures to mean the same. Targets, keys, seeds and threads may differ. */
const COMPARED: readonly (keyof PlanSummary)[] = [
  "model",
  "maxTokens",
  "stream",
  "body",
  "sharedPrefix",
  "keepAlive",
  "timeoutMs",
];

/** How two plans differ in what their figures depend on; empty when their reports can be compared. */
export function planDifferences(baseline: PlanSummary, candidate: PlanSummary): readonly string[] {
  const differences: string[] = [];
  const compare = (what: string, from: unknown, to: unknown): void => {
    if (from !== to) differences.push(`${what}: ${JSON.stringify(from)} against ${JSON.stringify(to)}`);
  };
  for (const field of COMPARED) compare(field, baseline[field], candidate[field]);
  const [from, to] = [
    new Map<string, unknown>(Object.entries(baseline.load)),
    new Map<string, unknown>(Object.entries(candidate.load)),
  ];
  if (baseline.load.kind !== candidate.load.kind) compare("load", baseline.load.kind, candidate.load.kind);
  else for (const field of from.keys()) compare(`load.${field}`, from.get(field), to.get(field));
  return differences;
}

/** The error for plans that differ. */
export function incompatible(differences: readonly string[]): LoadError {
  return new LoadError(
    "incompatible",
    `the two runs cannot be compared:\n${differences.map((line) => `  ${line}`).join("\n")}`,
    "Measure again under the same plan, or compare all the same with --force.",
  );
}

function partialRuns(baseline: LoadReport, candidate: LoadReport): readonly string[] {
  const of = (name: string, { partial }: LoadReport): readonly string[] =>
    partial === null ? [] : [`${name} is partial (${partial.reason.replaceAll("_", " ")})`];
  return [...of("the baseline", baseline), ...of("the new run", candidate)];
}
