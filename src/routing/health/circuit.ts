import { durationWords } from "../words.ts";
import type { HealthSettings } from "../settings.ts";
import { changed, type HealthState } from "./health-state.ts";
import { EMPTY_WINDOW } from "./outcome-window.ts";

/** Opens the circuit: nothing is sent there while anything else can serve. Each opening in a row lasts twice as long. */
export function opened(state: HealthState, why: string, nowMs: number, settings: HealthSettings): HealthState {
  const { openMs, maxOpenMs, forgetAfterMs } = settings.circuit;
  const isFirst = state.circuit === "closed" && nowMs - state.recoveredAtMs > forgetAfterMs;
  const opens = isFirst ? 1 : state.opens + 1;
  const forMs = Math.min(maxOpenMs, openMs * 2 ** Math.min(opens - 1, 30));
  const openUntilMs = nowMs + forMs;
  const reason = `${why}; no requests for ${durationWords(forMs)}`;
  const next = changed(state, { health: "unhealthy", circuit: "open", reason, atMs: nowMs }, settings.historySize);
  return { ...next, opens, openUntilMs, nextChangeAtMs: openUntilMs, trialSuccesses: 0 };
}

/** Lets a few trial requests through. */
export function halfOpened(state: HealthState, why: string, nowMs: number, settings: HealthSettings): HealthState {
  const reason = `${why}; trying ${settings.circuit.trialRequests} requests at a time`;
  const next = changed(state, { health: "unhealthy", circuit: "half_open", reason, atMs: nowMs }, settings.historySize);
  return { ...next, trialSuccesses: 0, consecutiveFailures: 0, nextChangeAtMs: Infinity };
}

/** Closes the circuit after enough good trials. The window begins anew: what was in it belongs to the fault. */
export function closed(state: HealthState, why: string, nowMs: number, settings: HealthSettings): HealthState {
  const { rampMs } = settings.slowStart;
  const reason = rampMs === 0 ? why : `${why}; back to its full share within ${durationWords(rampMs)}`;
  const next = changed(state, { health: "healthy", circuit: "closed", reason, atMs: nowMs }, settings.historySize);
  return {
    ...next,
    window: EMPTY_WINDOW,
    consecutiveFailures: 0,
    recoveredAtMs: nowMs,
    nextChangeAtMs: Infinity,
  };
}
