import { describe, expect, it } from "vitest";

import type { StrategyName } from "./balance/strategy-name.ts";
import type { AttemptFailure } from "./health/signal.ts";
import type { Router } from "./router.ts";
import type { RoutingSettings } from "./settings.ts";
import { OutageSimulation, type Behaviour } from "./testing/outage-simulation.ts";
import { routerFor, target } from "./testing/route-fixtures.ts";
import { seededRandom } from "./testing/seeded-random.ts";

const A = target("a");
const B = target("b");
const TARGETS = [A, B];
const RATE = 200;
const DIES_MS = 10_000;
const RISES_MS = 40_000;
const END_MS = 120_000;

/** How long an answer takes while all is well: 200 to 400 ms. */
const USUAL_MS = { least: 200, most: 400 };

interface Death {
  readonly failure: AttemptFailure;
  /** How long an attempt takes to fail. */
  readonly afterMs: number;
}

const DEATHS: Readonly<Record<string, Death>> = {
  "refuses connections": { failure: { kind: "connect_error", detail: "ECONNREFUSED" }, afterMs: 1 },
  "answers 503": { failure: { kind: "status", status: 503, retryAfterMs: null }, afterMs: 20 },
  "is overloaded and says so in the stream": {
    failure: { kind: "in_band_error", errorType: "overloaded_error", retryAfterMs: null },
    afterMs: 150,
  },
  "refuses Weir's credential": { failure: { kind: "status", status: 401, retryAfterMs: null }, afterMs: 30 },
  "falls silent": { failure: { kind: "timeout", phase: "first_byte" }, afterMs: 2_000 },
};

function simulate(
  death: Death,
  given: Partial<RoutingSettings>,
  sessions = 0,
): { simulation: OutageSimulation; router: Router } {
  const random = seededRandom(42);
  const router = routerFor(TARGETS, given);
  const behaviour: Behaviour = (upstream, nowMs) => {
    const usualMs = USUAL_MS.least + random() * (USUAL_MS.most - USUAL_MS.least);
    const isDead = upstream === "a" && nowMs >= DIES_MS && nowMs < RISES_MS;
    if (isDead) return death;
    // What is under way when it dies dies with it.
    const cut = upstream === "a" && nowMs < DIES_MS && nowMs + usualMs > DIES_MS;
    return cut ? { afterMs: DIES_MS - nowMs, failure: { kind: "cut" } } : { afterMs: usualMs, failure: null };
  };
  const options = { router, targets: TARGETS, behaviour, requestsPerSecond: RATE, forMs: END_MS, random, sessions };
  return { simulation: new OutageSimulation(options).run(), router };
}

function quantile(values: readonly number[], q: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length * q)] ?? 0;
}

/** Part of the requests of a span that were served by a. */
function shareOfA({ served }: OutageSimulation, fromMs: number, toMs: number): number {
  const span = served.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
  return span.filter(({ by }) => by === "a").length / span.length;
}

const STRATEGIES: readonly StrategyName[] = [
  "ordered",
  "round_robin",
  "weighted_random",
  "least_connections",
  "response_time",
];
const CASES = Object.entries(DEATHS).flatMap(([how, death]) =>
  STRATEGIES.map((strategy) => ({ how, death, strategy })),
);

describe("one of two targets dies under 200 requests a second, and rises again", () => {
  it.each(CASES)("$how, $strategy: no client sees it", ({ death, strategy }) => {
    const { simulation, router } = simulate(death, { strategy });
    const { served, seen } = simulation;

    // Every request has been answered, once, and well.
    expect(served).toHaveLength((RATE * END_MS) / 1_000);
    expect(served.filter(({ by }) => by === null)).toEqual([]);

    // Five seconds after the death latency is as it was, but for the few trials.
    const late = served.filter(({ atMs }) => atMs >= DIES_MS + 5_000 && atMs < RISES_MS);
    expect(
      quantile(
        late.map(({ latencyMs }) => latencyMs),
        0.99,
      ),
    ).toBeLessThanOrEqual(USUAL_MS.most * 1.25);

    // The dead are left in peace: at most two trials at a time, ever more seldom.
    const knocks = seen.filter(({ upstream, atMs }) => upstream === "a" && atMs >= DIES_MS + 5_000 && atMs < RISES_MS);
    expect(knocks.length).toBeLessThanOrEqual(10);

    // No storm: the survivor never got more than one attempt for each request.
    const burden = seen.filter(({ upstream, atMs }) => upstream === "b" && atMs >= DIES_MS && atMs < RISES_MS);
    expect(burden.length).toBeLessThanOrEqual((RATE * (RISES_MS - DIES_MS)) / 1_000 + RATE);

    // In the end all is as it was in the beginning.
    const before = shareOfA(simulation, 2_000, DIES_MS - 1_000);
    expect(Math.abs(shareOfA(simulation, END_MS - 5_000, END_MS) - before)).toBeLessThan(0.1);
    const described = router.describe(END_MS + 1_000, 0);
    expect(described.targets.map(({ health, inFlight }) => [health, inFlight])).toEqual([
      ["healthy", 0],
      ["healthy", 0],
    ]);
  });

  it.each(["ordered", "weighted_random"] as const)("%s: it comes back slowly, not all at once", (strategy) => {
    const { simulation, router } = simulate(DEATHS["refuses connections"]!, { strategy });
    const recovered = router.describe(END_MS, 0).targets[0]?.history.findLast(({ circuit }) => circuit === "closed");
    const fromMs = recovered?.atMs ?? Number.NaN;
    expect(fromMs).toBeGreaterThan(RISES_MS);
    const whole = shareOfA(simulation, END_MS - 10_000, END_MS);
    const ramp = [0, 1, 2, 3, 4].map((i) => shareOfA(simulation, fromMs + i * 6_000, fromMs + (i + 1) * 6_000) / whole);

    expect(ramp[0]).toBeLessThan(0.4);
    expect(ramp[4]).toBeGreaterThan(0.75);
    for (let i = 1; i < ramp.length; i++) expect(ramp[i]!).toBeGreaterThan(ramp[i - 1]!);
  });

  it("sessions move once, at a price, and stay where they are warm then", () => {
    const sessions = 50;
    const { simulation } = simulate(DEATHS["answers 503"]!, { strategy: "round_robin" }, sessions);
    const { served } = simulation;
    expect(served.filter(({ by }) => by === null)).toEqual([]);

    const ways = Map.groupBy(
      served.toSorted((a, b) => a.atMs - b.atMs),
      ({ session }) => session,
    );
    expect(ways.size).toBe(sessions);
    let moved = 0;
    for (const [session, way] of ways) {
      // Two requests of a session may overlap at its very beginning, before anything is warm.
      const by = way.filter(({ atMs }) => atMs > 2_000).map((each) => each.by);
      const moves = by.filter((each, i) => i > 0 && each !== by[i - 1]).length;
      expect([session, moves]).toEqual([session, by[0] === "a" ? 1 : 0]);
      if (by[0] === "a") moved++;
      // 20,000 tokens × (6.25 − 0.50) dollars a million, for each answer that came while the cache was thought elsewhere.
      for (const { lostMicroUsd } of way) expect([0, 115_000]).toContain(lostMicroUsd);
      expect(way.some(({ lostMicroUsd }) => lostMicroUsd > 0)).toBe(by[0] === "a");
    }
    expect(moved).toBeGreaterThan(10);
    expect(moved).toBeLessThan(sessions);
  });
});

describe("both targets die", () => {
  it("every client is told, and no target is stormed", () => {
    const failure: AttemptFailure = { kind: "status", status: 503, retryAfterMs: null };
    const router = routerFor(TARGETS);
    const behaviour: Behaviour = () => ({ afterMs: 20, failure });
    const forMs = 30_000;
    const { served, seen } = new OutageSimulation({
      router,
      targets: TARGETS,
      behaviour,
      requestsPerSecond: RATE,
      forMs,
      random: seededRandom(1),
    }).run();
    const requests = (RATE * forMs) / 1_000;

    expect(served).toHaveLength(requests);
    expect(served.every(({ by }) => by === null)).toBe(true);
    for (const upstream of ["a", "b"]) {
      const got = seen.filter((each) => each.upstream === upstream).length;
      // One for each request, a fifth on top, and ten a second besides.
      expect(got).toBeLessThanOrEqual(requests * 1.2 + (10 * forMs) / 1_000 + 100);
    }
  });
});
