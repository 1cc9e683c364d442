import type { LoadReport } from "../report/load-report.ts";

type Second = LoadReport["seconds"][number];

/** Some seconds of a run, drawn as one point. */
export interface TimePoint {
  /** Seconds from the start to the middle of the span. */
  readonly atSecond: number;
  readonly fromSecond: number;
  readonly spanSeconds: number;
  readonly okPerSecond: number;
  readonly failedPerSecond: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
}

/** More points than this cannot be told apart. */
const MAX_POINTS = 240;

/**
 * A run's seconds as at most 240 points. Percentiles cannot be averaged, so each point shows the worst second of its span:
 * a spike stays visible however long the run was.
 */
export function timeSeries(report: LoadReport): readonly TimePoint[] {
  const { seconds } = report;
  const span = Math.max(1, Math.ceil(seconds.length / MAX_POINTS));
  const points: TimePoint[] = [];
  for (let from = 0; from < seconds.length; from += span)
    points.push(pointOf(seconds.slice(from, from + span), report.windowMs));
  return points;
}

function pointOf(seconds: readonly Second[], windowMs: number): TimePoint {
  const fromSecond = seconds[0]?.second ?? 0;
  const spanSeconds = seconds.length;
  // The window may end within a second; what ended in its part of it is a rate over that part.
  const wholeSeconds = Math.min(spanSeconds, Math.max(0, windowMs / 1000 - fromSecond));
  const perSecond = (of: (second: Second) => number): number =>
    total(seconds, of) / (wholeSeconds >= 0.2 ? wholeSeconds : spanSeconds);
  return {
    atSecond: fromSecond + spanSeconds / 2,
    fromSecond,
    spanSeconds,
    okPerSecond: perSecond(({ ok }) => ok),
    failedPerSecond: perSecond(({ failed }) => failed),
    inFlight: Math.max(...seconds.map(({ inFlight }) => inFlight)),
    queued: Math.max(...seconds.map(({ queued }) => queued)),
    latencyP50Ms: worst(seconds, ({ latencyP50Ms }) => latencyP50Ms),
    latencyP95Ms: worst(seconds, ({ latencyP95Ms }) => latencyP95Ms),
    latencyP99Ms: worst(seconds, ({ latencyP99Ms }) => latencyP99Ms),
    ttftP50Ms: worst(seconds, ({ ttftP50Ms }) => ttftP50Ms),
    ttftP95Ms: worst(seconds, ({ ttftP95Ms }) => ttftP95Ms),
  };
}

function total(seconds: readonly Second[], of: (second: Second) => number): number {
  return seconds.reduce((sum, second) => sum + of(second), 0);
}

function worst(seconds: readonly Second[], of: (second: Second) => number | null): number | null {
  const known = seconds.map(of).filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}
