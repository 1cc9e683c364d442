import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_ROUTING } from "../settings.ts";
import type { RouteTarget } from "../target.ts";
import { opusRates, target } from "../testing/route-fixtures.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { BALANCERS } from "./all-balancers.ts";
import type { BalanceContext } from "./balancer.ts";
import { Candidate, TargetActivity } from "./candidate.ts";
import { Distances } from "./distances.ts";
import type { StrategyName } from "./strategy-name.ts";

function candidates(...targets: readonly RouteTarget[]): Candidate[] {
  return targets.map((each, position) => {
    const candidate = new Candidate(each, position, new TargetActivity());
    candidate.share = each.weight;
    return candidate;
  });
}

function context(given: Partial<BalanceContext> = {}): BalanceContext {
  return {
    nowMs: 0,
    random: seededRandom(1),
    clientRegion: null,
    inputTokens: 10_000,
    outputTokens: 1_000,
    warmKey: null,
    warmTokens: 0,
    warmFor: "5m",
    responseTime: DEFAULT_ROUTING.responseTime,
    distances: new Distances(DEFAULT_ROUTING.geography),
    ...given,
  };
}

function names(list: readonly Candidate[]): string[] {
  return list.map((candidate) => candidate.target.upstream);
}

/** How often each is first in so many plans. */
function firsts(
  strategy: StrategyName,
  list: Candidate[],
  times: number,
  plans: BalanceContext = context(),
): Record<string, number> {
  const balancer = BALANCERS[strategy];
  const counts: Record<string, number> = {};
  for (let i = 0; i < times; i++) {
    balancer.arrange(list, plans);
    const [first] = list;
    if (first === undefined) break;
    balancer.chosen?.(list, first);
    counts[first.target.upstream] = (counts[first.target.upstream] ?? 0) + 1;
  }
  return counts;
}

const STRATEGIES = Object.values(BALANCERS);

describe("every strategy", () => {
  it.each(STRATEGIES.map((balancer) => [balancer.name, balancer] as const))(
    "%s keeps every candidate, once, and says why in words",
    (_, balancer) => {
      const shape = fc.record({
        weight: fc.integer({ min: 0, max: 9 }),
        inFlight: fc.nat(50),
        latencyMs: fc.nat(5_000),
      });
      fc.assert(
        fc.property(fc.array(shape, { minLength: 1, maxLength: 8 }), fc.integer(), (shapes, seed) => {
          const list = candidates(...shapes.map(({ weight }, i) => target(`u${i}`, { weight })));
          shapes.forEach(({ inFlight, latencyMs }, i) => {
            list[i]!.activity.inFlight = inFlight;
            list[i]!.activity.latency.observe(latencyMs, 0, DEFAULT_ROUTING.responseTime);
          });
          const before = names(list);
          const plans = context({ random: seededRandom(seed) });
          for (let i = 0; i < 3; i++) {
            balancer.arrange(list, plans);
            balancer.chosen?.(list, list[0]!);
          }

          expect(names(list).toSorted()).toEqual(before.toSorted());
          for (const candidate of list) {
            expect(candidate.score).not.toBeNaN();
            expect(balancer.explain(candidate, plans)).toMatch(/^[^\n]+[^.]$/);
          }
        }),
        { numRuns: 60 },
      );
    },
  );

  it.each(STRATEGIES.map((balancer) => [balancer.name, balancer] as const))(
    "%s gives the same order for the same state and draws",
    (_, balancer) => {
      const order = (): string[] => {
        const list = candidates(target("a", { weight: 2 }), target("b"), target("c", { weight: 3 }));
        balancer.arrange(list, context({ random: seededRandom(7) }));
        return names(list);
      };
      expect(order()).toEqual(order());
    },
  );

  it("stands in the table under its own name", () => {
    expect(Object.entries(BALANCERS).every(([name, balancer]) => name === balancer.name)).toBe(true);
  });
});

describe("ordered", () => {
  it("goes by the configuration, whatever else is known", () => {
    const list = candidates(target("a", { weight: 1 }), target("b", { weight: 9 }));
    list[0]!.activity.inFlight = 1_000;
    BALANCERS.ordered.arrange(list, context());

    expect(names(list)).toEqual(["a", "b"]);
    expect(BALANCERS.ordered.explain(list[1]!, context())).toBe("listed second");
  });
});

describe("round robin", () => {
  it("gives everybody a turn before anybody has a second", () => {
    const list = candidates(target("a"), target("b"), target("c"));
    const turns = Array.from({ length: 6 }, () => Object.keys(firsts("round_robin", list, 1))[0]);

    expect(turns).toEqual(["a", "b", "c", "a", "b", "c"]);
  });

  it("interleaves by weight, exactly", () => {
    const list = candidates(target("a", { weight: 4 }), target("b", { weight: 2 }), target("c", { weight: 1 }));
    const turns = Array.from({ length: 7 }, () => Object.keys(firsts("round_robin", list, 1))[0]).join("");

    expect(turns).toBe("abacaba");
  });

  it("does not hoard turns for those who are passed over by sessions that stay", () => {
    const list = candidates(target("a"), target("b"));
    const a = list[0]!;
    for (let i = 0; i < 1_000; i++) {
      BALANCERS.round_robin.arrange(list, context());
      BALANCERS.round_robin.chosen?.(list, a);
    }
    const counts = firsts("round_robin", list, 10);

    expect(counts["b"]).toBeLessThanOrEqual(7);
    expect(counts["a"]).toBeGreaterThanOrEqual(3);
  });
});

describe("weighted random", () => {
  it.each([[[40, 35, 25]], [[1, 1, 1]], [[90, 9, 1]]])("converges to the weights %j", (weights) => {
    const list = candidates(...weights.map((weight, i) => target(`u${i}`, { weight })));
    const counts = firsts("weighted_random", list, 20_000);
    const total = weights.reduce((sum, weight) => sum + weight, 0);

    weights.forEach((weight, i) => {
      expect(Math.abs((counts[`u${i}`] ?? 0) / 20_000 - weight / total)).toBeLessThan(0.015);
    });
  });

  it("shares failover by weight as well: the second place is drawn among the rest", () => {
    const list = candidates(target("a", { weight: 50 }), target("b", { weight: 40 }), target("c", { weight: 10 }));
    let second = 0;
    const plans = context();
    let afterA = 0;
    for (let i = 0; i < 20_000; i++) {
      BALANCERS.weighted_random.arrange(list, plans);
      if (names(list)[0] !== "a") continue;
      afterA++;
      if (names(list)[1] === "b") second++;
    }
    expect(Math.abs(second / afterA - 0.8)).toBeLessThan(0.02);
  });

  it("puts a share of nothing last", () => {
    const list = candidates(target("never", { weight: 0 }), target("a"), target("b"));
    const plans = context();
    for (let i = 0; i < 200; i++) {
      BALANCERS.weighted_random.arrange(list, plans);
      expect(names(list)[2]).toBe("never");
    }
  });
});

describe("least connections", () => {
  it("goes to whom would be least busy for its weight", () => {
    const list = candidates(target("a"), target("b", { weight: 4 }), target("c"));
    list[0]!.activity.inFlight = 2;
    list[1]!.activity.inFlight = 6;
    list[2]!.activity.inFlight = 3;
    BALANCERS.least_connections.arrange(list, context());

    expect(names(list)).toEqual(["b", "a", "c"]);
    expect(BALANCERS.least_connections.explain(list[1]!, context())).toBe("2 requests under way, weight 1");
  });
});

describe("response time", () => {
  function measured(...latencies: readonly number[]): Candidate[] {
    const list = candidates(...latencies.map((_, i) => target(`u${i}`)));
    latencies.forEach((latencyMs, i) => list[i]!.activity.latency.observe(latencyMs, 0, DEFAULT_ROUTING.responseTime));
    return list;
  }

  it("goes to the faster of two", () => {
    const list = measured(900, 300);
    BALANCERS.response_time.arrange(list, context());

    expect(names(list)).toEqual(["u1", "u0"]);
  });

  it("counts what is under way: a fast one with a queue is slow", () => {
    const list = measured(300, 900);
    list[0]!.activity.inFlight = 5;
    BALANCERS.response_time.arrange(list, context());

    expect(names(list)).toEqual(["u1", "u0"]);
  });

  it("never sends all requests of a moment to the single best, and none to the worst", () => {
    const counts = firsts("response_time", measured(100, 200, 300, 400), 6_000);

    // Of two drawn out of four, the best is among them half of the time; the worst never wins.
    expect(Math.abs((counts["u0"] ?? 0) / 6_000 - 0.5)).toBeLessThan(0.03);
    expect(Math.abs((counts["u1"] ?? 0) / 6_000 - 1 / 3)).toBeLessThan(0.03);
    expect(counts["u3"]).toBeUndefined();
  });

  it("jumps to a peak at once and forgets it with time", () => {
    const list = measured(300, 500);
    const at = (nowMs: number): string[] => {
      BALANCERS.response_time.arrange(list, context({ nowMs }));
      return names(list);
    };
    list[0]!.activity.latency.observe(5_000, 100, DEFAULT_ROUTING.responseTime);
    expect(at(100)).toEqual(["u1", "u0"]);

    for (let nowMs = 1_000; nowMs <= 60_000; nowMs += 1_000) {
      for (const [i, latencyMs] of [300, 500].entries()) {
        list
          .find(({ target: { upstream } }) => upstream === `u${i}`)!
          .activity.latency.observe(latencyMs, nowMs, DEFAULT_ROUTING.responseTime);
      }
    }
    expect(at(60_000)).toEqual(["u0", "u1"]);
  });

  it("tries one that nothing is known of, but not with a whole burst", () => {
    const list = candidates(target("new"), target("old"));
    list[1]!.activity.latency.observe(400, 0, DEFAULT_ROUTING.responseTime);
    BALANCERS.response_time.arrange(list, context());
    expect(names(list)).toEqual(["new", "old"]);

    list[0]!.activity.inFlight = 1;
    BALANCERS.response_time.arrange(list, context());
    expect(names(list)).toEqual(["old", "new"]);
  });
});

describe("cheapest", () => {
  it("goes by what the request is expected to cost, input and output", () => {
    const list = candidates(target("list"), target("contract", { rates: opusRates(0.8) }));
    BALANCERS.cheapest.arrange(list, context());

    expect(names(list)).toEqual(["contract", "list"]);
    // 10,000 in at 5 dollars and 1,000 out at 25 dollars a million.
    expect(BALANCERS.cheapest.explain(list[1]!, context())).toBe("$0.075 expected");
  });

  it("stays with a warm cache that is worth more than the discount, and leaves one that is not", () => {
    const list = candidates(target("list"), target("contract", { rates: opusRates(0.8) }));
    const warm = context({ warmKey: list[0]!.target.key, warmTokens: 9_000 });
    BALANCERS.cheapest.arrange(list, warm);
    expect(names(list)).toEqual(["list", "contract"]);
    expect(BALANCERS.cheapest.explain(list[0]!, warm)).toBe("$0.0345 expected, reading 9,000 cached tokens");
    expect(BALANCERS.cheapest.explain(list[1]!, warm)).toBe("$0.069 expected, writing 9,000 cached tokens");

    BALANCERS.cheapest.arrange(list, context({ warmKey: list[0]!.target.key, warmTokens: 200 }));
    expect(names(list)).toEqual(["contract", "list"]);
  });

  it("keeps the configuration's order among equals", () => {
    const list = candidates(target("a"), target("b"), target("c"));
    BALANCERS.cheapest.arrange(list, context());

    expect(names(list)).toEqual(["a", "b", "c"]);
  });
});

describe("geographic", () => {
  it("goes to the client's region, then its zone, then what is everywhere, then the rest, unknown last", () => {
    const list = candidates(
      target("nowhere"),
      target("tokyo", { region: "ap-northeast-1" }),
      target("everywhere", { region: "global" }),
      target("frankfurt", { region: "eu-central-1" }),
      target("belgium", { region: "europe-west1" }),
    );
    BALANCERS.geographic.arrange(list, context({ clientRegion: "eu-central-1" }));

    expect(names(list)).toEqual(["frankfurt", "belgium", "everywhere", "tokyo", "nowhere"]);
  });

  it("goes by the configuration when the client's region is not known", () => {
    const list = candidates(target("a", { region: "eu-west-1" }), target("b", { region: "us-east-1" }));
    BALANCERS.geographic.arrange(list, context());

    expect(names(list)).toEqual(["a", "b"]);
  });
});
