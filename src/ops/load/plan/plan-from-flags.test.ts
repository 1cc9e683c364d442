import { describe, expect, it } from "vitest";

import type { Trace } from "../arrival/trace.ts";
import { planFromFlags, type BenchFlags } from "./plan-from-flags.ts";

const flags: BenchFlags = {
  url: "http://127.0.0.1:8080",
  model: "claude-test",
  maxTokens: "64",
  body: "2k",
  sharedPrefix: "1",
  warmup: "1s",
  timeout: "5m",
  drain: "30s",
  keepAlive: true,
  threads: "1",
  seed: "1",
  preflight: true,
};
const secrets = { keys: [], keyHeader: "x-api-key", headers: {}, caPem: null } as const;
const trace: Trace = {
  kind: "requests",
  name: "t.csv",
  requests: [{ offsetMs: 0, inputTokens: 1, outputTokens: 1, sharedPrefix: null }],
};

const plan = (changes: Partial<BenchFlags> = {}, given: Trace | null = null): ReturnType<typeof planFromFlags> =>
  planFromFlags({ ...flags, ...changes }, { trace: given, secrets, salt: "s" });

describe("the options of weir bench", () => {
  it("without a choice are ten users with twenty requests each, streaming, with a warm-up", () => {
    expect(plan()).toMatchObject({
      url: "http://127.0.0.1:8080/v1/messages",
      load: { kind: "closed", users: 10, requestsPerUser: 20, durationMs: null },
      warmupMs: 1000,
      request: { stream: true },
      limits: { maxInFlight: 10, timeoutMs: 300_000 },
      preflight: true,
    });
  });

  it("with a duration alone let the users go on until it ends; with both, what comes first", () => {
    expect(plan({ duration: "1m" }).load).toMatchObject({ requestsPerUser: null, durationMs: 60_000 });
    expect(plan({ duration: "1m", requests: "7" }).load).toMatchObject({ requestsPerUser: 7, durationMs: 60_000 });
  });

  it("read a think time as one value or a span", () => {
    expect(plan({ think: "2s" }).load).toMatchObject({ thinkMinMs: 2000, thinkMaxMs: 2000 });
    expect(plan({ think: "1s-5s" }).load).toMatchObject({ thinkMinMs: 1000, thinkMaxMs: 5000 });
    expect(() => plan({ think: "5s-1s" })).toThrow(/--think/);
  });

  it("with a rate are an open load that needs an end", () => {
    expect(plan({ rate: "50", duration: "10s", arrival: "poisson" }).load).toEqual({
      kind: "rate",
      requestsPerSecond: 50,
      arrival: "poisson",
      durationMs: 10_000,
      rampMs: 0,
    });
    expect(plan({ rate: "50/s", duration: "10s" }).limits.maxInFlight).toBe(1000);
    expect(() => plan({ rate: "50" })).toThrow(/--rate needs an end/);
    expect(() => plan({ rate: "50", duration: "1s", arrival: "normal" })).toThrow(/--arrival/);
  });

  it("with a trace replay it", () => {
    expect(plan({ speed: "10", limit: "5", traceFrom: "1m" }, trace).load).toMatchObject({
      kind: "trace",
      speed: 10,
      limit: 5,
      fromMs: 60_000,
    });
    expect(() => plan({ scale: "2" }, trace)).toThrow(/can only be thinned/);
  });

  it.each([
    [{ users: "5", rate: "5", duration: "1s" }, null, /--users works only with a closed load/],
    [{ speed: "2" }, null, /--speed works only with --trace/],
    [{ arrival: "poisson" }, null, /--arrival works only with --rate/],
    [{ traceFrom: "2s" }, null, /--trace-from works only with --trace/],
    [{ requests: "5" }, trace, /--requests works only with a closed load/],
    [{ rate: "5", duration: "1s" }, trace, /--rate and --trace exclude each other/],
    [{ ramp: "5s" }, trace, /--ramp does not work with --trace/],
    [{ sharedPrefix: "1.5" }, null, /--shared-prefix/],
    [{ timeout: "0" }, null, /--timeout/],
    [{ body: "2k,huge" }, null, /--body/],
  ] as const)("that contradict each other are refused by name: %j", (changes, given, message) => {
    expect(() => plan(changes, given)).toThrow(message);
  });

  it("cap the rate gently beyond this machine, unless the user sets the cap", () => {
    expect(plan().limits.maxRequestsPerSecond).toBe(50_000);
    expect(plan({ url: "https://gateway.example.com" }).limits.maxRequestsPerSecond).toBe(50);
    expect(plan({ url: "https://gateway.example.com", maxRate: "200" }).limits.maxRequestsPerSecond).toBe(200);
  });
});
