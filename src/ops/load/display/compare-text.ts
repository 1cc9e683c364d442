import type { Comparison, MetricChange } from "../report/compare-reports.ts";
import { formatMs, formatRate, formatShare, significant } from "./format.ts";
import { textTable } from "./text-table.ts";

/** A comparison for the terminal. */
export function comparisonText(comparison: Comparison): string {
  const head = ["metric", "from", "to", "change", "limit", ""];
  const rows = comparison.metrics.map((metric) => [
    metric.metric,
    formatMetric(metric.from, metric.unit),
    formatMetric(metric.to, metric.unit),
    formatChange(metric),
    formatLimit(metric),
    metric.verdict === "regression" ? "REGRESSION" : metric.verdict === "within" ? "ok" : "",
  ]);
  const broken = comparison.metrics.filter(({ verdict }) => verdict === "regression").map(({ metric }) => metric);
  const verdict = broken.length === 0 ? "No regression." : `Regression: ${broken.join(", ")}.`;
  const forced = comparison.differences.map((difference) => `! Compared although the plans differ: ${difference}`);
  const notes = comparison.notes.map((note) => `! ${note}`);
  return `${[...textTable([head, ...rows], { left: [5] }), "", ...forced, ...notes, verdict].join("\n")}\n`;
}

/** A metric's value with its unit, or a dash. */
export function formatMetric(value: number | null, unit: MetricChange["unit"]): string {
  if (value === null) return "–";
  if (unit === "ms") return formatMs(value);
  if (unit === "%") return formatShare(value / 100);
  return unit === "/s" ? `${formatRate(value)} /s` : `${formatRate(value)} t/s`;
}

/** A change with its sign: `+21.3 %`, `−4.0 %`, `+5.1 points`. */
export function formatChange({ change, changeUnit }: MetricChange): string {
  if (change === null) return "–";
  const sign = change > 0 ? "+" : change < 0 ? "−" : "±";
  const size = Math.abs(change) < 1000 ? Math.abs(change).toFixed(1) : significant(Math.abs(change));
  return `${sign}${size} ${changeUnit}`;
}

/** The limit of a metric: `at most +20 %`, `at least −10 %`, or nothing. */
export function formatLimit({ limit, changeUnit, higherIsBetter }: MetricChange): string {
  if (limit === null) return "";
  return `${higherIsBetter ? "at least −" : "at most +"}${Math.abs(limit)} ${changeUnit}`;
}
