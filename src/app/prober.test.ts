import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";

import { FakeUpstream } from "../../test/harness/fake-upstream.ts";
import { eventually } from "../../test/harness/waiting.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import { Router } from "../routing/router.ts";
import { DEFAULT_ROUTING } from "../routing/settings.ts";
import { testSettings } from "../upstream/testing/test-settings.ts";
import { Upstream } from "../upstream/upstream.ts";
import { judgeProbe, Prober } from "./prober.ts";
import type { ProbedUpstream } from "./upstream-set.ts";

/** Due at once, and again as soon as the last one is over. */
const PROBES = { ...DEFAULT_ROUTING.probes, intervalMs: 1, unhealthyIntervalMs: 1, maxPerMinute: 10_000, jitter: 0 };
const CONSECUTIVE = { ...DEFAULT_ROUTING.health.consecutive, probe: 2 };

let server: FakeUpstream;
beforeEach(async () => {
  server = await FakeUpstream.start();
});
afterEach(async () => {
  await server.stop();
});

function upstream(name: string, baseUrl = server.url): ProbedUpstream {
  const made = new Upstream(testSettings({ name, baseUrl }));
  onTestFinished(() => made.connections.destroy());
  return { upstream: made, probe: { by: "get", path: `/v1/models?of=${name}` } };
}

function routerFor(...names: readonly string[]): Router {
  const settings = {
    ...DEFAULT_ROUTING,
    probes: PROBES,
    health: { ...DEFAULT_ROUTING.health, consecutive: CONSECUTIVE },
  };
  return new Router({ settings, upstreams: names, random: () => 0.5, seed: 1 });
}

async function start(router: Router, upstreams: readonly ProbedUpstream[], timeoutMs = 5_000): Promise<Prober> {
  const prober = new Prober({
    router,
    clock: systemClock,
    logger: silentLogger,
    upstreams: () => upstreams,
    everyMs: 5,
    timeoutMs,
  });
  await prober.start();
  onTestFinished(() => prober.stop());
  return prober;
}

function healthOf(router: Router, name: string): string | undefined {
  return router.describe(systemClock.monotonicMs(), 0).upstreams.find((one) => one.name === name)?.health;
}

describe("Prober", () => {
  it("asks the upstreams that are due, and leaves out those that are not to be probed", async () => {
    await start(routerFor("a", "b", "quiet"), [upstream("a"), upstream("b")]);
    await eventually("both were asked", () => ["a", "b"].every((name) => asked().includes(name)));

    expect(asked()).not.toContain("quiet");
  });

  it("finds an upstream that does not answer unhealthy, and one that is back in reach", async () => {
    const router = routerFor("a");
    server.otherwise({ kind: "whole", status: 503 });
    await start(router, [upstream("a")]);
    await eventually("it is unhealthy", () => healthOf(router, "a") === "unhealthy");

    server.otherwise({ kind: "whole" });
    await eventually("trials may begin", () =>
      router.describe(systemClock.monotonicMs(), 0).upstreams.some(({ circuit }) => circuit === "half_open"),
    );
  });

  it("counts no answer in time as a failure", async () => {
    const router = routerFor("a");
    server.otherwise({ kind: "silent" });
    await start(router, [upstream("a")], 20);
    const [known] = await eventually("it is unhealthy", () => {
      const { upstreams } = router.describe(systemClock.monotonicMs(), 0);
      return upstreams[0]?.health === "unhealthy" && upstreams;
    });
    expect(known?.reason).toContain("no answer within");
  });

  it("asks an upstream once at a time", async () => {
    const gate = Promise.withResolvers<void>();
    server.otherwise({ kind: "whole", before: () => gate.promise });
    const router = routerFor("a", "b");
    const dueProbes = vi.spyOn(router, "dueProbes");
    await start(router, [upstream("a"), upstream("b")]);
    await eventually("both were asked", () => server.requests.length === 2);
    const turns = dueProbes.mock.calls.length;
    await eventually("more turns have come and gone", () => dueProbes.mock.calls.length > turns + 10);
    expect(asked().toSorted()).toEqual(["a", "b"]);
    gate.resolve();
    await eventually("they are asked again", () => server.requests.length > 2);
  });

  it("ends what is under way when it is stopped, and says nothing of it", async () => {
    const router = routerFor("a");
    server.otherwise({ kind: "silent" });
    const one = upstream("a");
    const prober = await start(router, [one]);
    await eventually("it was asked", () => server.requests.length === 1);
    await prober.stop();

    await eventually("the connection is closed", () => one.upstream.connections.active === 0);
    expect(router.describe(systemClock.monotonicMs(), 0).upstreams[0]).toMatchObject({
      health: "healthy",
      consecutiveFailures: 0,
    });
  });

  it.each([
    [200, true],
    [400, true],
    [403, true],
    [404, true],
    [429, true],
    [401, false],
    [302, false],
    [407, false],
    [500, false],
    [529, false],
  ])("takes status %i for a sign of health: %s", (status, isWell) => {
    expect(judgeProbe(status).kind).toBe(isWell ? "probe_ok" : "probe_failed");
  });
});

/** The names in what the server was asked. */
function asked(): string[] {
  return server.requests.map(({ url }) => new URL(url, server.url).searchParams.get("of") ?? "");
}
