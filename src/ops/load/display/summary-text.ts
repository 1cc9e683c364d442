import type { Distribution, LoadReport } from "../report/load-report.ts";
import { describeLoad, describeRequests } from "./describe-plan.ts";
import { formatBytes, formatCount, formatMs, formatRate, formatShare, formatSpan, significant } from "./format.ts";
import { textTable } from "./text-table.ts";

const ERROR_ROWS = 8;

/** The rows of a report's table of distributions, in the order in which they are shown. */
const DISTRIBUTION_ROWS: readonly {
  readonly key: keyof LoadReport["distributions"];
  readonly label: string;
  readonly unit: "ms" | "tokens/s";
}[] = [
  { key: "latency", label: "latency", unit: "ms" },
  { key: "service", label: "from sending", unit: "ms" },
  { key: "ttfb", label: "first byte", unit: "ms" },
  { key: "ttft", label: "first token", unit: "ms" },
  { key: "gap", label: "between tokens", unit: "ms" },
  { key: "pace", label: "stream pace", unit: "tokens/s" },
  { key: "failed", label: "failed requests", unit: "ms" },
  { key: "lateness", label: "sent late by", unit: "ms" },
];

/** In a closed load requests are sent when they are due, so those rows say nothing new. */
export function shownRows(report: LoadReport): typeof DISTRIBUTION_ROWS {
  const closed = report.plan.load.kind === "closed";
  return DISTRIBUTION_ROWS.filter(
    ({ key }) => report.distributions[key] !== null && !(closed && (key === "service" || key === "lateness")),
  );
}

/** A value of a distribution with its unit. */
export function formatValue(value: number, unit: "ms" | "tokens/s"): string {
  return unit === "ms" ? formatMs(value) : `${significant(value)} t/s`;
}

/** A report for the terminal. */
export function summaryText(report: LoadReport): string {
  const { plan, totals, throughput } = report;
  const ended = totals.ok + totals.failed;
  const lines = [
    plan.url,
    `${describeLoad(plan)}; ${describeRequests(plan)}`,
    "",
    ...textTable(
      [
        [
          "requests",
          `${formatCount(totals.ok)} good, ${formatCount(totals.failed)} failed (${formatShare(report.errorRate)} of ${formatCount(ended)})`,
        ],
        [
          "duration",
          `${formatSpan(report.windowMs)}${report.partial === null ? "" : ", partial"}; ${formatCount(totals.warmup)} requests of warm-up not counted`,
        ],
        [
          "throughput",
          `${formatRate(throughput.okPerSecond)} requests/s, ${formatRate(throughput.outputTokensPerSecond)} output tokens/s`,
        ],
        ["volume", `${formatBytes(totals.bytesSent)} sent, ${formatBytes(totals.bytesReceived)} received`],
      ],
      { left: [1] },
    ),
    "",
    ...distributionLines(report),
    ...errorLines(report),
    ...report.warnings.flatMap((warning) => ["", `! ${warning}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function distributionLines(report: LoadReport): readonly string[] {
  const rows = shownRows(report);
  if (rows.length === 0) return [];
  const head = ["", "p50", "p90", "p95", "p99", "p99.9", "max", "mean"];
  const cells = rows.map(({ key, label, unit }) => {
    // Not null: shownRows leaves those out.
    const { p50, p90, p95, p99, p999, max, mean } = report.distributions[key] as Distribution;
    return [label, ...[p50, p90, p95, p99, p999, max, mean].map((value) => formatValue(value, unit))];
  });
  return textTable([head, ...cells]);
}

function errorLines({ errors }: LoadReport): readonly string[] {
  if (errors.length === 0) return [];
  const shown = errors.slice(0, ERROR_ROWS);
  const rows = shown.map(({ count, kind, detail, message }) => [
    `  ${formatCount(count)}`,
    kind,
    detail,
    message.slice(0, 100),
  ]);
  const rest = errors.length > ERROR_ROWS ? [`  and ${errors.length - ERROR_ROWS} other kinds`] : [];
  return ["", "errors", ...textTable(rows, { left: [1, 2, 3] }), ...rest];
}
