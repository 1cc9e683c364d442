import type { FailoverPhase } from "./deployment/failover-state.ts";
import type { Circuit, Health } from "./health/health-state.ts";

/** All that routing knows at a moment. Times are milliseconds since the epoch, null for never. */
export interface RouterDescription {
  readonly upstreams: readonly UpstreamDescription[];
  readonly targets: readonly TargetDescription[];
  readonly affinity: { readonly sessions: number; readonly capacity: number; readonly bytes: number };
  /** Of an active–passive deployment; null without one. */
  readonly failover: FailoverDescription | null;
}

export interface HealthDescription {
  readonly health: Health;
  readonly circuit: Circuit;
  readonly reason: string | null;
  readonly sinceMs: number | null;
  readonly consecutiveFailures: number;
  readonly errorRate: number;
  /** Outcomes in the window. */
  readonly volume: number;
  readonly openUntilMs: number | null;
  readonly cooldownUntilMs: number | null;
  readonly cooldownReason: string | null;
  /** Part of its weight that it has now: less while it recovers or is degraded. */
  readonly share: number;
  readonly history: readonly {
    readonly atMs: number;
    readonly from: Health;
    readonly to: Health;
    readonly circuit: Circuit;
    readonly reason: string;
  }[];
}

interface UpstreamDescription extends HealthDescription {
  readonly name: string;
  readonly inFlight: number;
  readonly retriesLeft: number;
  readonly probedAtMs: number | null;
}

export interface TargetDescription extends HealthDescription {
  readonly key: string;
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly cloud: string | null;
  readonly inFlight: number;
  /** Time to the first byte: peak EWMA, lately, and usually; null when unknown. */
  readonly peakEwmaMs: number | null;
  readonly latencyMs: number | null;
  readonly baselineMs: number | null;
}

export interface FailoverDescription {
  readonly phase: FailoverPhase;
  readonly sinceMs: number | null;
  readonly reason: string | null;
  /** Part of the requests that go to the primary cloud. */
  readonly primaryShare: number;
  readonly history: readonly {
    readonly atMs: number;
    readonly from: FailoverPhase;
    readonly to: FailoverPhase;
    readonly reason: string;
  }[];
}
