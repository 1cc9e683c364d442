import { describe, expect, it } from "vitest";

import type { AttemptEnd } from "./health/signal.ts";
import { explainText } from "./explain-text.ts";
import type { Router } from "./router.ts";
import { DEFAULT_FAIL_BACK, DEFAULT_TRIGGERS } from "./settings.ts";
import type { RouteTarget } from "./target.ts";
import { request, routerFor, target, usage } from "./testing/route-fixtures.ts";

const EU = target("bedrock-eu", {
  cloud: "aws",
  region: "eu-west-1",
  upstreamModel: "eu.anthropic.claude-opus-5-v1:0",
});
const DIRECT = target("anthropic", { region: "us" });
const VERTEX = target("vertex", { cloud: "gcp", region: "europe-west1" });
const ALL = [EU, DIRECT, VERTEX];

function fails(router: Router, at: RouteTarget, end: AttemptEnd, count: number): void {
  for (let i = 0; i < count; i++) router.ended(router.begun({ target: at, reason: "order" }, 0), end, 0);
}

describe("explain", () => {
  it("changes nothing: neither turns, nor trials, nor sessions", () => {
    const router = routerFor(ALL, { strategy: "round_robin" });
    const explained = [1, 2, 3].map(() => router.explain(request(ALL)).targets[0]?.upstream);

    expect(new Set(explained).size).toBe(1);
    expect(router.plan(request(ALL)).targets[0]?.target.upstream).toBe(explained[0]);
  });

  it("is data that survives JSON", () => {
    const router = routerFor(ALL);
    const explanation = router.explain(request(ALL, { session: "s" }));

    expect(JSON.parse(JSON.stringify(explanation))).toEqual(explanation);
    expect(explanation).toMatchObject({ decidedBy: "strategy", affinity: { reason: "cold" } });
    expect(explanation.targets.map(({ place, use }) => [place, use])).toEqual([
      [1, "planned"],
      [2, "planned"],
      [3, "planned"],
    ]);
  });

  it("names the only target, and the lack of any", () => {
    expect(routerFor([EU]).explain(request([EU])).decidedBy).toBe("only_target");
    expect(routerFor([EU]).explain(request([]))).toMatchObject({ decidedBy: "none", targets: [] });
    expect(explainText(routerFor([EU]).explain(request([])))[0]).toBe(
      "claude-opus-5 goes nowhere: no target serves it (strategy ordered)",
    );
  });
});

describe("an explanation for people", () => {
  it("says which rule decided, why each stands where it does, in columns", () => {
    const router = routerFor(ALL);

    expect(explainText(router.explain(request(ALL)))).toEqual([
      "claude-opus-5 goes to bedrock-eu: decided by the strategy (strategy ordered)",
      "",
      "  1  bedrock-eu  eu.anthropic.claude-opus-5-v1:0  aws eu-west-1     order  listed first",
      `${" ".repeat(75)}healthy`,
      "  2  anthropic   claude-opus-5                    us                order  listed second",
      `${" ".repeat(75)}healthy`,
      "  3  vertex      claude-opus-5                    gcp europe-west1  order  listed third",
      `${" ".repeat(75)}healthy`,
    ]);
  });

  it("shows the session, and what keeps the others from being used", () => {
    const router = routerFor(ALL);
    const plan = router.plan(request(ALL, { session: "s" }));
    router.served(plan, plan.targets[1]!, usage({ cacheReadTokens: 84_210 }), 0);
    fails(router, VERTEX, { kind: "connect_error", detail: "ECONNREFUSED" }, 3);
    const text = explainText(router.explain(request(ALL, { session: "s", nowMs: 1_000 }))).join("\n");

    expect(text).toContain("goes to anthropic: decided by affinity: the session's prompt cache is warm there");
    expect(text).toContain("  warm: 84,210 tokens at anthropic/claude-opus-5, for another 5 min");
    expect(text).toContain("affinity     84,210 tokens of the session are warm there for another 5 min");
    expect(text).toContain(
      "last-resort  circuit open for 4 s more: 3 failures in a row, last: no connection (ECONNREFUSED); no requests for 5 s",
    );

    const later = explainText(router.explain(request(ALL, { nowMs: 6_000 }))).join("\n");
    expect(later).toContain("trial  listed third");
    expect(later).toContain("half open: its time without requests is over; trying 2 requests at a time");
  });

  it("says what a move has lost", () => {
    const router = routerFor(ALL);
    const plan = router.plan(request(ALL, { session: "s" }));
    router.served(plan, plan.targets[0]!, usage({ cacheReadTokens: 100_000 }), 0);
    fails(router, EU, { kind: "status", status: 429, retryAfterMs: 60_000 }, 1);
    const lines = explainText(router.explain(request(ALL, { session: "s", nowMs: 1 })));

    expect(lines).toContain("Session: the session moves: its target cannot be used.");
    expect(lines).toContain("  lost by moving: $0.575");
    expect(lines.join("\n")).toContain("left alone for 60 s: status 429, retry-after 60 s");
  });

  it("says so when nothing can be used", () => {
    const router = routerFor([EU]);
    fails(router, EU, { kind: "status", status: 500, retryAfterMs: null }, 5);

    expect(explainText(router.explain(request([EU]))).slice(0, 2)).toEqual([
      "claude-opus-5 goes to bedrock-eu: the only target (strategy ordered)",
      "No target can be used; all are tried all the same, the most hopeful first.",
    ]);
  });

  it("tells the deployment, and who is not part of it", () => {
    const router = routerFor(ALL, {
      deployment: {
        kind: "active_passive",
        primary: "aws",
        backup: "gcp",
        triggers: DEFAULT_TRIGGERS,
        failBack: DEFAULT_FAIL_BACK,
      },
    });
    const text = explainText(router.explain(request(ALL))).join("\n");

    expect(text).toContain("decided by the deployment strategy (strategy ordered, deployment active_passive)");
    expect(text).toContain("aws is the primary cloud");
    expect(text).toContain("gcp is the backup");
    expect(text).toContain("never asked: no cloud is named for it, and the active_passive deployment has other clouds");
  });
});

describe("why a target stands where it does", () => {
  const passive = {
    kind: "active_passive" as const,
    primary: "aws",
    backup: "gcp",
    triggers: DEFAULT_TRIGGERS,
    failBack: DEFAULT_FAIL_BACK,
  };

  /** Everything that is said of an upstream, in one line. */
  function because(router: Router, upstream: string, nowMs: number, targets: readonly RouteTarget[] = ALL): string {
    const found = router.explain(request(targets, { nowMs })).targets.find((each) => each.upstream === upstream);
    return found?.because.join(" | ") ?? "";
  }

  it("follows a failover there and back", () => {
    const router = routerFor(ALL, { deployment: passive });
    fails(router, EU, { kind: "status", status: 500, retryAfterMs: null }, 5);
    router.plan(request(ALL, { nowMs: 300 }));
    expect(because(router, "vertex", 300)).toContain(
      "gcp is the backup; failed over: aws: none of its targets can be used",
    );

    for (let nowMs = 6_000; nowMs < 70_000; nowMs += 500) router.plan(request(ALL, { nowMs }));
    expect(because(router, "bedrock-eu", 70_000)).toMatch(
      /aws is the primary cloud; \d+ % of requests have returned to aws/,
    );
  });

  it.each([
    ["weight", "aws takes 80 %"],
    ["geographic", "aws by distance"],
    ["performance", "aws by response time"],
  ] as const)("tells how clouds share by %s", (distribution, words) => {
    const deployment = { kind: "active_active" as const, shares: { aws: 80, gcp: 20 }, distribution };

    expect(because(routerFor(ALL, { deployment }), "bedrock-eu", 0)).toContain(words);
  });

  it("tells the single cloud", () => {
    const router = routerFor(ALL, { deployment: { kind: "single", cloud: "gcp" } });

    expect(because(router, "vertex", 0)).toBe("gcp is the only cloud of the deployment | listed first | healthy");
    expect(because(router, "bedrock-eu", 0)).toBe(
      "never asked: it is in aws, and the single deployment has other clouds",
    );
  });

  it("tells a target that recovers, one that is degraded, and one with weight 0", () => {
    const router = routerFor([EU, DIRECT], {}, 3);
    fails(router, EU, { kind: "connect_error", detail: null }, 3);
    for (let i = 0; i < 3; i++) {
      const plan = router.plan(request([EU, DIRECT], { nowMs: 5_000 + i }));
      router.ended(router.begun(plan.targets[0]!, 5_000 + i), { kind: "ok", latencyMs: null }, 5_000 + i);
    }
    const heldBack = Array.from({ length: 30 }, () => because(router, "bedrock-eu", 5_100, [EU, DIRECT]));
    expect(heldBack).toContain(
      "listed first | held back by lot: it takes 10 % while it recovers | recovering, at 10 % of its weight",
    );

    const degraded = routerFor(ALL);
    for (let i = 0; i < 10; i++) {
      fails(degraded, EU, { kind: "ok", latencyMs: null }, 4);
      fails(degraded, EU, { kind: "cut" }, 1);
    }
    expect(because(degraded, "bedrock-eu", 0)).toBe("listed first | degraded: 20 % of 20 attempts failed in 30 s");

    const spare = target("spare", { weight: 0 });
    expect(because(routerFor([spare, EU]), "spare", 0, [spare, EU])).toContain(
      "its weight is 0: only when nothing else is left",
    );
  });

  it("tells when all trials of a half-open target are under way", () => {
    const router = routerFor(ALL);
    fails(router, EU, { kind: "connect_error", detail: null }, 3);
    for (let i = 0; i < 2; i++) router.begun(router.plan(request(ALL, { nowMs: 5_000 })).targets[0]!, 5_000);

    expect(because(router, "bedrock-eu", 5_001)).toBe("half open, all trials under way");
  });
});
