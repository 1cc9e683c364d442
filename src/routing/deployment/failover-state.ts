import type { ActivePassiveSettings } from "../settings.ts";
import { durationWords, percentWords } from "../words.ts";

/** Where requests of an active–passive deployment go: to the primary cloud, to the backup, or more and more back again. */
export type FailoverPhase = "primary" | "backup" | "returning";

interface FailoverTransition {
  readonly atMs: number;
  readonly from: FailoverPhase;
  readonly to: FailoverPhase;
  readonly reason: string;
}

/** Immutable. Times are monotonic milliseconds. */
export interface FailoverState {
  readonly phase: FailoverPhase;
  readonly sinceMs: number;
  readonly reason: string | null;
  /** Since when the primary has been well without a break; null while it is not, and while it does not matter. */
  readonly wellSinceMs: number | null;
  /** How long it must be well before requests return. */
  readonly holdMs: number;
  /** When requests began to return last. */
  readonly returnedAtMs: number;
  /** Oldest first, bounded. */
  readonly history: readonly FailoverTransition[];
}

/** How a cloud does, over all its targets. */
export interface CloudVitals {
  /** Whether any of its targets can be used. */
  readonly isAvailable: boolean;
  readonly errorRate: number;
  /** Outcomes behind the error rate. */
  readonly volume: number;
  /** Time to the first byte above its own baseline, as a fraction: 0.5 is half as slow again. */
  readonly slowdown: number;
}

const HISTORY_SIZE = 20;

export function initialFailover(settings: ActivePassiveSettings): FailoverState {
  return {
    phase: "primary",
    sinceMs: -Infinity,
    reason: null,
    wellSinceMs: null,
    holdMs: settings.failBack.holdMs,
    returnedAtMs: -Infinity,
    history: [],
  };
}

/** What follows from how the two clouds do. Pure. */
export function reduceFailover(
  state: FailoverState,
  vitals: { readonly primary: CloudVitals; readonly backup: CloudVitals },
  nowMs: number,
  settings: ActivePassiveSettings,
): FailoverState {
  if (state.phase === "backup") return whileOnBackup(state, vitals.primary, nowMs, settings);
  const trigger = firedTrigger(vitals.primary, settings, 1);
  if (trigger !== null && backupIsBetter(vitals, settings)) return failedOver(state, trigger, nowMs, settings);
  if (state.phase === "returning" && nowMs - state.sinceMs >= settings.failBack.rampMs) {
    return moved(state, "primary", "all requests have returned", nowMs);
  }
  return state;
}

/** Part of the requests that go to the primary cloud. */
export function primaryShare(state: FailoverState, nowMs: number, settings: ActivePassiveSettings): number {
  if (state.phase !== "returning") return state.phase === "primary" ? 1 : 0;
  const { rampMs, initialShare } = settings.failBack;
  const part = rampMs === 0 ? 1 : Math.min(1, Math.max(0, (nowMs - state.sinceMs) / rampMs));
  return initialShare + (1 - initialShare) * part;
}

function whileOnBackup(
  state: FailoverState,
  primary: CloudVitals,
  nowMs: number,
  settings: ActivePassiveSettings,
): FailoverState {
  const { failBack } = settings;
  if (!failBack.enabled) return state;
  if (!primary.isAvailable || firedTrigger(primary, settings, failBack.hysteresis) !== null) {
    return state.wellSinceMs === null ? state : { ...state, wellSinceMs: null };
  }
  const wellSinceMs = state.wellSinceMs ?? nowMs;
  if (nowMs - wellSinceMs < state.holdMs) return state.wellSinceMs === null ? { ...state, wellSinceMs } : state;
  const well = `${settings.primary} has been well for ${durationWords(nowMs - wellSinceMs)}`;
  if (failBack.rampMs === 0) return { ...moved(state, "primary", well, nowMs), returnedAtMs: nowMs, wellSinceMs: null };
  const reason = `${well}; requests return within ${durationWords(failBack.rampMs)}`;
  return { ...moved(state, "returning", reason, nowMs), returnedAtMs: nowMs, wellSinceMs: null };
}

function failedOver(
  state: FailoverState,
  trigger: string,
  nowMs: number,
  settings: ActivePassiveSettings,
): FailoverState {
  const { holdMs, maxHoldMs, rampMs } = settings.failBack;
  // A return that did not last as long as it was waited for came too early: the next one waits twice as long.
  const lasted = nowMs - state.returnedAtMs > rampMs + state.holdMs;
  const next = moved(state, "backup", `${settings.primary}: ${trigger}`, nowMs);
  return { ...next, wellSinceMs: null, holdMs: lasted ? holdMs : Math.min(maxHoldMs, state.holdMs * 2) };
}

/** Why a cloud should be left, in words; null when it should not. `factor` below 1 makes the triggers stricter. */
function firedTrigger(vitals: CloudVitals, { triggers }: ActivePassiveSettings, factor: number): string | null {
  if (triggers.unavailable && !vitals.isAvailable) return "none of its targets can be used";
  if (vitals.volume < triggers.minVolume) return null;
  if (triggers.errorRate !== null && vitals.errorRate > triggers.errorRate * factor) {
    return `${percentWords(vitals.errorRate)} of ${vitals.volume} attempts failed, more than ${percentWords(triggers.errorRate)}`;
  }
  if (triggers.performanceDegradation !== null && vitals.slowdown > triggers.performanceDegradation * factor) {
    const allowed = percentWords(triggers.performanceDegradation);
    return `first bytes come ${percentWords(vitals.slowdown)} later than usual, more than ${allowed}`;
  }
  return null;
}

/** Out of the frying pan is no place to jump into the fire. */
function backupIsBetter(
  { primary, backup }: { readonly primary: CloudVitals; readonly backup: CloudVitals },
  { triggers }: ActivePassiveSettings,
): boolean {
  if (!backup.isAvailable) return false;
  if (!primary.isAvailable || backup.volume < triggers.minVolume) return true;
  return backup.errorRate < primary.errorRate || (backup.errorRate === 0 && backup.slowdown < primary.slowdown);
}

function moved(state: FailoverState, to: FailoverPhase, reason: string, nowMs: number): FailoverState {
  const transition: FailoverTransition = { atMs: nowMs, from: state.phase, to, reason };
  return { ...state, phase: to, sinceMs: nowMs, reason, history: [...state.history, transition].slice(-HISTORY_SIZE) };
}
