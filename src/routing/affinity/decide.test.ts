import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { DEFAULT_ROUTING } from "../settings.ts";
import { opusRates, target } from "../testing/route-fixtures.ts";
import { affinityWords, type AffinityReason } from "./affinity-decision.ts";
import { decideAffinity, type AffinityQuestion } from "./decide.ts";
import { moveCostMicroUsd } from "./move-cost.ts";
import type { WarmCache } from "./session-table.ts";

const SETTINGS = DEFAULT_ROUTING.affinity;
const WARM: WarmCache = { targetKey: "a/claude-opus-5", tokens: 100_000, life: "5m", expiresAtMs: 300_000 };

function question(given: Partial<AffinityQuestion> = {}): AffinityQuestion {
  return {
    hasSession: true,
    warm: WARM,
    warmTarget: { isUsable: true, isDegraded: false },
    first: target("b"),
    countsCache: false,
    failedOver: false,
    ...given,
  };
}

describe("the price of a move", () => {
  it("is the warm tokens at the new target's rate for cache writes less its rate for reads", () => {
    // 100,000 tokens × (6.25 − 0.50) dollars a million.
    expect(moveCostMicroUsd(WARM, target("b"))).toBe(575_000);
    // × (10 − 0.50), for a cache that lives an hour.
    expect(moveCostMicroUsd({ ...WARM, life: "1h" }, target("b"))).toBe(950_000);
    expect(moveCostMicroUsd(WARM, target("b", { rates: opusRates(2) }))).toBe(1_150_000);
  });

  it("is counted with the rate for input where the new target writes no caches", () => {
    // × (5 − 0.50).
    expect(moveCostMicroUsd(WARM, target("b", { promptCache: "none" }))).toBe(450_000);
    expect(moveCostMicroUsd(WARM, target("b", { promptCache: "implicit" }))).toBe(450_000);
  });

  it("is a whole number of micro-dollars and never negative, at any rates", () => {
    const rate = fc.nat(80_000_000);
    const rates = fc.record({ input: rate, output: rate, cacheWrite5m: rate, cacheWrite1h: rate, cacheRead: rate });
    fc.assert(
      fc.property(
        rates,
        fc.nat(2_000_000),
        fc.constantFrom("5m" as const, "1h" as const),
        fc.constantFrom("explicit" as const, "implicit" as const, "none" as const),
        (given, tokens, life, promptCache) => {
          const to = target("b", { rates: given, promptCache });
          const cost = moveCostMicroUsd({ ...WARM, tokens, life }, to);
          const write = life === "5m" ? given.cacheWrite5m : given.cacheWrite1h;
          const exact = (tokens * ((promptCache === "explicit" ? write : given.input) - given.cacheRead)) / 1e6;

          expect(Number.isSafeInteger(cost)).toBe(true);
          expect(cost).toBeGreaterThanOrEqual(0);
          // Two amounts are rounded, as the ledger rounds them.
          expect(Math.abs(cost - Math.max(0, exact))).toBeLessThanOrEqual(1);
        },
      ),
    );
  });
});

describe("decideAffinity", () => {
  it("leaves the choice to the strategy without a session, and without anything warm", () => {
    expect(decideAffinity(question({ hasSession: false, warm: null }), SETTINGS)).toEqual({
      target: "b/claude-opus-5",
      moved: false,
      lostMicroUsd: 0,
      reason: "no_session",
    });
    expect(decideAffinity(question({ warm: null }), SETTINGS).reason).toBe("cold");
  });

  it("stays where the cache is warm, whatever the strategy would like", () => {
    expect(decideAffinity(question(), SETTINGS)).toEqual({
      target: WARM.targetKey,
      moved: false,
      lostMicroUsd: 0,
      reason: "warm",
    });
  });

  it.each<[string, Partial<AffinityQuestion>, AffinityReason]>([
    ["its target is gone", { warmTarget: null }, "moved_gone"],
    ["its target cannot be used", { warmTarget: { isUsable: false, isDegraded: false } }, "moved_unusable"],
    ["the deployment has failed over", { failedOver: true }, "moved_failover"],
    ["another is cheaper with everything counted in", { countsCache: true }, "moved_cheaper"],
  ])("moves when %s, and says what is lost", (_, given, reason) => {
    expect(decideAffinity(question(given), SETTINGS)).toEqual({
      target: "b/claude-opus-5",
      moved: true,
      lostMicroUsd: 575_000,
      reason,
    });
  });

  it("leaves a degraded target only when the cache is worth little", () => {
    const warmTarget = { isUsable: true, isDegraded: true };
    expect(decideAffinity(question({ warmTarget }), SETTINGS).moved).toBe(false);

    const little = { ...WARM, tokens: 1_000 };
    expect(decideAffinity(question({ warmTarget, warm: little }), SETTINGS)).toMatchObject({
      moved: true,
      lostMicroUsd: 5_750,
      reason: "moved_degraded",
    });
  });

  it("has words for every reason", () => {
    expect(affinityWords("moved_unusable")).toBe("the session moves: its target cannot be used");
  });
});
