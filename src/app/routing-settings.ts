import { attemptTimeouts } from "../config/attempt-timeouts.ts";
import { camelKeys } from "../config/camel-keys.ts";
import type { Config } from "../config/schema.ts";
import { zonesOf } from "../config/upstream-place.ts";
import { parseUsd } from "../core/money.ts";
import type { RouteOverride } from "../routing/route-table.ts";
import type {
  AffinitySettings,
  DeploymentSettings,
  FailBackSettings,
  FailoverTriggers,
  OverloadSettings,
  RoutingSettings,
} from "../routing/settings.ts";

type DeploymentConfig = NonNullable<Config["routing"]["deployment"]>;
type ActivePassiveConfig = Extract<DeploymentConfig, { kind: "active_passive" }>;

/** What the configuration says of routing, in the router's own words. */
export function routingSettings(config: Config): RoutingSettings {
  const { routing, retries, timeouts, replicas } = config;
  const { probes, ...health } = config.health;
  return {
    strategy: routing.strategy,
    deployment: deploymentSettings(routing.deployment),
    health: camelKeys(health),
    probes: { ...camelKeys(probes), replicas },
    affinity: affinitySettings(routing.affinity),
    retry: camelKeys(retries),
    responseTime: camelKeys(routing.response_time),
    geography: {
      distances: routing.geography.distances,
      zones: zonesOf(config),
      callerRegion: routing.geography.region ?? null,
    },
    timeouts: attemptTimeouts(timeouts),
  };
}

/** How this process protects itself. */
export function overloadSettings({ overload }: Config): OverloadSettings {
  return camelKeys(overload);
}

/** Rules for some models alone. */
export function routeOverrides({ routing }: Config): readonly RouteOverride[] {
  return routing.overrides.map(({ models, strategy, upstreams }) => ({
    models,
    strategy: strategy ?? null,
    upstreams: upstreams ?? null,
  }));
}

function affinitySettings(affinity: Config["routing"]["affinity"]): AffinitySettings {
  return {
    enabled: affinity.enabled,
    maxSessions: affinity.max_sessions,
    leaveDegradedBelowMicroUsd: parseUsd(affinity.leave_degraded_below_usd),
    keepWarmFromMicroUsd: parseUsd(affinity.keep_warm_from_usd),
    keepWarmWaitMs: affinity.keep_warm_wait_ms,
    ttlMs: affinity.ttl_ms,
  };
}

function deploymentSettings(deployment: DeploymentConfig | undefined): DeploymentSettings {
  if (deployment === undefined) return { kind: "none" };
  if (deployment.kind !== "active_passive") return deployment;
  const { kind, primary, backup, failover_triggers, fail_back } = deployment;
  return { kind, primary, backup, triggers: triggers(failover_triggers), failBack: failBack(fail_back) };
}

function triggers(config: ActivePassiveConfig["failover_triggers"]): FailoverTriggers {
  return {
    unavailable: config.primary_cloud_unavailable,
    performanceDegradation: fraction(config.performance_degradation_percent),
    errorRate: fraction(config.error_rate_percent),
    minVolume: config.min_volume,
  };
}

function failBack(config: ActivePassiveConfig["fail_back"]): FailBackSettings {
  return camelKeys(config);
}

function fraction(percent: number | "never"): number | null {
  return percent === "never" ? null : percent / 100;
}
