import type { Clock } from "../core/clock.ts";
import type { Circuit, Health } from "../routing/health/health-state.ts";
import type { RouterDescription } from "../routing/router-description.ts";
import type { Router } from "../routing/router.ts";
import type { GaugeSample, ReadGauge } from "../telemetry/metrics/process-metrics.ts";
import type { Upstream } from "../upstream/upstream.ts";

type UpstreamDescription = RouterDescription["upstreams"][number];
type HealthState = Pick<UpstreamDescription, "health" | "circuit">;

const HEALTH: Readonly<Record<Health, number>> = { healthy: 0, degraded: 1, unhealthy: 2 };
const CIRCUIT: Readonly<Record<Circuit, number>> = { closed: 0, half_open: 1, open: 2 };

/** What routing knows of upstreams, and how long their credentials live, read when somebody scrapes. */
export function routingGauges({
  router,
  clock,
  upstreams,
}: {
  router: Pick<Router, "describe">;
  clock: Clock;
  upstreams: () => readonly Upstream[];
}): readonly ReadGauge[] {
  const each = (valueOf: (upstream: UpstreamDescription) => number) => (): readonly GaugeSample[] =>
    router
      .describe(clock.monotonicMs(), 0)
      .upstreams.map((upstream) => ({ labels: { upstream: upstream.name }, value: valueOf(upstream) }));
  /** Of an upstream as a whole or of a model there, whichever is worse: either keeps requests away. */
  const worst = (valueOf: (state: HealthState) => number) => (): readonly GaugeSample[] => {
    const { upstreams: all, targets } = router.describe(clock.monotonicMs(), 0);
    return all.map((upstream) => {
      const own = targets.filter((target) => target.upstream === upstream.name);
      return { labels: { upstream: upstream.name }, value: Math.max(...[upstream, ...own].map(valueOf)) };
    });
  };
  return [
    {
      name: "weir_upstream_health",
      help: "0 healthy, 1 degraded, 2 unhealthy: the upstream or its worst model.",
      read: worst(({ health }) => HEALTH[health]),
    },
    {
      name: "weir_upstream_circuit",
      help: "Circuit breaker of the upstream or its worst model: 0 closed, 1 half open, 2 open.",
      read: worst(({ circuit }) => CIRCUIT[circuit]),
    },
    {
      name: "weir_upstream_in_flight",
      help: "Attempts under way at an upstream.",
      read: each(({ inFlight }) => inFlight),
    },
    {
      name: "weir_credential_valid",
      help: "1 while there is a valid credential to send to an upstream, 0 while there is none.",
      read: () =>
        upstreams().map((upstream) => ({ labels: { upstream: upstream.name }, value: isValid(upstream) ? 1 : 0 })),
    },
    {
      name: "weir_credential_expiry_seconds",
      help: "Time until an upstream's present credential ends; negative when it has ended. Absent for those that do not end.",
      read: () => upstreams().flatMap((upstream) => expiryOf(upstream, clock.nowMs())),
    },
  ];
}

function expiryOf({ name, credential }: Upstream, nowMs: number): GaugeSample[] {
  const expiresAtMs = credential?.status().expiresAtMs ?? null;
  return expiresAtMs === null ? [] : [{ labels: { upstream: name }, value: (expiresAtMs - nowMs) / 1000 }];
}

function isValid({ credential }: Upstream): boolean {
  const state = credential?.status().state ?? "ready";
  return state === "ready" || state === "stale";
}
