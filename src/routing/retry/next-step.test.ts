import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { AttemptFailure } from "../health/signal.ts";
import type { PlannedTarget } from "../plan.ts";
import { DEFAULT_ROUTING } from "../settings.ts";
import { target } from "../testing/route-fixtures.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { backoffMs } from "./backoff.ts";
import { nextStep, type NextStep, type RetryPolicy, type RetrySituation } from "./next-step.ts";

const A: PlannedTarget = { target: target("a"), reason: "order" };
const B: PlannedTarget = { target: target("b"), reason: "order" };
const POLICY: RetryPolicy = { retry: DEFAULT_ROUTING.retry, affinity: DEFAULT_ROUTING.affinity, random: () => 0.5 };

function status(code: number, retryAfterMs: number | null = null): AttemptFailure {
  return { kind: "status", status: code, retryAfterMs };
}

function inBand(errorType: string): AttemptFailure {
  return { kind: "in_band_error", errorType, retryAfterMs: null };
}

function step(given: Partial<RetrySituation>, policy: RetryPolicy = POLICY): NextStep {
  return nextStep(
    {
      failure: status(500),
      relayed: false,
      current: A,
      next: B,
      nextIsUsable: true,
      attempts: 1,
      sameTargetRetries: 0,
      remainingMs: 60_000,
      moveCostMicroUsd: 0,
      retryBudgetLeft: 10,
      ...given,
    },
    policy,
  );
}

const FAILOVER: readonly (readonly [string, AttemptFailure])[] = [
  ["500", status(500)],
  ["502", status(502)],
  ["503", status(503)],
  ["504", status(504)],
  ["529", status(529)],
  ["501", status(501)],
  ["429", status(429)],
  ["401", status(401)],
  ["403", status(403)],
  ["404", status(404)],
  ["a redirect", status(307)],
  ["no connection", { kind: "connect_error", detail: "ECONNRESET" }],
  ["no connection in time", { kind: "timeout", phase: "connect" }],
  ["no first byte in time", { kind: "timeout", phase: "first_byte" }],
  ["an answer that broke off before its first event", { kind: "cut" }],
  ["no credential", { kind: "credential" }],
  ["overloaded_error in the stream", inBand("overloaded_error")],
  ["api_error in the stream", inBand("api_error")],
  ["rate_limit_error in the stream", inBand("rate_limit_error")],
  ["authentication_error in the stream", inBand("authentication_error")],
  ["an error in the stream that nobody knows", inBand("new_error")],
];

const CALLERS: readonly (readonly [string, AttemptFailure])[] = [
  ...[400, 402, 405, 408, 409, 410, 413, 415, 422].map((code) => [String(code), status(code)] as const),
  ["invalid_request_error in the stream", inBand("invalid_request_error")],
  ["request_too_large in the stream", inBand("request_too_large")],
];

describe("before the first relayed byte", () => {
  it.each(FAILOVER)("%s is followed by the next target, at once", (_, failure) => {
    expect(step({ failure })).toMatchObject({ kind: "failover", target: B, delayMs: 0 });
  });

  it.each(CALLERS)("%s is the caller's own and goes back word for word", (_, failure) => {
    expect(step({ failure })).toMatchObject({ kind: "give_up", verbatim: true });
  });

  it("a status that the operator names is the target's, not the caller's", () => {
    const policy = { ...POLICY, retry: { ...POLICY.retry, failoverStatuses: [424] } };

    expect(step({ failure: status(424) }, policy).kind).toBe("failover");
    expect(step({ failure: status(424) }).kind).toBe("give_up");
  });

  it("the exchange's own time running out ends it", () => {
    expect(step({ failure: { kind: "timeout", phase: "total" } }).kind).toBe("give_up");
  });

  it("says why in words", () => {
    expect(step({ failure: status(503) }).why).toBe("status 503; b is next");
    expect(step({ failure: status(503), nextIsUsable: false, retryBudgetLeft: 0 }).why).toBe(
      "status 503; b is next, a last resort",
    );
  });
});

describe("after the first relayed byte", () => {
  it.each([...FAILOVER, ...CALLERS])("%s ends the exchange, with nothing tried again", (_, failure) => {
    expect(step({ failure, relayed: true, moveCostMicroUsd: 1e6 })).toMatchObject({ kind: "give_up", verbatim: false });
  });
});

describe("a repeat at the same target", () => {
  const alone = { next: null, nextIsUsable: false };
  const passing = FAILOVER.filter(([name]) => /^5(00|02|03|04|29)|429|no connection$|broke off/.test(name));

  it.each(passing)("is made after %s when there is no other target", (_, failure) => {
    expect(step({ failure, ...alone })).toMatchObject({ kind: "retry", target: A });
  });

  it.each([401, 403, 404, 501])("is of no use after %d", (code) => {
    expect(step({ failure: status(code), ...alone }).kind).toBe("give_up");
  });

  it("is not made after a time-out: it would cost the client the same again", () => {
    expect(step({ failure: { kind: "timeout", phase: "first_byte" }, ...alone }).kind).toBe("give_up");
  });

  it("comes before a last resort", () => {
    expect(step({ nextIsUsable: false })).toMatchObject({ kind: "retry", target: A });
    expect(step({ nextIsUsable: false, sameTargetRetries: 2, attempts: 3 })).toMatchObject({
      kind: "failover",
      target: B,
    });
  });

  it("is preferred, once, to leaving a prompt cache that is worth it", () => {
    const dear = { moveCostMicroUsd: 500_000 };
    expect(step(dear)).toMatchObject({ kind: "retry", target: A });
    expect(step({ ...dear, sameTargetRetries: 1, attempts: 2 })).toMatchObject({ kind: "failover" });
    expect(step({ moveCostMicroUsd: 100 })).toMatchObject({ kind: "failover" });
  });

  it("waits for a short retry-after at a warm target, and does not for a long one", () => {
    const dear = { moveCostMicroUsd: 500_000 };
    const short = step({ ...dear, failure: status(429, 1_500) });
    expect(short.kind).toBe("retry");
    expect(short.delayMs).toBeGreaterThanOrEqual(1_500);

    expect(step({ ...dear, failure: status(429, 4_000) }).kind).toBe("failover");
  });

  it("waits for retry-after when nothing else is left, and tells the client when it is long", () => {
    const short = step({ ...alone, failure: status(529, 4_000) });
    expect(short.kind).toBe("retry");
    expect(short.delayMs).toBeGreaterThanOrEqual(4_000);

    expect(step({ ...alone, failure: status(529, 30_000) }).kind).toBe("give_up");
  });

  it("needs a budget, attempts, and time", () => {
    expect(step({ ...alone, retryBudgetLeft: 0 }).kind).toBe("give_up");
    expect(step({ ...alone, sameTargetRetries: 2, attempts: 3 }).kind).toBe("give_up");
    expect(step({ ...alone, attempts: 4 }).kind).toBe("give_up");
    expect(step({ ...alone, remainingMs: 1_050 }).kind).toBe("give_up");
    expect(step({ ...alone, remainingMs: 1_200 }).kind).toBe("retry");
  });
});

describe("failover", () => {
  it("needs attempts and time, and no budget: no target gets more of it than there are requests", () => {
    expect(step({ retryBudgetLeft: 0 }).kind).toBe("failover");
    expect(step({ attempts: 4 })).toMatchObject({ kind: "give_up", why: "status 500; 4 attempts are the limit" });
    expect(step({ remainingMs: 999 })).toMatchObject({ kind: "give_up" });
  });

  it("ends when nothing is left", () => {
    expect(step({ failure: status(404), next: null, nextIsUsable: false })).toMatchObject({
      kind: "give_up",
      why: "status 404; no other target is left",
      verbatim: false,
    });
  });
});

describe("backoff", () => {
  it("is drawn from zero to a bound that doubles, up to the cap", () => {
    const bounds = [0, 1, 2, 3, 4, 5, 60].map((retry) =>
      backoffMs(retry, null, DEFAULT_ROUTING.retry, () => 0.999_999),
    );

    expect(bounds.map((ms) => Math.round(ms))).toEqual([200, 400, 800, 1_600, 3_200, 4_000, 4_000]);
    expect(backoffMs(3, null, DEFAULT_ROUTING.retry, () => 0)).toBe(0);
  });

  it("is spread evenly: clients that failed together do not return together", () => {
    const random = seededRandom(3);
    const quarters = [0, 0, 0, 0];
    for (let i = 0; i < 4_000; i++) quarters[Math.floor(backoffMs(0, null, DEFAULT_ROUTING.retry, random) / 50)]!++;

    for (const count of quarters) expect(Math.abs(count - 1_000)).toBeLessThan(120);
  });

  it("never comes before retry-after", () => {
    fc.assert(
      fc.property(fc.nat(10), fc.nat(5_000), fc.integer(), (retry, retryAfterMs, seed) => {
        const ms = backoffMs(retry, retryAfterMs, DEFAULT_ROUTING.retry, seededRandom(seed));
        expect(ms).toBeGreaterThanOrEqual(retryAfterMs);
        expect(ms).toBeLessThanOrEqual(retryAfterMs + 1_000);
      }),
    );
  });
});

describe("over any situation", () => {
  it("nothing is tried again after a relayed byte, a caller's fault, the last attempt, or without time", () => {
    const failures = [...FAILOVER, ...CALLERS].map(([, failure]) => failure);
    const situation = fc.record({
      failure: fc.constantFrom(...failures),
      relayed: fc.boolean(),
      next: fc.constantFrom(B, null),
      nextIsUsable: fc.boolean(),
      attempts: fc.integer({ min: 1, max: 6 }),
      sameTargetRetries: fc.nat(3),
      remainingMs: fc.integer({ min: -1_000, max: 60_000 }),
      moveCostMicroUsd: fc.nat(1_000_000),
      retryBudgetLeft: fc.nat(2),
    });
    fc.assert(
      fc.property(situation, fc.integer(), (given, seed) => {
        const next = step(given, { ...POLICY, random: seededRandom(seed) });
        const { retry } = DEFAULT_ROUTING;
        if (given.relayed || given.attempts >= retry.maxAttempts || given.remainingMs < retry.minAttemptMs) {
          expect(next.kind).toBe("give_up");
        }
        if (next.kind === "retry") {
          expect(next.target).toBe(A);
          expect(given.retryBudgetLeft).toBeGreaterThan(0);
          expect(given.sameTargetRetries).toBeLessThan(retry.maxSameTargetRetries);
          expect(given.remainingMs - next.delayMs).toBeGreaterThanOrEqual(retry.minAttemptMs);
        }
        if (next.kind === "failover") expect(next.target).toBe(given.next);
        expect(next.why).not.toBe("");
      }),
      { numRuns: 1_000 },
    );
  });
});
