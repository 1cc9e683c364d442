import { formatChange, formatLimit, formatMetric } from "../display/compare-text.ts";
import {
  formatBytes,
  formatCount,
  formatMs,
  formatRate,
  formatShare,
  formatSpan,
  formatStopwatch,
  significant,
} from "../display/format.ts";
import { formatValue, shownRows } from "../display/summary-text.ts";
import type { Comparison } from "../report/compare-reports.ts";
import type { LoadReport } from "../report/load-report.ts";
import { markup, type Markup } from "./markup.ts";

const MAX_SECONDS_SHOWN = 1800;

/** The six figures that matter most, with the earlier run's below them when there is one. */
export function tiles(report: LoadReport, baseline: LoadReport | null): Markup {
  const { throughput, distributions } = report;
  const { latency } = distributions;
  const first = distributions.ttft === null ? ("ttfb" as const) : ("ttft" as const);
  const was = (text: string | null): string | null => (text === null ? null : `was ${text}`);
  const ms = (value: number | undefined): string | null => (value === undefined ? null : formatMs(value));
  return markup`<dl class="tiles">${[
    tile(
      "Throughput",
      `${formatRate(throughput.okPerSecond)} /s`,
      baseline === null
        ? `${formatRate(throughput.outputTokensPerSecond)} tokens/s out`
        : was(`${formatRate(baseline.throughput.okPerSecond)} /s`),
    ),
    tile(
      "Latency p50",
      ms(latency?.p50),
      baseline === null ? `mean ${ms(latency?.mean) ?? "–"}` : was(ms(baseline.distributions.latency?.p50)),
    ),
    tile(
      "Latency p95",
      ms(latency?.p95),
      baseline === null ? `p90 ${ms(latency?.p90) ?? "–"}` : was(ms(baseline.distributions.latency?.p95)),
    ),
    tile(
      "Latency p99",
      ms(latency?.p99),
      baseline === null ? `max ${ms(latency?.max) ?? "–"}` : was(ms(baseline.distributions.latency?.p99)),
    ),
    tile(
      first === "ttft" ? "First token p50" : "First byte p50",
      ms(distributions[first]?.p50),
      baseline === null ? `p95 ${ms(distributions[first]?.p95) ?? "–"}` : was(ms(baseline.distributions[first]?.p50)),
    ),
    tile(
      "Errors",
      formatShare(report.errorRate),
      baseline === null
        ? `${formatCount(report.totals.failed)} of ${formatCount(report.totals.ok + report.totals.failed)}`
        : was(formatShare(baseline.errorRate)),
      report.errorRate > 0 ? "is-bad" : "",
    ),
  ]}</dl>`;
}

function tile(name: string, value: string | null, below: string | null, style = ""): Markup {
  const [number = "–", unit] = (value ?? "–").split(/ (?=[^ ]+$)/);
  return markup`<div><dt>${name}</dt><dd><span class="${style}">${number}</span>${unit === undefined ? null : markup`<span class="unit"> ${unit}</span>`}<small>${below ?? "\u00A0"}</small></dd></div>`;
}

/** What to know before trusting the figures. */
export function warningList(warnings: readonly string[]): Markup | null {
  return warnings.length === 0
    ? null
    : markup`<ul class="warnings">${warnings.map((warning) => markup`<li>${warning}</li>`)}</ul>`;
}

export function comparisonSection(comparison: Comparison): Markup {
  const rows = comparison.metrics.map((metric) => {
    const style = metric.verdict === "regression" ? "is-bad" : metric.verdict === "within" ? "is-good" : "";
    const verdict = { regression: "regression", within: "within", shown: "" }[metric.verdict];
    return markup`<tr><th scope="row">${metric.metric}</th><td>${formatMetric(metric.from, metric.unit)}</td><td>${formatMetric(metric.to, metric.unit)}</td><td>${formatChange(metric)}</td><td>${formatLimit(metric)}</td><td class="${style}">${verdict}</td></tr>`;
  });
  const remarks = [
    ...comparison.differences.map((difference) => `Compared although the plans differ: ${difference}`),
    ...comparison.notes,
  ];
  return markup`<section><h2>Against the run of ${formatDate(comparison.baseline.startedAt)}</h2><div class="scroll"><table><thead><tr><th class="left">metric</th><th>before</th><th>now</th><th>change</th><th>limit</th><th>verdict</th></tr></thead><tbody>${rows}</tbody></table></div>${warningList(remarks)}</section>`;
}

export function distributionSection(report: LoadReport): Markup {
  const rows = shownRows(report).map(({ key, label, unit }) => {
    const found = report.distributions[key];
    if (found === null) return null;
    const { count, p50, p90, p95, p99, p999, max, mean } = found;
    return markup`<tr><th scope="row">${label}</th>${[p50, p90, p95, p99, p999, max, mean].map((value) => markup`<td>${formatValue(value, unit)}</td>`)}<td>${formatCount(count)}</td></tr>`;
  });
  return markup`<section><h2>Distributions</h2><div class="scroll"><table><thead><tr><th class="left">measure</th>${["p50", "p90", "p95", "p99", "p99.9", "max", "mean", "samples"].map((head) => markup`<th>${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

export function errorSection({ errors, totals }: LoadReport): Markup | null {
  if (errors.length === 0) return null;
  const ended = totals.ok + totals.failed;
  const rows = errors.map(
    ({ count, kind, detail, message, firstAtMs }) =>
      markup`<tr><td class="left">${kind.replaceAll("_", " ")}</td><td class="left">${detail}</td><td>${formatCount(count)}</td><td>${formatShare(count / ended)}</td><td>${formatSpan(Math.max(0, firstAtMs))}</td><td class="left wrap">${message}</td></tr>`,
  );
  return markup`<section><h2>Errors</h2><div class="scroll"><table><thead><tr><th class="left">kind</th><th class="left">what</th><th>count</th><th>share</th><th>first after</th><th class="left">said the first time</th></tr></thead><tbody>${rows}</tbody></table></div></section>`;
}

export function factsSection(report: LoadReport): Markup {
  const { plan, totals, environment, generator } = report;
  const facts: readonly (readonly [string, string | null])[] = [
    ["Model", plan.model],
    ["Bodies", plan.load.kind === "trace" && plan.load.traceKind === "requests" ? "as traced" : plan.body],
    ["Answers", plan.stream ? "streamed" : "whole"],
    ["Good requests", formatCount(totals.ok)],
    ["Failed requests", formatCount(totals.failed)],
    ["Unfinished at the end", totals.unfinished === 0 ? null : formatCount(totals.unfinished)],
    ["Warm-up, not counted", `${formatSpan(plan.warmupMs)}, ${formatCount(totals.warmup)} requests`],
    ["Sent late", plan.load.kind === "closed" ? null : formatCount(totals.late)],
    ["Sent", formatBytes(totals.bytesSent)],
    ["Received", formatBytes(totals.bytesReceived)],
    ["Stream events", totals.events === 0 ? null : formatCount(totals.events)],
    ["Input tokens", formatCount(totals.inputTokens)],
    ["Output tokens", formatCount(totals.outputTokens)],
    ["Cache read tokens", formatCount(totals.cacheReadTokens)],
    ["Cache write tokens", formatCount(totals.cacheWriteTokens)],
    [
      "Statuses",
      Object.entries(report.statuses)
        .map(([status, count]) => `${status}: ${formatCount(count)}`)
        .join(", "),
    ],
    ["Longest request allowed", formatSpan(plan.timeoutMs)],
    ["At most in flight", formatCount(plan.maxInFlight)],
    ["Connections", plan.keepAlive ? "kept open" : "one a request"],
    ["Seed", String(plan.seed)],
    ["Load threads", String(plan.threads)],
    ["Generator busy", `${Math.round(generator.busyShare * 100)} %, ${significant(generator.cpuSeconds)} s of CPU`],
    ["Machine", `${environment.cores} × ${environment.cpu}`],
    ["Runtime", `Node ${environment.node}, ${environment.platform}`],
  ];
  const shown = facts.filter(([, value]) => value !== null && value !== "");
  return markup`<section><h2>Plan and circumstances</h2><dl class="facts">${shown.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl></section>`;
}

/** The table behind the charts over time. */
export function secondsSection({ seconds }: LoadReport): Markup {
  const ms = (value: number | null): string => (value === null ? "–" : formatMs(value));
  const shown = seconds.slice(0, MAX_SECONDS_SHOWN);
  const rows = shown.map(
    (row) =>
      markup`<tr><th scope="row">${formatStopwatch(row.second * 1000)}</th><td>${row.due}</td><td>${row.ok}</td><td>${row.failed}</td><td>${row.inFlight}</td><td>${ms(row.latencyP50Ms)}</td><td>${ms(row.latencyP95Ms)}</td><td>${ms(row.latencyP99Ms)}</td><td>${ms(row.ttftP50Ms)}</td><td>${ms(row.ttftP95Ms)}</td></tr>`,
  );
  const heads = ["due", "good", "failed", "in flight", "p50", "p95", "p99", "first token p50", "first token p95"];
  const rest =
    seconds.length > shown.length
      ? markup`<p class="muted">The JSON report has the other ${formatCount(seconds.length - shown.length)} seconds.</p>`
      : null;
  return markup`<details><summary>Second by second</summary><section><div class="scroll"><table><thead><tr><th class="left">time</th>${heads.map((head) => markup`<th>${head}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>${rest}</section></details>`;
}

/** A date as `20 Nov 2026, 19:03 UTC`: the page has no script that could know the reader's zone. */
export function formatDate(iso: string): string {
  const date = new Date(iso);
  const text = date.toLocaleString("en-GB", {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  });
  return `${text} UTC`;
}
