/** Active–passive and active–active by weight; no client sees any of it. The other triggers: deployments.long.test.ts. */
import { afterEach, describe, expect, it } from "vitest";

import { noteFigure } from "../../harness/figures.ts";
import { activePassive, BACKUP, expectFailBack, IN_A_ROW, PRIMARY } from "./active-passive.ts";
import { DeploymentWorld } from "./deployment-world.ts";

let world: DeploymentWorld;
afterEach(async () => world.stop());

describe("active–passive", { timeout: 90_000 }, () => {
  it("goes to the backup when the primary is unavailable, and back when it has been well for a while", async () => {
    world = await activePassive();
    await world.proxy(PRIMARY).stop();
    const asked = await world.askUntil(BACKUP, IN_A_ROW);
    expect((await world.failover()).reason).toContain("none of its targets can be used");
    await world.proxy(PRIMARY).start();
    await expectFailBack(world);
    noteFigure(5, "active–passive: unavailable", { requests_until_all_at_backup: asked - IN_A_ROW });
  });
});

describe("active–active by weight", { timeout: 90_000 }, () => {
  it("shares requests as configured, and gives the share of a cloud that is down to the rest", async () => {
    const shares = { aws: 40, gcp: 35, azure: 25 };
    const kinds = { aws: "bedrock", gcp: "vertex", azure: "foundry" };
    const clouds = Object.keys(shares) as (keyof typeof shares)[]; // its own keys
    world = await DeploymentWorld.start(Object.values(kinds), {
      health: { probes: { enabled: false } },
      routing: { deployment: { kind: "active_active", shares, distribution: "weight" } },
    });
    const requests = 600;
    const counts = await world.askMany(requests);
    const measured = clouds.map((cloud) => ((counts.get(kinds[cloud]) ?? 0) / requests) * 100);
    for (const [index, cloud] of clouds.entries()) {
      // Four standard deviations of drawing lots, and a little.
      expect(Math.abs((measured[index] ?? 0) - shares[cloud])).toBeLessThan(9);
    }
    await world.proxy("bedrock").stop();
    await world.askMany(50);
    const rest = await world.askMany(250);
    const gcp = (rest.get("vertex") ?? 0) / ((rest.get("vertex") ?? 0) + (rest.get("foundry") ?? 0));
    // 35 of 60.
    expect(Math.abs(gcp - 35 / 60)).toBeLessThan(0.13);
    noteFigure(5, "active–active 40/35/25", {
      requests,
      ...Object.fromEntries(clouds.map((cloud, index) => [cloud, measured[index] ?? 0])),
      gcp_of_the_rest_without_aws: Math.round(gcp * 1_000) / 10,
    });
  });
});
