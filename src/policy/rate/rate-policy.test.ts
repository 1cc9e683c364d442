import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { SubjectLimits } from "../../store/ports/directory.ts";
import type { LimitedSubject } from "./limit-table.ts";
import { RatePolicy, type RateTicket, type RateWait } from "./rate-policy.ts";

const MINUTE_MS = 60_000;

function subject(scope: LimitedSubject["scope"], limits: Partial<SubjectLimits>): LimitedSubject {
  const unlimited = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null };
  return { scope, id: `${scope}_1`, name: scope, limits: { ...unlimited, ...limits } };
}

function isWaiting(entered: RateTicket | RateWait): entered is RateWait {
  return "cancel" in entered;
}

function ticketOf(entered: RateTicket | RateWait): RateTicket {
  if (isWaiting(entered)) throw new Error("the request waits");
  return entered;
}

function waitOf(entered: RateTicket | RateWait): RateWait {
  if (!isWaiting(entered)) throw new Error("the request does not wait");
  return entered;
}

function refusalOf(enter: () => unknown): WeirError {
  try {
    enter();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("not refused");
}

describe("RatePolicy", () => {
  let policy: RatePolicy;
  let nowMs: number;

  beforeEach(() => {
    policy = new RatePolicy();
    nowMs = 1_000_000;
  });

  function enter(
    subjects: readonly LimitedSubject[],
    { tokens = 10, queue = { size: 10, timeoutMs: 5_000 } } = {},
  ): RateTicket | RateWait {
    return policy.enter({ subjects, estimatedTokens: tokens, queue }, nowMs);
  }

  describe("a request whose size is known only later", () => {
    const key = [subject("key", { requestsPerMinute: 2, tokensPerMinute: 100, maxConcurrent: 1 })];

    it("takes its tokens then, and is corrected to what it used", () => {
      const ticket = ticketOf(enter(key, { tokens: 0 }));
      policy.takeTokens(ticket, 60, nowMs);
      policy.leave(ticket, 10, nowMs);
      const next = ticketOf(enter(key, { tokens: 0 }));

      policy.takeTokens(next, 90, nowMs);
    });

    it("that has no room for them leaves nothing taken once it is withdrawn", () => {
      const first = ticketOf(enter(key, { tokens: 0 }));
      policy.takeTokens(first, 90, nowMs);
      policy.leave(first, 90, nowMs);
      const second = ticketOf(enter(key, { tokens: 0 }));
      expect(refusalOf(() => policy.takeTokens(second, 20, nowMs))).toMatchObject({ code: "weir:limit:tokens" });
      policy.withdraw(second, nowMs);

      const third = ticketOf(enter(key, { tokens: 0 }));
      policy.takeTokens(third, 10, nowMs);
      policy.leave(third, 10, nowMs);
      expect(policy.gate.active("key_1")).toBe(0);
      expect(refusalOf(() => enter(key, { tokens: 0 }))).toMatchObject({ code: "weir:limit:requests" });
    });
  });

  describe("requests a minute", () => {
    const key = [subject("key", { requestsPerMinute: 3 })];

    it("refuses the one too many, and says when to come again", () => {
      for (let i = 0; i < 3; i++) policy.leave(ticketOf(enter(key)), 10, nowMs);
      const refusal = refusalOf(() => enter(key));

      expect(refusal.code).toBe("weir:limit:requests");
      expect(refusal.message).toBe("Rate limit of this key: 3 requests a minute. Try again in 20 s.");
      expect(refusal.facts.retryAfterSeconds).toBe(20);
    });

    it("admits again when the time that it named has passed", () => {
      for (let i = 0; i < 3; i++) enter(key);
      nowMs += 20_000;

      ticketOf(enter(key));
      refusalOf(() => enter(key));
    });
  });

  describe("tokens a minute", () => {
    const key = [subject("key", { tokensPerMinute: 1_000 })];

    it("takes the estimate first and corrects it to what was used", () => {
      policy.leave(ticketOf(enter(key, { tokens: 800 })), 100, nowMs);

      ticketOf(enter(key, { tokens: 900 }));
      expect(refusalOf(() => enter(key, { tokens: 1 })).code).toBe("weir:limit:tokens");
    });

    it("lets an answer that used more than estimated cost the requests after it", () => {
      policy.leave(ticketOf(enter(key, { tokens: 10 })), 3_000, nowMs);

      expect(refusalOf(() => enter(key, { tokens: 1 })).facts.retryAfterSeconds).toBe(121);
    });

    it("counts what a long request used from when it is known, not as if it had flowed back meanwhile", () => {
      const ticket = ticketOf(enter(key, { tokens: 10 }));
      nowMs += 10 * MINUTE_MS;
      policy.leave(ticket, 3_000, nowMs);

      expect(refusalOf(() => enter(key, { tokens: 1 })).code).toBe("weir:limit:tokens");
    });
  });

  it("takes nothing of any subject when one of them refuses", () => {
    const subjects = [subject("key", { requestsPerMinute: 5 }), subject("team", { requestsPerMinute: 1 })];
    enter([subject("team", { requestsPerMinute: 1 })]);
    for (let i = 0; i < 20; i++) refusalOf(() => enter(subjects));

    for (let i = 0; i < 5; i++) enter([subject("key", { requestsPerMinute: 5 })]);
  });

  it("does not limit where there is no limit", () => {
    for (let i = 0; i < 500; i++) ticketOf(enter([subject("key", {}), subject("organization", {})], { tokens: 1e9 }));

    expect(policy.gate.queued).toBe(0);
  });

  describe("concurrency", () => {
    const key = [subject("key", { maxConcurrent: 1, requestsPerMinute: 100, tokensPerMinute: 1_000 })];

    beforeEach(() => {
      vi.useFakeTimers();
    });

    afterEach(() => {
      vi.useRealTimers();
    });

    /** Requests that the bucket of a minute still has room for. */
    function roomForRequests(): number {
      let count = 0;
      for (;;) {
        try {
          policy.enter(
            { subjects: key.map(withoutConcurrency), estimatedTokens: 0, queue: { size: 0, timeoutMs: 1 } },
            nowMs,
          );
          count++;
        } catch {
          return count;
        }
      }
    }

    function withoutConcurrency({ limits, ...rest }: LimitedSubject): LimitedSubject {
      return { ...rest, limits: { ...limits, maxConcurrent: null } };
    }

    it("gives the place to the one that waits, which then holds a ticket like any other", async () => {
      const first = ticketOf(enter(key));
      const second = waitOf(enter(key));
      expect(policy.gate.queued).toBe(1);
      policy.leave(first, 10, nowMs);

      expect(await second.ticket).toMatchObject({ estimatedTokens: 10 });
      expect(policy.gate.active("key_1")).toBe(1);
    });

    it("refuses when the queue is full, and gives back what it had taken", () => {
      enter(key);
      const refusal = refusalOf(() => enter(key, { queue: { size: 0, timeoutMs: 1 } }));

      expect(refusal.code).toBe("weir:limit:concurrency");
      expect(refusal.message).toBe(
        "Concurrency limit of this key: 1 requests at once, and 0 more are waiting already.",
      );
      expect(refusal.facts.retryAfterSeconds).toBe(1);
      expect(roomForRequests()).toBe(99);
    });

    it("refuses after the timeout, and gives back what it had taken", async () => {
      enter(key);
      const refused = expect(waitOf(enter(key)).ticket).rejects.toMatchObject({
        code: "weir:limit:concurrency",
        message: "Concurrency limit of this key: 1 requests at once, and no place came free within 5 s.",
      });
      await vi.advanceTimersByTimeAsync(5_000);
      await refused;

      expect(policy.gate.queued).toBe(0);
      expect(roomForRequests()).toBe(99);
    });

    it("gives back once, however often a waiting request is cancelled", async () => {
      enter(key);
      enter([subject("key", { requestsPerMinute: 100 })]);
      const waiting = waitOf(enter(key));
      waiting.cancel(new Error("gone"));
      waiting.cancel(new Error("gone again"));
      await expect(waiting.ticket).rejects.toThrow("gone");
      await vi.advanceTimersByTimeAsync(10_000);

      expect(roomForRequests()).toBe(98);
    });

    it("keeps the place of one that is cancelled after it was admitted: its ticket gives it back", async () => {
      const first = ticketOf(enter(key));
      const second = waitOf(enter(key));
      policy.leave(first, 10, nowMs);
      second.cancel(new Error("too late"));
      const ticket = await second.ticket;
      expect(policy.gate.active("key_1")).toBe(1);

      policy.leave(ticket, 10, nowMs);
      expect(policy.gate.active("key_1")).toBe(0);
    });

    it("leaves no timer behind", async () => {
      const first = ticketOf(enter(key));
      const [admitted, cancelled] = [waitOf(enter(key)), waitOf(enter(key))];
      policy.leave(first, 0, nowMs);
      cancelled.cancel(new Error("gone"));
      await admitted.ticket;
      await expect(cancelled.ticket).rejects.toThrow("gone");

      expect(vi.getTimerCount()).toBe(0);
    });
  });
});
