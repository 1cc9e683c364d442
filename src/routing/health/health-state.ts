import { NO_LATENCY, type LatencyTrend } from "./latency-trend.ts";
import { EMPTY_WINDOW, type OutcomeWindow } from "./outcome-window.ts";
import type { Severity } from "./verdict.ts";

export type Health = "healthy" | "degraded" | "unhealthy";
export type Circuit = "closed" | "open" | "half_open";

/** One change of health or circuit, for people. */
interface Transition {
  readonly atMs: number;
  readonly from: Health;
  readonly to: Health;
  /** Where the circuit stands after it. */
  readonly circuit: Circuit;
  readonly reason: string;
}

/**
 * What is known of one upstream, or of one model at an upstream. Immutable. Unhealthy means that the circuit is open or half
 * open; degraded that it is closed and something is wrong. Times are monotonic milliseconds.
 */
export interface HealthState {
  readonly health: Health;
  readonly circuit: Circuit;
  /** Why it is as it is, in words; null as long as nothing has happened. */
  readonly reason: string | null;
  /** When health or circuit changed last. */
  readonly sinceMs: number;
  readonly consecutiveFailures: number;
  readonly window: OutcomeWindow;
  readonly latency: LatencyTrend;
  /** How often it opened without a long good time in between. */
  readonly opens: number;
  /** The kind of failure that opened it last. */
  readonly openedBy: Severity | null;
  /** Until when the circuit is open; meaningful while it is. */
  readonly openUntilMs: number;
  /** Trials that succeeded since it became half open. */
  readonly trialSuccesses: number;
  /** When it recovered last: slow start runs from there, and news of older attempts no longer counts. */
  readonly recoveredAtMs: number;
  /** Until when it has asked to be left alone. */
  readonly cooldownUntilMs: number;
  readonly cooldownReason: string | null;
  readonly cooldownsInARow: number;
  /** The next moment at which time alone may change it; Infinity when only a signal can. */
  readonly nextChangeAtMs: number;
  /** Oldest first, bounded. */
  readonly history: readonly Transition[];
}

/** Innocent until something is known. */
export const UNKNOWN_HEALTH: HealthState = {
  health: "healthy",
  circuit: "closed",
  reason: null,
  sinceMs: -Infinity,
  consecutiveFailures: 0,
  window: EMPTY_WINDOW,
  latency: NO_LATENCY,
  opens: 0,
  openedBy: null,
  openUntilMs: -Infinity,
  trialSuccesses: 0,
  recoveredAtMs: -Infinity,
  cooldownUntilMs: -Infinity,
  cooldownReason: null,
  cooldownsInARow: 0,
  nextChangeAtMs: Infinity,
  history: [],
};

/** What a change sets; everything else stays. */
export interface Change {
  readonly health: Health;
  readonly circuit: Circuit;
  readonly reason: string;
  readonly atMs: number;
}

/** The state after a change that people should see in the history. */
export function changed(state: HealthState, change: Change, historySize: number): HealthState {
  const { health, circuit, reason, atMs } = change;
  const transition: Transition = { atMs, from: state.health, to: health, circuit, reason };
  const history = [...state.history, transition].slice(-historySize);
  return { ...state, health, circuit, reason, sinceMs: atMs, history };
}
