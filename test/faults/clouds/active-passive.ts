import { expect } from "vitest";

import { DeploymentWorld } from "./deployment-world.ts";

export const [PRIMARY, BACKUP] = ["bedrock", "vertex"];
/** Usual time of the primary, so that what the machine does beside matters little. */
export const USUAL_MS = 40;
/** Answers in a row after which everything is said to be there. */
export const IN_A_ROW = 20;

/** Everything that takes minutes takes seconds. */
const HASTY = {
  health: {
    window_ms: 3_000,
    latency: { stale_ms: 2_000, recent_weight: 0.2 },
    circuit: { open_ms: 500 },
    slow_start: { ramp_ms: 500 },
    probes: { enabled: false },
  },
  routing: {
    deployment: {
      kind: "active_passive",
      primary: "aws",
      backup: "gcp",
      fail_back: { hold_ms: 1_000, ramp_ms: 1_000, evaluate_every_ms: 50 },
    },
  },
};

/** An active–passive deployment that has served long enough to know what is usual. `triggers` are those of weir.yaml. */
export async function activePassive(triggers: Readonly<Record<string, unknown>> = {}): Promise<DeploymentWorld> {
  const routing = { deployment: { ...HASTY.routing.deployment, failover_triggers: triggers } };
  const world = await DeploymentWorld.start([PRIMARY, BACKUP], { ...HASTY, routing });
  world.proxy(PRIMARY).set({ latencyMs: USUAL_MS });
  const counts = await world.askMany(100);
  expect(counts.get(PRIMARY)).toBeGreaterThan(0);
  return world;
}

/** Waits, once the trouble is over, until everything is at the primary again. */
export async function expectFailBack(world: DeploymentWorld): Promise<void> {
  world.proxy(PRIMARY).set({});
  await world.askUntil(PRIMARY, IN_A_ROW);
  const { phase, history } = await world.failover();
  expect(phase).not.toBe("backup");
  expect(history.map(({ to }) => to)).toContain("returning");
  expect(world.fleet.problems).toEqual([]);
}
