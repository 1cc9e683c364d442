import { formatCount, formatMs, formatRate, formatStopwatch } from "../display/format.ts";
import type { LoadReport } from "../report/load-report.ts";
import { chart, durationLabel, numberLabel, path, PLOT, round, timeLabel, type Axis } from "./chart-frame.ts";
import { markup, type Markup } from "./markup.ts";
import { linearScale, logScale, timeScale, type Scale } from "./scale.ts";
import { timeSeries, type TimePoint } from "./time-series.ts";

const Y_RANGE = { from: PLOT.bottom, to: PLOT.top };
const X_RANGE = { from: PLOT.left, to: PLOT.right };
/** Where the largest value is this many times the smallest, only a logarithmic axis shows both. */
const LOG_FROM_RATIO = 30;

/** A run's points and, behind them, those of an earlier run. */
interface OverTime {
  readonly report: LoadReport;
  readonly baseline: LoadReport | null;
}

/** A percentile that is drawn over time. */
interface Percentile {
  readonly text: string;
  readonly style: string;
  readonly of: (point: TimePoint) => number | null;
}

/** From back to front. */
const LATENCIES: readonly Percentile[] = [
  { text: "p99", style: "p99", of: ({ latencyP99Ms }) => latencyP99Ms },
  { text: "p95", style: "p95", of: ({ latencyP95Ms }) => latencyP95Ms },
  { text: "p50", style: "p50", of: ({ latencyP50Ms }) => latencyP50Ms },
];
const FIRST_TOKENS: readonly Percentile[] = [
  { text: "p95", style: "p95", of: ({ ttftP95Ms }) => ttftP95Ms },
  { text: "p50", style: "p50", of: ({ ttftP50Ms }) => ttftP50Ms },
];

/** Percentiles of the latency, second by second. */
export function latencyOverTime(over: OverTime): Markup {
  return percentilesOverTime("Latency percentiles over time", LATENCIES, over);
}

/** Percentiles of the time to the first token, second by second. */
export function firstTokenOverTime(over: OverTime): Markup {
  return percentilesOverTime("Time to first token over time", FIRST_TOKENS, over);
}

function percentilesOverTime(
  title: string,
  percentiles: readonly Percentile[],
  { report, baseline }: OverTime,
): Markup {
  const points = timeSeries(report);
  const before = baseline === null ? [] : timeSeries(baseline);
  const x = timeAxis([...points, ...before]);
  const y: Axis = {
    scale: durationScale([...points, ...before].flatMap((point) => percentiles.map(({ of }) => of(point)))),
    label: durationLabel,
  };
  const line = (of: Percentile["of"], from: readonly TimePoint[], style: string): Markup =>
    path(
      from.map((point) => [x.scale.at(point.atSecond), place(of(point), y.scale)]),
      style,
    );
  const last = points.findLast((point) => percentiles.every(({ of }) => of(point) !== null));
  return chart({
    title,
    x,
    y,
    layers: [
      // Of the earlier run only what a reader compares: the typical and the slow request.
      ...percentiles.filter(({ text }) => text !== "p99").map(({ of }) => line(of, before, "ghost")),
      ...percentiles.map(({ of, style }) => line(of, points, `line ${style}`)),
      windowEnd(report, x.scale),
      ...hovers(points, x.scale, (point) =>
        percentiles
          .map(({ text, of }) => `${text} ${known(of(point))}`)
          .toReversed()
          .join(", "),
      ),
    ],
    endLabels:
      last === undefined
        ? []
        : percentiles.map(({ text, style, of }) => ({ text, style, y: place(of(last), y.scale) ?? PLOT.bottom })),
  });
}

/** Requests that ended well and badly, second by second. */
export function throughputOverTime({ report, baseline }: OverTime): Markup {
  const points = timeSeries(report);
  const before = baseline === null ? [] : timeSeries(baseline);
  const x = timeAxis([...points, ...before]);
  const highest = Math.max(
    1,
    ...points.map(({ okPerSecond, failedPerSecond }) => okPerSecond + failedPerSecond),
    ...before.map(({ okPerSecond }) => okPerSecond),
  );
  const y: Axis = { scale: linearScale(highest, Y_RANGE), label: numberLabel };
  const bar = (point: TimePoint, fromValue: number, toValue: number, style: string): Markup | null => {
    if (toValue <= fromValue) return null;
    const [left, right] = [x.scale.at(point.fromSecond), x.scale.at(point.fromSecond + point.spanSeconds)];
    const gap = right - left > 4 ? 1 : 0;
    const top = y.scale.at(toValue);
    return markup`<rect class="${style}" x="${round(left + gap / 2)}" width="${round(Math.max(0.5, right - left - gap))}" y="${round(top)}" height="${round(Math.max(fromValue > 0 || style === "bad" ? 1 : 0, y.scale.at(fromValue) - top))}"/>`;
  };
  return chart({
    title: "Requests per second over time, good and failed",
    x,
    y,
    layers: [
      markup`${points.map((point) => bar(point, 0, point.okPerSecond, "good"))}`,
      markup`${points.map((point) => bar(point, point.okPerSecond, point.okPerSecond + point.failedPerSecond, "bad"))}`,
      before.length === 0
        ? markup``
        : path(
            before.map((point) => [x.scale.at(point.atSecond), y.scale.at(point.okPerSecond)]),
            "ghost over",
          ),
      windowEnd(report, x.scale),
      ...hovers(
        points,
        x.scale,
        (point) => `${formatRate(point.okPerSecond)}/s good, ${formatRate(point.failedPerSecond)}/s failed`,
      ),
    ],
  });
}

/** Requests in flight and, in an open load, those that wait for a place. */
export function inFlightOverTime({ report }: OverTime): Markup {
  const points = timeSeries(report);
  const x = timeAxis(points);
  const highest = Math.max(1, ...points.map(({ inFlight, queued }) => Math.max(inFlight, queued)));
  const y: Axis = { scale: linearScale(highest, Y_RANGE), label: numberLabel };
  const queues = points.some(({ queued }) => queued > 0);
  const last = points.at(-1);
  const label = (text: string, value: number, style: string): { text: string; y: number; style: string } => ({
    text,
    y: y.scale.at(value),
    style,
  });
  return chart({
    title: "Requests in flight over time",
    x,
    y,
    layers: [
      path(
        points.map((point) => [x.scale.at(point.atSecond), y.scale.at(point.inFlight)]),
        "line p50",
      ),
      queues
        ? path(
            points.map((point) => [x.scale.at(point.atSecond), y.scale.at(point.queued)]),
            "line failing",
          )
        : markup``,
      windowEnd(report, x.scale),
      ...hovers(
        points,
        x.scale,
        (point) => `${formatCount(point.inFlight)} in flight${queues ? `, ${formatCount(point.queued)} waiting` : ""}`,
      ),
    ],
    endLabels:
      last === undefined || !queues
        ? []
        : [label("sent", last.inFlight, "p50"), label("waiting", last.queued, "failing")],
  });
}

function timeAxis(points: readonly TimePoint[]): Axis {
  const end = Math.max(1, ...points.map(({ fromSecond, spanSeconds }) => fromSecond + spanSeconds));
  return { scale: timeScale(end, X_RANGE), label: timeLabel };
}

function durationScale(all: readonly (number | null)[]): Scale {
  const values = all.filter((value) => value !== null && value > 0) as number[]; // The filter leaves no null.
  const [min, max] = [Math.min(...values), Math.max(...values)];
  if (values.length > 0 && max / min > LOG_FROM_RATIO) return logScale({ from: min * 0.8, to: max * 1.1 }, Y_RANGE);
  return linearScale(values.length === 0 ? 1 : max, Y_RANGE);
}

function place(value: number | null, scale: Scale): number | null {
  return value === null ? null : scale.at(value);
}

function known(valueMs: number | null): string {
  return valueMs === null ? "–" : formatMs(valueMs);
}

/** Where the load ended; what lies right of it are the last answers. */
function windowEnd(report: LoadReport, x: Scale): Markup {
  const end = report.windowMs / 1000;
  if ((report.seconds.at(-1)?.second ?? 0) < end) return markup``;
  const at = round(x.at(end));
  return markup`<line class="mark" x1="${at}" x2="${at}" y1="${PLOT.top}" y2="${PLOT.bottom}"/>`;
}

/** Invisible columns that tell their values when the pointer rests on them. */
function hovers(points: readonly TimePoint[], x: Scale, say: (point: TimePoint) => string): readonly Markup[] {
  return points.map((point) => {
    const left = x.at(point.fromSecond);
    const width = x.at(point.fromSecond + point.spanSeconds) - left;
    return markup`<rect class="hover" x="${round(left)}" y="${PLOT.top}" width="${round(width)}" height="${PLOT.bottom - PLOT.top}"><title>${formatStopwatch(point.fromSecond * 1000)}: ${say(point)}</title></rect>`;
  });
}
