import type { SessionTable } from "../affinity/session-table.ts";
import { primaryShare, type FailoverState } from "../deployment/failover-state.ts";
import type { HealthRecord } from "../health/health-record.ts";
import { latencyOf } from "../health/latency-trend.ts";
import { errorRate, outcomesAt } from "../health/outcome-window.ts";
import type {
  FailoverDescription,
  HealthDescription,
  RouterDescription,
  TargetDescription,
} from "../router-description.ts";
import type { RoutingSettings } from "../settings.ts";
import type { RuntimeBook } from "./runtime-book.ts";
import type { TargetRuntime } from "./target-runtime.ts";

export interface Described {
  readonly book: RuntimeBook;
  readonly settings: RoutingSettings;
  readonly sessions: SessionTable;
  readonly failover: FailoverState | null;
  readonly nowMs: number;
  readonly wallOffsetMs: number;
}

export function describeRouter(described: Described): RouterDescription {
  const { book, sessions, nowMs } = described;
  return {
    upstreams: Array.from(book.upstreams, (upstream) => ({
      name: upstream.name,
      inFlight: upstream.inFlight,
      retriesLeft: upstream.retryBudget.left(nowMs),
      probedAtMs: wall(upstream.probedAtMs, described),
      ...describeHealth(upstream.record, described),
    })),
    targets: Array.from(book.targets, (target) => describeTarget(target, described)),
    affinity: { sessions: sessions.size, capacity: sessions.capacity, bytes: sessions.bytes },
    failover: describeFailover(described),
  };
}

function describeTarget(target: TargetRuntime, described: Described): TargetDescription {
  const { activity, record } = target;
  const peakMs = activity.latency.at(described.nowMs, described.settings.responseTime);
  const latency = latencyOf(record.state.latency);
  return {
    key: target.key,
    upstream: target.upstream.name,
    upstreamModel: target.upstreamModel,
    cloud: target.cloud,
    inFlight: activity.inFlight,
    peakEwmaMs: peakMs === 0 ? null : peakMs,
    latencyMs: latency?.recentMs ?? null,
    baselineMs: latency?.baselineMs ?? null,
    ...describeHealth(record, described),
  };
}

function describeHealth(record: HealthRecord, described: Described): HealthDescription {
  const { nowMs, settings } = described;
  const state = record.at(nowMs, settings.health);
  const outcomes = outcomesAt(state.window, nowMs, settings.health);
  const isCooling = state.cooldownUntilMs > nowMs;
  return {
    health: state.health,
    circuit: state.circuit,
    reason: state.reason,
    sinceMs: wall(state.sinceMs, described),
    consecutiveFailures: state.consecutiveFailures,
    errorRate: errorRate(outcomes),
    volume: outcomes.ok + outcomes.failed,
    openUntilMs: state.circuit === "open" ? wall(state.openUntilMs, described) : null,
    cooldownUntilMs: isCooling ? wall(state.cooldownUntilMs, described) : null,
    cooldownReason: isCooling ? state.cooldownReason : null,
    share: state.circuit === "open" ? 0 : record.share(nowMs, settings.health),
    history: state.history.map((transition) => ({ ...transition, atMs: transition.atMs + described.wallOffsetMs })),
  };
}

function describeFailover({ failover, settings, nowMs, wallOffsetMs }: Described): FailoverDescription | null {
  const { deployment } = settings;
  if (failover === null || deployment.kind !== "active_passive") return null;
  return {
    phase: failover.phase,
    sinceMs: failover.sinceMs === -Infinity ? null : failover.sinceMs + wallOffsetMs,
    reason: failover.reason,
    primaryShare: primaryShare(failover, nowMs, deployment),
    history: failover.history.map((transition) => ({ ...transition, atMs: transition.atMs + wallOffsetMs })),
  };
}

/** Wall-clock milliseconds of a monotonic time; null for never. */
function wall(monotonicMs: number, { wallOffsetMs }: Described): number | null {
  return Number.isFinite(monotonicMs) ? monotonicMs + wallOffsetMs : null;
}
