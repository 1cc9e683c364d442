import { describe, expect, it } from "vitest";

import type { Trace } from "../arrival/trace.ts";
import { closedLoad, testPlan } from "../testing/test-plan.ts";
import { checkPlan } from "./check-plan.ts";
import type { TraceLoad } from "./load-plan.ts";

const HERE = "http://127.0.0.1:1";

function traced(trace: Trace, changes: Partial<TraceLoad> = {}): TraceLoad {
  return { kind: "trace", trace, speed: 1, scale: 1, fromMs: 0, limit: null, durationMs: null, ...changes };
}

const busy: Trace = {
  kind: "rates",
  name: "t",
  clients: [""],
  rows: [{ fromMs: 0, perSecond: [800] }],
  endMs: 3_600_000,
};

describe("a plan", () => {
  it("is fine when it ends, stays within its caps and loads this machine", () => {
    expect(() => checkPlan(testPlan(HERE))).not.toThrow();
  });

  it("is refused beyond this machine, whoever calls, unless the host is confirmed", () => {
    const there = testPlan("https://gateway.example.com");
    expect(() => checkPlan(there)).toThrow(expect.objectContaining({ kind: "refused" }));
    expect(() => checkPlan({ ...there, confirmedHost: "gateway.example.com" })).not.toThrow();
  });

  it("is refused when nothing ends it", () => {
    expect(() => checkPlan(testPlan(HERE, { load: closedLoad({ requestsPerUser: null, durationMs: null }) }))).toThrow(
      /nothing ends/,
    );
  });

  it("is refused when its rate passes the cap, and not when it equals it", () => {
    const load = { kind: "rate", requestsPerSecond: 100, arrival: "constant", durationMs: 1000, rampMs: 0 } as const;
    expect(() => checkPlan(testPlan(HERE, { load, limits: { maxRequestsPerSecond: 99 } }))).toThrow(
      /peaks at 100 requests\/s, above the cap of 99/,
    );
    expect(() => checkPlan(testPlan(HERE, { load, limits: { maxRequestsPerSecond: 100 } }))).not.toThrow();
  });

  it("is refused when a trace peaks above the cap at the chosen speed", () => {
    const within = { limits: { maxRequestsPerSecond: 1000 } };
    expect(() => checkPlan(testPlan(HERE, { load: traced(busy, { limit: 10 }), ...within }))).not.toThrow();
    expect(() => checkPlan(testPlan(HERE, { load: traced(busy, { limit: 10, speed: 2 }), ...within }))).toThrow(
      /peaks at 1,600/,
    );
  });

  it("is refused when a whole trace would be millions of requests that nobody bounded", () => {
    expect(() => checkPlan(testPlan(HERE, { load: traced(busy) }))).toThrow(/about 2,880,000 requests in 1.0 h/);
    expect(() => checkPlan(testPlan(HERE, { load: traced(busy, { durationMs: 1000 }) }))).not.toThrow();
  });

  it("is refused when the chosen part of a trace is empty", () => {
    expect(() => checkPlan(testPlan(HERE, { load: traced(busy, { fromMs: 3_600_000 }) }))).toThrow(
      /no requests in the chosen part/,
    );
  });

  it("is refused when a body is smaller than an agent's request can be, or absurdly large", () => {
    const sized = (bytes: number): ReturnType<typeof testPlan> =>
      testPlan(HERE, { request: { body: { label: "", sizes: [{ bytes, weight: 1 }] } } });
    expect(() => checkPlan(sized(2047))).toThrow(/--body: 2047 bytes/);
    expect(() => checkPlan(sized(2048))).not.toThrow();
    expect(() => checkPlan(sized(100_000_000))).toThrow(/--body/);
  });
});
