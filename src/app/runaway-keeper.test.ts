import { describe, expect, it } from "vitest";

import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { silentLogger } from "../core/logger.ts";
import { MemorySessionPauseStore } from "../store/memory/memory-session-pause-store.ts";
import { RunawayKeeper } from "./runaway-keeper.ts";

const MINUTE_MS = 60_000;

async function config(): Promise<Config> {
  const loaded = await loadConfig({ cwd: "/nonexistent", env: {}, overrides: { profile: "dev" } });
  if (!loaded.ok) throw new Error("the defaults do not load");
  return loaded.config;
}

async function keeperOn(store: MemorySessionPauseStore): Promise<RunawayKeeper> {
  const keeper = new RunawayKeeper(store, { config: await config(), logger: silentLogger });
  await keeper.start();
  return keeper;
}

/** An hour at half a dollar a minute, then a loop at 20 dollars a minute. */
function runAway(keeper: RunawayKeeper): void {
  for (let minute = 0; minute < 70; minute++) {
    const costMicroUsd = minute < 60 ? 500_000 : 20_000_000;
    keeper.observe({ organizationId: "org_1", sessionId: "ses_1", costMicroUsd, settledAtMs: minute * MINUTE_MS });
  }
}

describe("the keeper of paused sessions", () => {
  it("pauses with the default settings, stores the pause, and has it again after a restart", async () => {
    const store = new MemorySessionPauseStore();
    const keeper = await keeperOn(store);
    runAway(keeper);
    expect(keeper.pauseOf("org_1", "ses_1")).toMatchObject({ usualMicroUsd: 2_500_000 });
    await keeper.refresh();
    await keeper.refresh();
    await keeper.stop();
    expect(await store.active("org_1")).toMatchObject([{ sessionId: "ses_1" }]);
    const next = await keeperOn(store);
    expect(next.pauseOf("org_1", "ses_1")).not.toBeNull();
    await next.stop();
  });

  it("lets a session go on that was resumed elsewhere, and pauses one that another process found", async () => {
    const store = new MemorySessionPauseStore();
    const keeper = await keeperOn(store);
    await store.put({
      organizationId: "org_1",
      sessionId: "s",
      atMs: 1,
      spentMicroUsd: 9,
      usualMicroUsd: 1,
      windowMs: 1,
    });
    await keeper.refresh();
    expect(keeper.pauseOf("org_1", "s")).not.toBeNull();
    await store.resume("org_1", "s");
    await keeper.refresh();
    expect(keeper.pauseOf("org_1", "s")).toBeNull();
    await keeper.stop();
  });

  it("holds a pause while the store is away, and stores it afterwards", async () => {
    const store = new MemorySessionPauseStore();
    const keeper = await keeperOn(store);
    const put = store.put.bind(store);
    store.put = () => Promise.reject(new Error("away"));
    runAway(keeper);
    await keeper.refresh();
    await keeper.refresh();
    expect(keeper.pauseOf("org_1", "ses_1")).not.toBeNull();
    store.put = put;
    await keeper.refresh();
    expect(await store.active()).toHaveLength(1);
    expect(keeper.pauseOf("org_1", "ses_1")).not.toBeNull();
    await keeper.stop();
  });
});
