import { describe, expect, it, vi } from "vitest";

import { systemClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import { systemScheduler } from "../../upstream/credentials/scheduler.ts";
import { CredentialPool, type CredentialOrder } from "./credential-pool.ts";

const ORDER: CredentialOrder = {
  upstream: "a",
  config: { kind: "header", header: "x-api-key", value: "k" },
  network: { proxy: { httpProxy: null, httpsProxy: null, noProxy: [] }, ca: null },
};

function newPool(): CredentialPool {
  return new CredentialPool({
    clock: systemClock,
    scheduler: systemScheduler,
    logger: silentLogger,
    random: () => 0.5,
  });
}

describe("CredentialPool", () => {
  it("gives out the same credential for the same order, and stops it when the last one gives it back", async () => {
    const pool = newPool();
    const first = await pool.hold(ORDER);
    const second = await pool.hold(structuredClone(ORDER));
    expect(second.source).toBe(first.source);
    const stop = vi.spyOn(first.source, "stop");

    await first.release();
    await first.release();
    expect(stop).not.toHaveBeenCalled();
    await second.release();
    expect(stop).toHaveBeenCalledTimes(1);
  });

  it.each<[string, Partial<CredentialOrder>]>([
    ["another upstream's name", { upstream: "b" }],
    ["another key", { config: { kind: "header", header: "x-api-key", value: "other" } }],
    ["another way to token endpoints", { network: { ...ORDER.network, ca: "PEM" } }],
  ])("makes another one for %s", async (_, change) => {
    const pool = newPool();
    const first = await pool.hold(ORDER);
    const second = await pool.hold({ ...ORDER, ...change });
    expect(second.source).not.toBe(first.source);
  });

  it("makes a new one after the last was given back", async () => {
    const pool = newPool();
    const first = await pool.hold(ORDER);
    await first.release();
    expect((await pool.hold(ORDER)).source).not.toBe(first.source);
  });
});
