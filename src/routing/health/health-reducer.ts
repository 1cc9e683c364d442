import { durationWords, percentWords } from "../words.ts";
import type { HealthSettings } from "../settings.ts";
import { advance, assessed } from "./advance.ts";
import { closed, halfOpened, opened } from "./circuit.ts";
import type { HealthState } from "./health-state.ts";
import { withLatency } from "./latency-trend.ts";
import { errorRate, outcomesAt, withOutcome } from "./outcome-window.ts";
import type { HealthEvent, HealthSignal } from "./signal.ts";
import { failureWords, judge } from "./verdict.ts";

/**
 * What is known after an event. Pure. The caller decides whose state a signal concerns (`judge(signal).scope`): every signal
 * concerns the model that was asked for, one of scope `upstream` the upstream's own state as well.
 */
export function reduceHealth(
  state: HealthState,
  event: HealthEvent,
  nowMs: number,
  settings: HealthSettings,
): HealthState {
  const current = withCooldown(advance(state, nowMs, settings), event.signal, nowMs, settings);
  const { effect } = judge(event.signal);
  if (effect === "success") return succeeded(current, event, nowMs, settings);
  return effect === "failure" ? failed(current, event, nowMs, settings) : current;
}

function succeeded(state: HealthState, event: HealthEvent, nowMs: number, settings: HealthSettings): HealthState {
  const { signal, startedAtMs } = event;
  const isProbe = signal.kind === "probe_ok";
  if (state.circuit !== "closed") {
    // An answer to what was sent before the change is old news, and a probe says nothing of what it does not try.
    if (startedAtMs < state.sinceMs || (isProbe && !probeDisproves(state))) return state;
    if (state.circuit === "open") return isProbe ? halfOpened(state, "a probe was answered", nowMs, settings) : state;
    const trialSuccesses = state.trialSuccesses + 1;
    const after = { ...state, trialSuccesses };
    if (trialSuccesses < settings.circuit.trialSuccesses) return after;
    return closed(after, `${trialSuccesses} trials in a row succeeded`, nowMs, settings);
  }
  if (isProbe) return state.consecutiveFailures === 0 ? state : { ...state, consecutiveFailures: 0 };
  const window = withOutcome(state.window, false, nowMs, settings);
  const latencyMs = signal.kind === "ok" ? signal.latencyMs : null;
  const latency = latencyMs === null ? state.latency : withLatency(state.latency, latencyMs, nowMs, settings.latency);
  return assessed({ ...state, window, latency, consecutiveFailures: 0, cooldownsInARow: 0 }, nowMs, settings);
}

function failed(state: HealthState, event: HealthEvent, nowMs: number, settings: HealthSettings): HealthState {
  if (state.circuit === "open") return state;
  // What was sent before it recovered, or before the trials began, failed with the old fault.
  const { signal, startedAtMs } = event;
  if (startedAtMs < (state.circuit === "half_open" ? state.sinceMs : state.recoveredAtMs)) return state;
  const { severity } = judge(signal);
  const consecutiveFailures = state.consecutiveFailures + 1;
  const window = severity === "probe" ? state.window : withOutcome(state.window, true, nowMs, settings);
  const after: HealthState = { ...state, window, consecutiveFailures };
  const open = (why: string): HealthState =>
    opened({ ...after, openedBy: severity }, `${why}${failureWords(signal)}`, nowMs, settings);
  if (state.circuit === "half_open") return open("a trial failed: ");
  if (consecutiveFailures >= settings.consecutive[severity]) {
    return open(`${consecutiveFailures} failures in a row, last: `);
  }
  const outcomes = outcomesAt(window, nowMs, settings);
  const total = outcomes.ok + outcomes.failed;
  if (total >= settings.minVolume && errorRate(outcomes) >= settings.unhealthyErrorRate) {
    const rate = percentWords(errorRate(outcomes));
    return open(`${rate} of ${total} attempts failed in ${durationWords(settings.windowMs)}, last: `);
  }
  return assessed(after, nowMs, settings);
}

/** Whether a probe tries what the circuit opened for: that the upstream can be reached, not that a model answers. */
function probeDisproves({ openedBy }: HealthState): boolean {
  return openedBy === "connect" || openedBy === "timeout" || openedBy === "probe";
}

/** Heeds a `retry-after`, of whatever status, and a 429 without one. */
function withCooldown(state: HealthState, signal: HealthSignal, nowMs: number, settings: HealthSettings): HealthState {
  if (signal.kind !== "status" && signal.kind !== "in_band_error") return state;
  const verdict = judge(signal);
  if (verdict.effect !== "rate_limited" && (verdict.effect !== "failure" || signal.retryAfterMs === null)) return state;
  const { maxMs, unnamedMs } = settings.cooldown;
  const cooldownsInARow = state.cooldownsInARow + 1;
  const waitMs = signal.retryAfterMs ?? unnamedMs * 2 ** Math.min(cooldownsInARow - 1, 30);
  const untilMs = nowMs + Math.min(maxMs, Math.max(0, waitMs));
  if (untilMs <= state.cooldownUntilMs) return { ...state, cooldownsInARow };
  const asked = signal.retryAfterMs === null ? "without retry-after" : `retry-after ${durationWords(waitMs)}`;
  return { ...state, cooldownsInARow, cooldownUntilMs: untilMs, cooldownReason: `${failureWords(signal)}, ${asked}` };
}
