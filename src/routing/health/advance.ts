import { durationWords, percentWords } from "../words.ts";
import type { HealthSettings } from "../settings.ts";
import { halfOpened } from "./circuit.ts";
import { changed, type Health, type HealthState } from "./health-state.ts";
import { latencyOf, latencyRatio } from "./latency-trend.ts";
import { errorRate, outcomesAt } from "./outcome-window.ts";

/** What time alone does: an open circuit becomes half open, old failures leave the window. The same state when nothing does. */
export function advance(state: HealthState, nowMs: number, settings: HealthSettings): HealthState {
  if (nowMs < state.nextChangeAtMs) return state;
  if (state.circuit === "open") return halfOpened(state, "its time without requests is over", nowMs, settings);
  return state.circuit === "closed" ? assessed(state, nowMs, settings) : state;
}

/** Health of a closed circuit by what the window and the latency say now. */
export function assessed(state: HealthState, nowMs: number, settings: HealthSettings): HealthState {
  const { health, reason } = assess(state, nowMs, settings);
  // While degraded, look again when a part of the window has passed: no signal may come to say that it is over.
  const nextChangeAtMs = health === "degraded" ? nowMs + settings.windowMs / settings.windowBuckets : Infinity;
  if (health === state.health) return state.nextChangeAtMs === nextChangeAtMs ? state : { ...state, nextChangeAtMs };
  const next = changed(state, { health, circuit: "closed", reason, atMs: nowMs }, settings.historySize);
  return { ...next, nextChangeAtMs };
}

function assess(state: HealthState, nowMs: number, settings: HealthSettings): { health: Health; reason: string } {
  const isDegraded = state.health === "degraded";
  const outcomes = outcomesAt(state.window, nowMs, settings);
  const rate = outcomes.ok + outcomes.failed >= settings.minVolume ? errorRate(outcomes) : 0;
  // It takes less to stay degraded than to become it, or it would flutter.
  if (rate > 0 && rate >= settings.degradedErrorRate / (isDegraded ? 2 : 1)) {
    const reason = `${percentWords(rate)} of ${outcomes.ok + outcomes.failed} attempts failed in ${durationWords(settings.windowMs)}`;
    return { health: "degraded", reason };
  }
  const ratio = latencyRatio(state.latency, nowMs, settings.latency);
  if (ratio > 1 && ratio >= (isDegraded ? settings.latency.healthyRatio : settings.latency.degradedRatio)) {
    const latency = latencyOf(state.latency);
    const reason = `first byte after ${durationWords(latency?.recentMs ?? 0)}, usually ${durationWords(latency?.baselineMs ?? 0)}`;
    return { health: "degraded", reason };
  }
  return { health: "healthy", reason: "errors and latency are back to normal" };
}
