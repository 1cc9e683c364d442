import type { SlowStartSettings } from "../settings.ts";
import type { HealthState } from "./health-state.ts";

/** The part of its weight that a target has, from `initialShare` at its recovery evenly to 1 at the end of the ramp. */
export function recoveredShare(state: HealthState, nowMs: number, settings: SlowStartSettings): number {
  const sinceMs = nowMs - state.recoveredAtMs;
  if (sinceMs >= settings.rampMs) return 1;
  return settings.initialShare + (1 - settings.initialShare) * Math.max(0, sinceMs / settings.rampMs);
}
