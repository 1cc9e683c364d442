import { describe, expect, it } from "vitest";

import type { FaultRule } from "./fault.ts";
import { FaultRules, statusError } from "./fault-rules.ts";

const overloaded = { kind: "status", status: 529 } as const;
const limited = { kind: "status", status: 429 } as const;

function hits(rules: readonly FaultRule[], requests: number, seed = "seed"): readonly boolean[] {
  const faults = new FaultRules(rules, seed);
  return Array.from({ length: requests }, () => faults.next("claude-sonnet-5-5") !== null);
}

describe("FaultRules", () => {
  it("hits every request without a condition and none without a rule", () => {
    expect(hits([{ fault: overloaded }], 3)).toEqual([true, true, true]);
    expect(hits([], 2)).toEqual([false, false]);
  });

  it("hits every nth request", () => {
    expect(hits([{ fault: overloaded, everyNth: 3 }], 7)).toEqual([false, false, true, false, false, true, false]);
  });

  it("hits about the given share, the same requests for the same seed, others for another", () => {
    const share = hits([{ fault: overloaded, probability: 0.2 }], 2_000);
    const count = share.filter(Boolean).length;
    expect(count).toBeGreaterThan(320);
    expect(count).toBeLessThan(480);
    expect(hits([{ fault: overloaded, probability: 0.2 }], 2_000)).toEqual(share);
    expect(hits([{ fault: overloaded, probability: 0.2 }], 2_000, "other")).not.toEqual(share);
  });

  it("hits only the model it names", () => {
    const faults = new FaultRules([{ fault: overloaded, model: "haiku" }], "seed");
    expect(faults.next("claude-sonnet-5-5")).toBeNull();
    expect(faults.next("claude-haiku-5-5")).toEqual(overloaded);
  });

  it("takes the first rule that applies and keeps the rhythm of the others", () => {
    const faults = new FaultRules(
      [
        { fault: overloaded, everyNth: 2 },
        { fault: limited, everyNth: 3 },
      ],
      "seed",
    );
    const seen = Array.from({ length: 6 }, () => faults.next("m"));
    expect(seen).toEqual([null, overloaded, limited, overloaded, null, overloaded]);
  });

  it.each<[FaultRule, RegExp]>([
    [{ fault: overloaded, everyNth: 0 }, /fault 0: everyNth must be a whole number from 1, not 0/],
    [{ fault: overloaded, probability: 2 }, /fault 0: probability must be between 0 and 1, not 2/],
    [{ fault: { kind: "status", status: 200 } }, /fault 0: status must be an HTTP error status/],
  ])("refuses the rule %j", (rule, message) => {
    expect(() => new FaultRules([rule], "seed")).toThrow(message);
  });
});

describe("statusError", () => {
  it.each([
    [401, "authentication_error", "invalid x-api-key"],
    [404, "not_found_error", "model: m"],
    [500, "api_error", "Internal server error"],
    [503, "api_error", "Service unavailable"],
    [504, "timeout_error", "Request timed out"],
    [529, "overloaded_error", "Overloaded"],
  ])("words %i as %s", (status, type, message) => {
    expect(statusError(status, "m")).toMatchObject({ status, type, message });
  });

  it("carries retry-after in seconds", () => {
    expect(statusError(429, "m", 7)).toMatchObject({ type: "rate_limit_error", headers: { "retry-after": "7" } });
  });
});
