import type { LatencySettings } from "../settings.ts";

/**
 * A target's time to the first byte: lately, and usually. Averages of logarithms (geometric means): a single answer of ten
 * minutes moves them as little as one of ten milliseconds, where a plain average would follow it alone. Immutable.
 */
export interface LatencyTrend {
  readonly recentLog: number;
  readonly baselineLog: number;
  readonly samples: number;
  readonly sampledAtMs: number;
}

export const NO_LATENCY: LatencyTrend = { recentLog: 0, baselineLog: 0, samples: 0, sampledAtMs: -Infinity };

export function withLatency(
  trend: LatencyTrend,
  latencyMs: number,
  nowMs: number,
  settings: LatencySettings,
): LatencyTrend {
  // A tenth of a millisecond is less than any upstream takes; it keeps the logarithm finite.
  const log = Math.log(Math.max(latencyMs, 0.1));
  const samples = trend.samples + 1;
  // The first answers count alike, until each weighs no more than it will for good.
  const recentWeight = Math.max(1 / samples, settings.recentWeight);
  const baselineWeight = Math.max(1 / samples, settings.baselineWeight);
  return {
    recentLog: trend.recentLog + (log - trend.recentLog) * recentWeight,
    baselineLog: trend.baselineLog + (log - trend.baselineLog) * baselineWeight,
    samples,
    sampledAtMs: nowMs,
  };
}

/** How many times its usual latency a target takes lately; 1 when there is not enough to say. */
export function latencyRatio(trend: LatencyTrend, nowMs: number, settings: LatencySettings): number {
  if (trend.samples < settings.minSamples || nowMs - trend.sampledAtMs > settings.staleMs) return 1;
  return Math.exp(trend.recentLog - trend.baselineLog);
}

/** Milliseconds to the first byte, lately and usually; null before the first answer. */
export function latencyOf(trend: LatencyTrend): { readonly recentMs: number; readonly baselineMs: number } | null {
  return trend.samples === 0 ? null : { recentMs: Math.exp(trend.recentLog), baselineMs: Math.exp(trend.baselineLog) };
}
