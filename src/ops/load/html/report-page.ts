import { describeLoad, describeRequests } from "../display/describe-plan.ts";
import { formatSpan } from "../display/format.ts";
import { PERCENTILE_ERROR_PERCENT } from "../report/build-report.ts";
import type { Comparison } from "../report/compare-reports.ts";
import type { LoadReport } from "../report/load-report.ts";
import { distributionChart, percentileChart, sampleSize } from "./distribution-charts.ts";
import { markup, Markup } from "./markup.ts";
import {
  comparisonSection,
  distributionSection,
  errorSection,
  factsSection,
  formatDate,
  secondsSection,
  tiles,
  warningList,
} from "./page-sections.ts";
import { PAGE_STYLE } from "./page-style.ts";
import { firstTokenOverTime, inFlightOverTime, latencyOverTime, throughputOverTime } from "./time-charts.ts";

/** An earlier run, and what the comparison with it says. */
export interface Against {
  readonly report: LoadReport;
  readonly comparison: Comparison;
}

/**
 * A report as one HTML page that needs nothing else: no script, no font, no image, no request. Whatever servers said is
 * escaped, and a content policy forbids the rest.
 */
export function reportPage(report: LoadReport, against: Against | null): string {
  const baseline = against?.report ?? null;
  const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
  // The style is our own text, without values from outside.
  const style = new Markup(PAGE_STYLE);
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<title>Load test of ${new URL(report.plan.url).host}, ${formatDate(report.startedAt)}</title>
<style>${style}</style>
</head>
<body>
<main>
${pageHead(report, against)}
${tiles(report, baseline)}
${warningList(report.warnings)}
${against === null ? null : comparisonSection(against.comparison)}
${charts(report, baseline)}
${errorSection(report)}
${distributionSection(report)}
${factsSection(report)}
${secondsSection(report)}
<footer>Measured by weir bench. Percentiles are exact to ${PERCENTILE_ERROR_PERCENT.toFixed(1)} %; latencies are those of requests that succeeded, counted from when each was due. Report format ${report.version}.</footer>
</main>
</body>
</html>
`.text;
}

function pageHead(report: LoadReport, against: Against | null): Markup {
  const { plan, windowMs, startedAt } = report;
  return markup`<header><h1>Load test of ${new URL(plan.url).host}</h1>${state(report, against)}<p>${describeLoad(plan)}; ${describeRequests(plan)}</p><p>${formatDate(startedAt)}, measured for ${formatSpan(windowMs)}, ${plan.url}</p></header>`;
}

function state({ partial }: LoadReport, against: Against | null): Markup {
  if (against?.comparison.regressed === true) return markup`<span class="state bad">Regression</span>`;
  if (partial !== null)
    return markup`<span class="state warn">Partial: ${partial.reason.replaceAll("_", " ")} after ${formatSpan(partial.atMs)}</span>`;
  return markup`<span class="state good">${against === null ? "Complete" : "No regression"}</span>`;
}

function charts(report: LoadReport, baseline: LoadReport | null): Markup {
  const over = { report, baseline };
  const ghost = baseline === null ? "" : "; dashed: before";
  const figures = [
    figure("Latency over time", `p50, p95 and p99 of each second${ghost}`, latencyOverTime(over)),
    figure("Throughput and errors", `ended per second, failed in red${ghost}`, throughputOverTime(over)),
    ...distributionFigures(report, baseline),
    ...(report.histograms.ttft === undefined
      ? []
      : [figure("First token over time", `p50 and p95 of each second${ghost}`, firstTokenOverTime(over))]),
    figure("Requests in flight", "highest in each second", inFlightOverTime(over)),
  ];
  return markup`<div class="charts">${figures}</div>`;
}

function distributionFigures({ histograms }: LoadReport, baseline: LoadReport | null): readonly Markup[] {
  const { latency, ttft, ttfb, gap } = histograms;
  const before = baseline?.histograms;
  const figures: Markup[] = [];
  const add = (title: string, sparse: typeof latency, earlier: typeof latency): void => {
    if (sparse !== undefined)
      figures.push(
        figure(title, `${sampleSize(sparse)} samples, logarithmic`, distributionChart(title, sparse, earlier ?? null)),
      );
  };
  add("Latency distribution", latency, before?.latency);
  if (latency !== undefined) {
    const first = ttft ?? ttfb;
    const curves = [
      ...(before?.latency === undefined ? [] : [{ text: "before", style: "ghost", sparse: before.latency }]),
      ...(first === undefined ? [] : [{ text: ttft === undefined ? "byte" : "token", style: "p95", sparse: first }]),
      { text: "answer", style: "p50", sparse: latency },
    ];
    figures.push(
      figure(
        "Latency by percentile",
        "share of requests that were at most this slow",
        percentileChart("Latency by percentile", curves),
      ),
    );
  }
  if (ttft !== undefined) add("Time to first token", ttft, before?.ttft);
  else add("Time to first byte", ttfb, before?.ttfb);
  add("Time between tokens", gap, before?.gap);
  return figures;
}

function figure(title: string, caption: string, chart: Markup): Markup {
  return markup`<figure><figcaption><h2>${title}</h2><span>${caption}</span></figcaption>${chart}</figure>`;
}
