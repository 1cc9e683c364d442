import { describe, expect, it } from "vitest";

import { attemptTimeouts } from "./attempt-timeouts.ts";
import type { Config } from "./schema.ts";
import { loadText } from "./testing/config-directory.ts";
import { cloudsInUse, cloudsOf, zonesOf } from "./upstream-place.ts";

async function load(text: string): Promise<Config> {
  const result = await loadText(text, { env: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result.config;
}

describe("routing, health and retries", () => {
  it("work without a word", async () => {
    const { routing, health, retries, overload } = await load("");
    expect(routing).toMatchObject({ strategy: "ordered", overrides: [], affinity: { enabled: true } });
    expect(routing.deployment).toBeUndefined();
    expect(health).toMatchObject({ unhealthy_error_rate: 0.5, probes: { enabled: true, interval_ms: 30_000 } });
    expect(retries).toMatchObject({ max_attempts: 4, budget: { ratio: 0.2 } });
    expect(overload).toMatchObject({ enabled: true, limit: { initial: 5000 } });
  });

  it("fail over between clouds by the usual triggers unless told otherwise", async () => {
    const { routing } = await load(`
upstreams:
  - { provider: bedrock, region: us-east-1 }
  - { provider: vertex, region: global, project_id: example-prod }
routing:
  deployment: { kind: active_passive, primary: aws, backup: gcp }
`);
    expect(routing.deployment).toMatchObject({
      failover_triggers: {
        primary_cloud_unavailable: true,
        performance_degradation_percent: 50,
        error_rate_percent: 5,
      },
      fail_back: { enabled: true, hold_ms: 60_000 },
    });
    expect(cloudsInUse({ routing })).toEqual(["aws", "gcp"]);
  });

  it("know the clouds and zones of upstreams", async () => {
    const config = await load(`
upstreams:
  - { provider: bedrock, region: us-east-1 }
  - { provider: foundry, resource: a, auth: { use_azure_ad: true }, region: westeurope }
  - { provider: sandbox, cloud: own, region: berlin, zone: eu }
routing:
  geography: { zones: { paris: eu } }
`);
    expect(cloudsOf(config)).toEqual(["aws", "azure", "own"]);
    expect(zonesOf(config)).toEqual({ berlin: "eu", paris: "eu" });
    expect(cloudsInUse(config)).toBeNull();
  });
});

describe("the timeouts in effect", () => {
  const after = async (text: string) => attemptTimeouts((await load(`timeouts: ${text}\n`)).timeouts);

  it("are ten minutes in all, half an hour for batch", async () => {
    expect(await after("{}")).toEqual({
      interactive: { connectMs: 10_000, firstByteMs: 120_000, idleMs: 300_000, totalMs: 600_000 },
      batch: { connectMs: 10_000, firstByteMs: 600_000, idleMs: 300_000, totalMs: 1_800_000 },
    });
  });

  it("never end before a first byte that may take longer", async () => {
    expect(await after("{ upstream_ttfb_ms: 3600000 }")).toMatchObject({
      interactive: { firstByteMs: 3_600_000, totalMs: 3_600_000 },
      batch: { firstByteMs: 3_600_000, totalMs: 3_600_000 },
    });
  });

  it("are what was said, where something was said", async () => {
    expect(await after("{ upstream_total_ms: 200000, batch: { upstream_ttfb_ms: 5000 } }")).toMatchObject({
      interactive: { totalMs: 200_000 },
      batch: { firstByteMs: 5_000, totalMs: 1_800_000 },
    });
  });
});
