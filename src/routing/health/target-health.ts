import { durationWords, percentWords } from "../words.ts";
import type { HealthSettings } from "../settings.ts";
import { STANDING_RANK, type HealthRecord, type Standing } from "./health-record.ts";
import type { HealthState } from "./health-state.ts";

/** The standing of a target: the worse of its upstream's and its model's. */
export function worseStanding(a: Standing, b: Standing): Standing {
  if (STANDING_RANK[a] !== STANDING_RANK[b]) return STANDING_RANK[a] > STANDING_RANK[b] ? a : b;
  return a === "trial" ? a : b;
}

/**
 * How little is lost by trying a target that should not be tried: lower is better. What only asked for a pause comes first, by
 * how soon the pause ends; then what is being tried already; then open circuits, by how soon they half open.
 */
export function lastResortRank(standing: Standing, states: readonly [HealthState, HealthState], nowMs: number): number {
  const waitMs = Math.max(0, ...states.map((state) => waitOf(state, nowMs)));
  // A day for each rank: no wait is longer.
  return STANDING_RANK[standing] * 86_400_000 + Math.min(waitMs, 86_399_999);
}

function waitOf(state: HealthState, nowMs: number): number {
  const untilMs = Math.max(state.circuit === "open" ? state.openUntilMs : -Infinity, state.cooldownUntilMs);
  return untilMs - nowMs;
}

/** How a target stands, in words: `healthy`, `circuit open since 4 s: 3 failures in a row, …`. */
export function standingWords(
  records: readonly [upstream: HealthRecord, model: HealthRecord],
  nowMs: number,
  settings: HealthSettings,
): string {
  const [upstream, model] = records.map((record) => ({
    state: record.at(nowMs, settings),
    standing: record.standing(nowMs, settings),
    share: record.share(nowMs, settings),
  })) as [View, View]; // map keeps the two
  const worse = STANDING_RANK[model.standing] >= STANDING_RANK[upstream.standing] ? model : upstream;
  if (worse.standing === "cooling") {
    return `left alone for ${durationWords(worse.state.cooldownUntilMs - nowMs)}: ${worse.state.cooldownReason ?? ""}`;
  }
  if (worse.standing === "open") {
    return `circuit open for ${durationWords(worse.state.openUntilMs - nowMs)} more: ${worse.state.reason ?? ""}`;
  }
  if (worse.standing === "busy") return "half open, all trials under way";
  const half = [upstream, model].find(({ state }) => state.circuit === "half_open");
  if (half !== undefined) return `half open: ${half.state.reason ?? ""}`;
  const degraded = [upstream, model].find(({ state }) => state.health === "degraded");
  const share = Math.min(upstream.share, model.share);
  if (degraded !== undefined) return `degraded: ${degraded.state.reason ?? ""}`;
  return share < 1 ? `recovering, at ${percentWords(share)} of its weight` : "healthy";
}

interface View {
  readonly state: HealthState;
  readonly standing: Standing;
  readonly share: number;
}
