import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BALANCERS } from "./balance/all-balancers.ts";
import type { StrategyName } from "./balance/strategy-name.ts";
import type { AttemptEnd, AttemptFailure } from "./health/signal.ts";
import type { Plan, PlannedTarget, PlanRequest } from "./plan.ts";
import type { NextStep } from "./retry/next-step.ts";
import { RetryProgress } from "./retry/retry-progress.ts";
import { routeHeader } from "./route-header.ts";
import type { Router } from "./router.ts";
import { DEFAULT_FAIL_BACK, DEFAULT_ROUTING, DEFAULT_TRIGGERS, type RoutingSettings } from "./settings.ts";
import type { RouteTarget } from "./target.ts";
import { opusRates, request, routerFor, settings, target, usage } from "./testing/route-fixtures.ts";

const A = target("a", { cloud: "aws", region: "eu-west-1" });
const B = target("b", { cloud: "azure", region: "westeurope" });
const C = target("c", { cloud: "gcp", region: "us-east1" });
const ALL = [A, B, C];
const DOWN: AttemptFailure = { kind: "status", status: 503, retryAfterMs: null };
const REFUSED: AttemptFailure = { kind: "connect_error", detail: "ECONNREFUSED" };
const STRATEGIES = Object.keys(BALANCERS) as StrategyName[]; // keys of a Record of strategy names

function names(list: readonly PlannedTarget[]): string[] {
  return list.map((planned) => planned.target.upstream);
}

interface Attempts {
  readonly at: RouteTarget;
  readonly end: AttemptEnd;
  readonly count: number;
  readonly nowMs: number;
}

/** Attempts at a target that begin and end in the same moment. */
function make(router: Router, { at, end, count, nowMs }: Attempts): void {
  for (let i = 0; i < count; i++) router.ended(router.begun({ target: at, reason: "order" }, nowMs), end, nowMs);
}

function warm(router: Router, plan: Plan, tokens: number, nowMs: number): void {
  router.served(plan, plan.targets[0]!, usage({ cacheReadTokens: tokens }), nowMs);
}

function ask(given: Partial<PlanRequest> = {}): PlanRequest {
  return request(ALL, given);
}

describe("a plan", () => {
  it("has every target with its reason, the time-outs, and until when attempts may begin", () => {
    const plan = routerFor(ALL).plan(ask({ nowMs: 1_000 }));

    expect(names(plan.targets)).toEqual(["a", "b", "c"]);
    expect(plan.targets.map(({ reason }) => reason)).toEqual(["order", "order", "order"]);
    expect(plan).toMatchObject({
      model: "claude-opus-5",
      strategy: "ordered",
      deployment: "none",
      lastResort: [],
      panic: false,
      timeouts: DEFAULT_ROUTING.timeouts.interactive,
      deadlineAtMs: 601_000,
      affinity: { target: A.key, moved: false, lostMicroUsd: 0, reason: "no_session" },
    });
  });

  it("gives batch requests their own time-outs", () => {
    expect(routerFor(ALL).plan(ask({ urgency: "batch" })).timeouts).toBe(DEFAULT_ROUTING.timeouts.batch);
  });

  it("is empty when there are no targets", () => {
    expect(routerFor(ALL).plan(request([]))).toMatchObject({ targets: [], lastResort: [], affinity: { target: "" } });
  });

  it("shares its targets with other plans: they are the same objects", () => {
    const router = routerFor(ALL);

    expect(router.plan(ask()).targets[1]).toBe(router.plan(ask()).targets[1]);
  });

  it("is said in a header by a short line of ASCII", () => {
    const [first] = routerFor(ALL).plan(ask()).targets;

    expect(routeHeader(first!, 1)).toBe("a; reason=order; attempt=1");
    expect(routeHeader(first!, 2)).toBe("a; reason=failover; attempt=2");
    expect(routeHeader(first!, 2, true)).toBe("a; reason=retry; attempt=2");
    expect(routeHeader({ target: target("bé\r\nx: 1"), reason: "affinity" }, 1)).toBe(
      "b___x__1; reason=affinity; attempt=1",
    );
  });
});

describe("a request's own way", () => {
  it("may be another strategy than the general one", () => {
    const router = routerFor([A, target("cheap", { rates: opusRates(0.1) })]);
    const list = [A, target("cheap", { rates: opusRates(0.1) })];
    const own = router.plan(request(list, { strategy: "cheapest" }));

    expect([own.strategy, names(own.targets)[0], own.targets[0]?.reason]).toEqual(["cheapest", "cheap", "cheapest"]);
    expect(router.explain(request(list, { strategy: "cheapest" })).strategy).toBe("cheapest");
    expect(router.plan(request(list, { strategy: null })).strategy).toBe("ordered");
  });

  it("begins in the region that is set where the client's is not known", () => {
    const geography = { ...DEFAULT_ROUTING.geography, callerRegion: "us-east-1" };
    const router = routerFor(ALL, { strategy: "geographic", geography });

    expect(names(router.plan(ask()).targets)[0]).toBe("c");
    expect(names(router.plan(ask({ clientRegion: "westeurope" })).targets)[0]).toBe("b");
  });
});

describe("health in a plan", () => {
  it("keeps what cannot be used for a last resort", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const plan = router.plan(ask());

    expect(names(plan.targets)).toEqual(["b", "c"]);
    expect(plan.lastResort).toEqual([{ target: A, reason: "last-resort" }]);
  });

  it("tries everything when nothing can be used, the most hopeful first", () => {
    const router = routerFor(ALL);
    make(router, { at: B, end: { kind: "status", status: 429, retryAfterMs: 60_000 }, count: 1, nowMs: 0 });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    make(router, { at: C, end: REFUSED, count: 3, nowMs: 1 });
    const plan = router.plan(ask({ nowMs: 10 }));

    // b is well and only asks for a pause; a was opened before c.
    expect(names(plan.targets)).toEqual(["b", "a", "c"]);
    expect(plan).toMatchObject({ panic: true, lastResort: [] });
    expect(plan.targets[0]?.reason).toBe("last-resort");
  });

  it("blames a missing model on the model, and a dead connection on the upstream", () => {
    const router = routerFor(ALL);
    const other = target("a", { key: "a/other" });
    make(router, { at: A, end: { kind: "status", status: 404, retryAfterMs: null }, count: 2, nowMs: 0 });
    expect(names(router.plan(ask()).targets)).toEqual(["b", "c"]);
    expect(names(router.plan(request([other, B])).targets)).toEqual(["a", "b"]);

    make(router, { at: A, end: REFUSED, count: 3, nowMs: 0 });
    expect(names(router.plan(request([other, B], { nowMs: 1 })).targets)).toEqual(["b"]);
  });

  it("heeds a pause that a target asks for, and returns after it", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: { kind: "status", status: 429, retryAfterMs: 10_000 }, count: 1, nowMs: 0 });

    expect(names(router.plan(ask({ nowMs: 9_999 })).targets)).toEqual(["b", "c"]);
    expect(names(router.plan(ask({ nowMs: 10_000 })).targets)).toEqual(["a", "b", "c"]);
  });

  it("lets a few trials through to a half-open target, and no more", () => {
    const router = routerFor(ALL, { health: { ...DEFAULT_ROUTING.health, slowStart: { rampMs: 0, initialShare: 1 } } });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const plans = Array.from({ length: 4 }, () => router.plan(ask({ nowMs: 5_000 })));

    expect(plans.map(({ targets }) => names(targets)[0])).toEqual(["a", "a", "b", "b"]);
    expect(plans[0]?.targets[0]?.reason).toBe("trial");

    // The promise of a place is good for two seconds; then the next plan may have it.
    expect(names(router.plan(ask({ nowMs: 7_001 })).targets)[0]).toBe("a");
  });

  it("counts a trial's answer at its first byte, long before the stream ends", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const streams = [5_000, 5_001, 5_002].map((nowMs) => {
      const attempt = router.begun(router.plan(ask({ nowMs })).targets[0]!, nowMs);
      router.answered(attempt, 1, nowMs);
      return attempt;
    });
    const seen = router.describe(5_003, 0).targets.find(({ key }) => key === A.key);
    expect(seen).toMatchObject({ circuit: "closed", inFlight: 3 });

    for (const attempt of streams) router.ended(attempt, { kind: "ok", latencyMs: null }, 6_000);
    expect(router.describe(6_000, 0).targets[0]).toMatchObject({ inFlight: 0, volume: 0 });
  });

  it("gives a trial's place back once, at the first byte, though the answer breaks off later", () => {
    const router = routerFor(ALL, { health: { ...DEFAULT_ROUTING.health, historySize: 1 } });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const [one, two] = [1, 2].map(() => router.begun(router.plan(ask({ nowMs: 5_000 })).targets[0]!, 5_000));
    expect(names(router.plan(ask({ nowMs: 5_000 })).targets)).toEqual(["b", "c"]);

    router.answered(one!, null, 5_100);
    router.ended(one!, { kind: "client_gone" }, 5_200);
    const third = router.plan(ask({ nowMs: 5_200 })).targets[0]!;
    expect(third.reason).toBe("trial");
    router.begun(third, 5_200);
    expect(names(router.plan(ask({ nowMs: 5_200 })).targets)).toEqual(["b", "c"]);
    router.ended(two!, { kind: "client_gone" }, 5_300);
    expect(names(router.plan(ask({ nowMs: 5_300 })).targets)[0]).toBe("a");
  });

  it("takes an attempt's end once", () => {
    const router = routerFor(ALL);
    const attempt = router.begun({ target: A, reason: "order" }, 0);
    for (let i = 0; i < 10; i++) router.ended(attempt, DOWN, 0);

    expect(router.describe(0, 0).targets[0]).toMatchObject({ inFlight: 0, consecutiveFailures: 1 });
  });

  it("does not take an upstream's mixture of fast and slow models for its getting slow", () => {
    const router = routerFor(ALL);
    const big = target("a", { key: "a/big" });
    make(router, { at: A, end: { kind: "ok", latencyMs: 100 }, count: 300, nowMs: 0 });
    make(router, { at: big, end: { kind: "ok", latencyMs: 5_000 }, count: 300, nowMs: 0 });

    expect(router.describe(0, 0).upstreams[0]?.health).toBe("healthy");
  });

  it.each(STRATEGIES)("under %s an open target never stands before one that can be used", (strategy) => {
    const step = fc.record({ pick: fc.nat(2), signal: fc.nat(4), afterMs: fc.nat(4_000) });
    const signals: readonly AttemptEnd[] = [
      { kind: "ok", latencyMs: 200 },
      DOWN,
      REFUSED,
      { kind: "status", status: 429, retryAfterMs: 3_000 },
      { kind: "client_gone" },
    ];
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.integer(), (steps, seed) => {
        const router = routerFor(ALL, { strategy }, seed);
        let nowMs = 0;
        for (const { pick, signal, afterMs } of steps) {
          nowMs += afterMs;
          make(router, { at: ALL[pick]!, end: signals[signal]!, count: 2, nowMs });
          const plan = router.plan(ask({ nowMs, session: "s", clientRegion: "eu" }));
          const open = new Set(
            router
              .describe(nowMs, 0)
              .targets.filter(({ circuit, cooldownUntilMs, upstream }) => {
                const above = router.describe(nowMs, 0).upstreams.find(({ name }) => name === upstream);
                return circuit === "open" || cooldownUntilMs !== null || above?.circuit === "open";
              })
              .map(({ upstream }) => upstream),
          );
          const planned = names(plan.targets);
          // Never empty: the last usable target is never taken away, and where there is none all are tried.
          expect([...planned, ...names(plan.lastResort)].toSorted()).toEqual(["a", "b", "c"]);
          expect(planned.length).toBeGreaterThan(0);
          if (plan.panic) expect(planned).toHaveLength(3);
          else expect(planned.filter((name) => open.has(name))).toEqual([]);
          if (open.size === 3) expect(plan.panic).toBe(true);
          warm(router, plan, 5_000, nowMs);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe("a recovering target", () => {
  /** Part of the plans that put a first, so long after it has recovered. */
  function shareOfA(strategy: StrategyName, afterMs: number): number {
    const router = routerFor([A, B], { strategy });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    for (let i = 0; i < 3; i++) {
      const attempt = router.begun({ target: A, reason: "trial" }, 5_000 + i);
      router.plan(ask({ nowMs: 5_000 + i }));
      router.ended(attempt, { kind: "ok", latencyMs: null }, 5_000 + i);
    }
    expect(router.describe(5_010, 0).targets[0]?.circuit).toBe("closed");
    const list = [A, B];
    let first = 0;
    for (let i = 0; i < 4_000; i++) {
      const [planned] = router.plan(request(list, { nowMs: 5_002 + afterMs })).targets;
      if (planned?.target === A) first++;
    }
    return first / 4_000;
  }

  it("takes its part by lot under a strategy that knows no shares", () => {
    expect(Math.abs(shareOfA("ordered", 0) - 0.1)).toBeLessThan(0.02);
    expect(Math.abs(shareOfA("ordered", 15_000) - 0.55)).toBeLessThan(0.03);
    expect(shareOfA("ordered", 30_000)).toBe(1);
  });

  it("takes its part of its weight under one that does", () => {
    // 0.1 to 1: a tenth of its weight against the whole of the other's.
    expect(Math.abs(shareOfA("weighted_random", 0) - 0.1 / 1.1)).toBeLessThan(0.02);
    expect(Math.abs(shareOfA("round_robin", 15_000) - 0.55 / 1.55)).toBeLessThan(0.02);
    expect(Math.abs(shareOfA("weighted_random", 30_000) - 0.5)).toBeLessThan(0.03);
  });
});

describe("weights", () => {
  it("of nothing mean only when nothing else is left, under every strategy", () => {
    const spare = target("spare", { weight: 0, rates: opusRates(0.1), region: "eu-west-1" });
    const list = [spare, A, B];
    for (const strategy of STRATEGIES) {
      const router = routerFor(list, { strategy });
      for (let i = 0; i < 30; i++) {
        const { targets } = router.plan(request(list, { clientRegion: "eu-west-1" }));
        expect([strategy, names(targets)[0]]).not.toEqual([strategy, "spare"]);
      }
      for (const each of [A, B]) make(router, { at: each, end: DOWN, count: 5, nowMs: 0 });
      expect(names(router.plan(request(list)).targets)).toEqual(["spare"]);
    }
  });
});

describe("a session", () => {
  it("stays where its prompt cache is warm, for as long as it is", () => {
    const router = routerFor(ALL, { strategy: "round_robin" });
    const first = router.plan(ask({ session: "s" }));
    expect(first.affinity.reason).toBe("cold");
    warm(router, first, 50_000, 0);

    for (let nowMs = 1_000; nowMs < 1_000_000; nowMs += 200_000) {
      const plan = router.plan(ask({ session: "s", nowMs }));
      expect(plan.affinity).toEqual({ target: A.key, moved: false, lostMicroUsd: 0, reason: "warm" });
      expect(plan.targets[0]).toEqual({ target: A, reason: "affinity" });
      warm(router, plan, 50_000, nowMs);
    }
    expect(router.plan(ask({ session: "s", nowMs: 2_000_000 })).affinity.reason).toBe("cold");
  });

  it("belongs to who asks and to the model", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    warm(router, router.plan(ask({ session: "s" })), 50_000, 0);
    const after = 5_000;

    expect(router.plan(ask({ session: "s", nowMs: after })).affinity.reason).toBe("warm");
    expect(router.plan(ask({ session: "s", nowMs: after, sessionScope: "key_2" })).affinity.reason).toBe("cold");
    expect(router.plan(ask({ session: "s", nowMs: after, model: "claude-haiku-5-5" })).affinity.reason).toBe("cold");
  });

  it("moves when its target cannot be used, and the plan says what that costs", () => {
    const router = routerFor(ALL);
    warm(router, router.plan(ask({ session: "s" })), 100_000, 0);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });

    expect(router.plan(ask({ session: "s" })).affinity).toEqual({
      target: B.key,
      moved: true,
      lostMicroUsd: 575_000,
      reason: "moved_unusable",
    });
  });

  it("that failover moves is a move for the ledger, and lives on where it was served", () => {
    const router = routerFor(ALL);
    warm(router, router.plan(ask({ session: "s" })), 100_000, 0);
    const plan = router.plan(ask({ session: "s", nowMs: 1 }));
    const served = router.served(plan, plan.targets[1]!, usage({ cacheWrite5mTokens: 100_500 }), 2);

    expect(served).toEqual({ target: B.key, moved: true, lostMicroUsd: 575_000, reason: "moved_failed" });
    expect(router.plan(ask({ session: "s", nowMs: 3 })).affinity).toMatchObject({ target: B.key, reason: "warm" });
  });

  it("that returns to its warm target by failover has not moved", () => {
    const router = routerFor(ALL);
    warm(router, router.plan(ask({ session: "s" })), 100_000, 0);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const plan = router.plan(ask({ session: "s", nowMs: 1 }));

    expect(router.served(plan, plan.lastResort[0]!, usage(), 2)).toMatchObject({ moved: false, reason: "warm" });
  });

  it("moves to a cheaper target when that pays with the cache written anew, and not before", () => {
    const list = [A, target("contract", { rates: opusRates(0.5) })];
    const router = routerFor(list, { strategy: "cheapest" });
    make(router, { at: list[1]!, end: DOWN, count: 5, nowMs: 0 });
    const plan = router.plan(request(list, { session: "s", expectedInputTokens: 100_000 }));
    warm(router, plan, 90_000, 0);
    const at = (expectedOutputTokens: number): Plan =>
      router.plan(request(list, { session: "s", nowMs: 299_000, expectedInputTokens: 100_000, expectedOutputTokens }));
    for (let i = 0; i < 3; i++)
      make(router, { at: list[1]!, end: { kind: "ok", latencyMs: null }, count: 1, nowMs: 6_000 + i });

    expect(at(500).affinity.reason).toBe("warm");
    // Half of the price of 60,000 tokens of output outweighs 90,000 tokens of cache.
    expect(at(60_000).affinity).toMatchObject({ target: list[1]!.key, moved: true, reason: "moved_cheaper" });
  });

  it("is not looked for when affinity is off", () => {
    const router = routerFor(ALL, { affinity: { ...DEFAULT_ROUTING.affinity, enabled: false } });
    warm(router, router.plan(ask({ session: "s" })), 100_000, 0);

    expect(router.plan(ask({ session: "s" })).affinity.reason).toBe("no_session");
  });
});

describe("a deployment", () => {
  const passive: RoutingSettings["deployment"] = {
    kind: "active_passive",
    primary: "aws",
    backup: "gcp",
    triggers: DEFAULT_TRIGGERS,
    failBack: DEFAULT_FAIL_BACK,
  };

  it("of a single cloud never asks another", () => {
    const router = routerFor(ALL, { deployment: { kind: "single", cloud: "azure" } });
    expect(names(router.plan(ask()).targets)).toEqual(["b"]);

    make(router, { at: B, end: DOWN, count: 5, nowMs: 0 });
    expect(router.plan(ask())).toMatchObject({ panic: true, lastResort: [] });
    expect(names(router.plan(ask()).targets)).toEqual(["b"]);
  });

  it("with a backup asks the primary first, the backup next, and no others", () => {
    const plan = routerFor(ALL, { deployment: passive }).plan(ask());

    expect(plan.targets).toEqual([
      { target: A, reason: "primary" },
      { target: C, reason: "backup" },
    ]);
  });

  it("fails over when the primary is slower than usual by more than half, though it still answers", () => {
    const router = routerFor(ALL, { deployment: passive });
    make(router, { at: A, end: { kind: "ok", latencyMs: 400 }, count: 200, nowMs: 0 });
    expect(router.plan(ask({ nowMs: 1_000 })).targets[0]?.reason).toBe("primary");

    make(router, { at: A, end: { kind: "ok", latencyMs: 800 }, count: 40, nowMs: 2_000 });
    const plan = router.plan(ask({ nowMs: 3_000 }));
    expect(plan.targets[0]).toEqual({ target: C, reason: "backup" });
    expect(router.describe(3_000, 1_000_000).failover).toMatchObject({ phase: "backup", sinceMs: 1_003_000 });
  });

  it("fails over at more than 5 % of errors, and takes the sessions with it", () => {
    const router = routerFor(ALL, { deployment: passive });
    warm(router, router.plan(ask({ session: "s" })), 100_000, 0);
    for (let i = 0; i < 10; i++) {
      make(router, { at: A, end: { kind: "ok", latencyMs: null }, count: 9, nowMs: 1_000 });
      make(router, { at: A, end: DOWN, count: 1, nowMs: 1_000 });
    }
    expect(router.plan(ask({ session: "s", nowMs: 2_000 })).affinity).toMatchObject({
      target: C.key,
      moved: true,
      reason: "moved_failover",
    });
  });

  it("brings requests back bit by bit, but leaves sessions where they are warm", () => {
    const router = routerFor(ALL, { deployment: passive });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    expect(router.plan(ask({ nowMs: 300 })).targets[0]?.reason).toBe("backup");
    for (let i = 0; i < 3; i++) {
      router.plan(ask({ nowMs: 6_000 + i }));
      make(router, { at: A, end: { kind: "ok", latencyMs: null }, count: 1, nowMs: 6_000 + i });
    }
    for (let nowMs = 7_000; nowMs < 69_000; nowMs += 1_000) {
      const plan = router.plan(ask({ session: "s", nowMs }));
      warm(router, plan, 100_000, nowMs);
    }
    expect(router.describe(69_000, 0).failover?.phase).toBe("returning");

    const share = (nowMs: number): number =>
      Array.from({ length: 2_000 }, () => router.plan(ask({ nowMs })).targets[0]?.reason).filter((r) => r === "primary")
        .length / 2_000;
    expect(Math.abs(share(128_000) - 0.55)).toBeLessThan(0.05);
    expect(router.plan(ask({ session: "s", nowMs: 128_000 })).affinity).toMatchObject({
      target: C.key,
      reason: "warm",
    });
    expect(share(190_000)).toBe(1);
  });

  it.each(["weight", "round_robin"] as const)("shares requests by %s: 40, 35, 25", (distribution) => {
    const shares = { aws: 40, azure: 35, gcp: 25 };
    const router = routerFor(ALL, { deployment: { kind: "active_active", shares, distribution } });
    const counts: Record<string, number> = {};
    for (let i = 0; i < 20_000; i++) {
      const [first] = router.plan(ask()).targets;
      expect(first?.reason).toBe("cloud");
      const cloud = first?.target.cloud ?? "";
      counts[cloud] = (counts[cloud] ?? 0) + 1;
    }
    for (const [cloud, share] of Object.entries(shares)) {
      expect(Math.abs((counts[cloud] ?? 0) / 20_000 - share / 100)).toBeLessThan(0.015);
    }
  });

  it("gives the share of a cloud that is down to the others, in proportion", () => {
    const shares = { aws: 40, azure: 35, gcp: 25 };
    const router = routerFor(ALL, { deployment: { kind: "active_active", shares, distribution: "weight" } });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    let azure = 0;
    for (let i = 0; i < 20_000; i++) if (names(router.plan(ask({ nowMs: 1 })).targets)[0] === "b") azure++;

    expect(Math.abs(azure / 20_000 - 35 / 60)).toBeLessThan(0.015);
  });

  it("goes by geography, or by response time, and by the strategy within a cloud", () => {
    const near = target("a2", { cloud: "aws", region: "us-east-1" });
    const list = [A, near, B, C];
    const shares = { aws: 1, azure: 1, gcp: 1 };
    const geographic = routerFor(list, {
      strategy: "geographic",
      deployment: { kind: "active_active", shares, distribution: "geographic" },
    });
    expect(names(geographic.plan(request(list, { clientRegion: "us-east-1" })).targets)).toEqual(["a2", "a", "c", "b"]);

    const fast = routerFor(ALL, { deployment: { kind: "active_active", shares, distribution: "performance" } });
    for (const [each, latencyMs] of [
      [A, 900],
      [B, 200],
      [C, 500],
    ] as const) {
      make(fast, { at: each, end: { kind: "ok", latencyMs }, count: 5, nowMs: 0 });
    }
    expect(names(fast.plan(ask()).targets)).toEqual(["b", "c", "a"]);
  });
});

describe("the next step", () => {
  interface Failed {
    readonly plan: Plan;
    readonly progress: RetryProgress;
    readonly failure: AttemptFailure;
    readonly nowMs?: number;
  }

  function failed(router: Router, { plan, progress, failure, nowMs = 0 }: Failed): NextStep {
    router.ended(router.begun(progress.current, nowMs), failure, nowMs);
    return router.nextStep(plan, progress, { failure, relayed: false }, nowMs);
  }

  it("goes through the targets, then the last resorts, each once", () => {
    const router = routerFor(ALL, { retry: { ...DEFAULT_ROUTING.retry, maxSameTargetRetries: 0 } });
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    const plan = router.plan(ask());
    const progress = new RetryProgress(plan.targets[0]!);
    const steps = [1, 2, 3].map(() => failed(router, { plan, progress, failure: DOWN }));

    expect(steps.map(({ kind, target: next }) => [kind, next?.target.upstream])).toEqual([
      ["failover", "c"],
      ["failover", "a"],
      ["give_up", undefined],
    ]);
    expect(progress.attempts).toBe(3);
  });

  it("passes over a target that has fallen ill since the plan was made", () => {
    const router = routerFor(ALL);
    const plan = router.plan(ask());
    make(router, { at: B, end: DOWN, count: 5, nowMs: 0 });
    const progress = new RetryProgress(plan.targets[0]!);

    expect(failed(router, { plan, progress, failure: DOWN }).target?.target.upstream).toBe("c");
    expect(failed(router, { plan, progress, failure: { kind: "credential" } }).target?.target.upstream).toBe("b");
  });

  it("repeats where there is one target alone, as long as the budget lasts", () => {
    const budget = { ratio: 0.2, minPerSecond: 0.1, windowMs: 10_000 };
    const router = routerFor([A], { retry: { ...DEFAULT_ROUTING.retry, budget } });
    const kinds = Array.from({ length: 3 }, () => {
      const plan = router.plan(request([A]));
      return failed(router, { plan, progress: new RetryProgress(plan.targets[0]!), failure: { kind: "cut" } }).kind;
    });

    expect(kinds).toEqual(["retry", "give_up", "give_up"]);
  });

  it("is none when the exchange's time is up", () => {
    const router = routerFor(ALL);
    const plan = router.plan(ask());

    expect(
      failed(router, { plan, progress: new RetryProgress(plan.targets[0]!), failure: DOWN, nowMs: plan.deadlineAtMs })
        .kind,
    ).toBe("give_up");
  });
});

describe("a new configuration", () => {
  it("keeps what is known of those whose names stay, and forgets the others", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 0 });
    make(router, { at: B, end: DOWN, count: 5, nowMs: 0 });
    warm(router, router.plan(ask({ session: "s" })), 50_000, 0);
    router.configure(settings({ strategy: "least_connections" }), ["a", "c"]);
    const list = [target("a"), target("c")];

    expect(names(router.plan(request(list)).targets)).toEqual(["c"]);
    expect(router.plan(request(list, { session: "s" })).affinity.reason).toBe("warm");
    expect(router.describe(0, 0).upstreams.map(({ name }) => name)).toEqual(["a", "c"]);
    expect(
      router
        .describe(0, 0)
        .targets.map(({ key }) => key)
        .toSorted(),
    ).toEqual([A.key, C.key].toSorted());
  });

  it("leaves attempts that are under way to end in peace", () => {
    const router = routerFor(ALL);
    const plan = router.plan(ask());
    const attempt = router.begun(plan.targets[0]!, 0);
    router.configure(settings(), ["b"]);
    router.ended(attempt, DOWN, 1);
    const late = router.begun(plan.targets[0]!, 2);
    router.ended(late, DOWN, 3);

    expect(router.describe(4, 0)).toMatchObject({ upstreams: [{ name: "b", inFlight: 0 }] });
    expect(router.describe(4, 0).targets.map(({ upstream }) => upstream)).toEqual(["b"]);
  });
});

describe("probes", () => {
  it("are due where nothing is known, taken one at a time, and heal an upstream that nobody uses", () => {
    const router = routerFor(ALL);
    const all = new Set(["a", "b", "c"]);
    make(router, { at: B, end: REFUSED, count: 3, nowMs: 0 });
    expect(router.dueProbes(40_000, all).toSorted()).toEqual(["a", "b", "c"]);
    expect(router.dueProbes(40_000, new Set(["c"]))).toEqual(["c"]);
    for (let nowMs = 40_000; nowMs < 80_000; nowMs += 100) {
      for (const upstream of router.dueProbes(nowMs, all)) {
        router.probeBegun(upstream, nowMs);
        expect(router.dueProbes(nowMs, all)).not.toContain(upstream);
        router.probed(upstream, { kind: "probe_ok" }, nowMs + 20);
      }
    }
    expect(router.describe(80_000, 0).upstreams.map(({ circuit }) => circuit)).toEqual(["closed", "closed", "closed"]);
  });

  it("let clients back to what could not be reached, long before its models' own circuits would", () => {
    const router = routerFor(ALL);
    // Each time in a row the circuit stays open twice as long: in the end for minutes.
    for (const nowMs of [0, 6_000, 17_000, 38_000]) make(router, { at: A, end: REFUSED, count: 3, nowMs });
    expect(names(router.plan(ask({ nowMs: 50_000 })).targets)).toEqual(["b", "c"]);
    router.probeBegun("a", 50_000);
    router.probed("a", { kind: "probe_ok" }, 50_010);
    expect(names(router.plan(ask({ nowMs: 50_020 })).targets)).toContain("a");
  });

  it("say nothing of a model whose circuit opened for what no probe tries", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: { kind: "status", status: 404, retryAfterMs: null }, count: 2, nowMs: 0 });
    router.probeBegun("a", 10);
    router.probed("a", { kind: "probe_ok" }, 20);
    expect(names(router.plan(ask({ nowMs: 30 })).targets)).toEqual(["b", "c"]);
  });

  it("that fail open the circuit before any client has to find out", () => {
    const router = routerFor(ALL);
    for (let i = 0; i < 3; i++) {
      router.probeBegun("a", i);
      router.probed("a", { kind: "probe_failed", detail: "status 500" }, i);
    }
    expect(names(router.plan(ask({ nowMs: 5 })).targets)).toEqual(["b", "c"]);
  });
});

describe("the description", () => {
  it("tells states with their history in wall-clock time, what is under way, and budgets", () => {
    const router = routerFor(ALL);
    make(router, { at: A, end: DOWN, count: 5, nowMs: 2_000 });
    router.begun({ target: B, reason: "order" }, 2_000);
    make(router, { at: B, end: { kind: "status", status: 429, retryAfterMs: 5_000 }, count: 1, nowMs: 2_000 });
    const seen = router.describe(3_000, 1_000_000);

    expect(seen.upstreams[0]).toMatchObject({
      name: "a",
      health: "unhealthy",
      circuit: "open",
      sinceMs: 1_002_000,
      openUntilMs: 1_007_000,
      share: 0,
      history: [{ atMs: 1_002_000, from: "healthy", to: "unhealthy", circuit: "open" }],
      retriesLeft: 101,
    });
    expect(seen.targets.find(({ key }) => key === B.key)).toMatchObject({
      inFlight: 1,
      cooldownUntilMs: 1_007_000,
      cooldownReason: "status 429, retry-after 5 s",
    });
    expect(seen.affinity).toMatchObject({ sessions: 0, capacity: 50_000 });
    expect(seen.failover).toBeNull();
    expect(JSON.parse(JSON.stringify(seen))).toEqual(seen);
  });
});
