import { describe, expect, it } from "vitest";

import type { Config } from "../config/schema.ts";
import { loadText } from "../config/testing/config-directory.ts";
import { DEFAULT_FAIL_BACK, DEFAULT_OVERLOAD, DEFAULT_ROUTING, DEFAULT_TRIGGERS } from "../routing/settings.ts";
import { overloadSettings, routeOverrides, routingSettings } from "./routing-settings.ts";

async function load(text: string): Promise<Config> {
  const loaded = await loadText(text, { env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 2));
  return loaded.config;
}

const CLOUDS = `
upstreams:
  - { provider: bedrock, region: us-east-1 }
  - { provider: vertex, region: global, project_id: example-prod }
`;

describe("the settings of routing", () => {
  it("are its own defaults where the configuration says nothing", async () => {
    const config = await load("");
    expect(routingSettings(config)).toEqual(DEFAULT_ROUTING);
    expect(overloadSettings(config)).toEqual(DEFAULT_OVERLOAD);
    expect(routeOverrides(config)).toEqual([]);
  });

  it("say of a deployment what the configuration says in per cent", async () => {
    const active = "{ kind: active_passive, primary: aws, backup: gcp }";
    expect(routingSettings(await load(`${CLOUDS}routing: { deployment: ${active} }`)).deployment).toEqual({
      kind: "active_passive",
      primary: "aws",
      backup: "gcp",
      triggers: DEFAULT_TRIGGERS,
      failBack: DEFAULT_FAIL_BACK,
    });
    const off = active.replace(
      " }",
      ", failover_triggers: { performance_degradation_percent: never, error_rate_percent: 12.5 } }",
    );
    expect(routingSettings(await load(`${CLOUDS}routing: { deployment: ${off} }`)).deployment).toMatchObject({
      triggers: { performanceDegradation: null, errorRate: 0.125 },
    });
  });

  it.each([
    ["{ kind: single, cloud: aws }", { kind: "single", cloud: "aws" }],
    [
      "{ kind: active_active, shares: { aws: 40, gcp: 25 }, distribution: geographic }",
      { kind: "active_active", shares: { aws: 40, gcp: 25 }, distribution: "geographic" },
    ],
  ])("take the deployment %s as it is", async (written, deployment) => {
    expect(routingSettings(await load(`${CLOUDS}routing: { deployment: ${written} }`)).deployment).toEqual(deployment);
  });

  it("carry money, zones, timeouts and replicas", async () => {
    const settings = routingSettings(
      await load(`
upstreams: [{ provider: sandbox, region: berlin, zone: eu }]
replicas: 3
store: { postgres_url: "postgres://db.example.com/weir" }
routing:
  strategy: cheapest
  affinity: { keep_warm_from_usd: 1.5, ttl_ms: 600000, leave_degraded_below_usd: 0.000001 }
  geography: { region: berlin, zones: { lima: sa }, distances: [{ from: berlin, to: lima, distance: 11 }] }
timeouts: { upstream_ttfb_ms: 7000, batch: { upstream_total_ms: 9000000 } }
health: { window_ms: 5000, probes: { interval_ms: 2000 } }
retries: { max_attempts: 2, failover_statuses: [418] }
`),
    );
    expect(settings).toMatchObject({
      strategy: "cheapest",
      affinity: { keepWarmFromMicroUsd: 1_500_000, ttlMs: 600_000, leaveDegradedBelowMicroUsd: 1 },
      geography: {
        callerRegion: "berlin",
        zones: { berlin: "eu", lima: "sa" },
        distances: [{ from: "berlin", to: "lima", distance: 11 }],
      },
      timeouts: { interactive: { firstByteMs: 7_000 }, batch: { totalMs: 9_000_000 } },
      health: { windowMs: 5_000 },
      probes: { intervalMs: 2_000, replicas: 3 },
      retry: { maxAttempts: 2, failoverStatuses: [418] },
    });
  });

  it("have rules for some models", async () => {
    const rules =
      "[{ models: [claude-haiku-*], strategy: cheapest }, { models: [claude-opus-5], upstreams: [vertex] }]";
    expect(routeOverrides(await load(`${CLOUDS}routing: { overrides: ${rules} }`))).toEqual([
      { models: ["claude-haiku-*"], strategy: "cheapest", upstreams: null },
      { models: ["claude-opus-5"], strategy: null, upstreams: ["vertex"] },
    ]);
  });
});
