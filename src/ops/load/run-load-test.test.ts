import { afterEach, describe, expect, it } from "vitest";

import type { Trace } from "./arrival/trace.ts";
import { loadReportSchema } from "./report/load-report.ts";
import { runLoadTest } from "./run-load-test.ts";
import { FakeMessagesServer, type Arrived, type Behaviour } from "./testing/fake-messages-server.ts";
import { closedLoad, testPlan } from "./testing/test-plan.ts";

const servers: FakeMessagesServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function serve(behave?: (request: Arrived) => Behaviour): Promise<FakeMessagesServer> {
  const server = await FakeMessagesServer.start(behave);
  servers.push(server);
  return server;
}

/** Resolves once the server has seen so many requests. */
async function arrived(server: FakeMessagesServer, count: number): Promise<void> {
  while (server.arrived.length < count) await new Promise(setImmediate);
}

describe("a closed load", () => {
  it("sends exactly the requests of its users and reports every one of them", async () => {
    const server = await serve();
    const report = await runLoadTest(testPlan(server.url, { load: closedLoad({ users: 4, requestsPerUser: 25 }) }));
    expect(server.arrived).toHaveLength(100);
    expect(loadReportSchema.parse(report)).toEqual(report);
    expect(report.totals).toMatchObject({ due: 100, ok: 100, failed: 0, unfinished: 0, late: 0, outputTokens: 300 });
    expect(report.distributions.latency?.count).toBe(100);
    expect(report.distributions.ttft?.count).toBe(100);
    expect(report.distributions.gap?.count).toBe(200);
    expect(report.seconds.reduce((sum, { ok }) => sum + ok, 0)).toBe(100);
    expect(report.throughput.okPerSecond).toBeCloseTo(100 / (report.windowMs / 1000), 0);
    expect([report.partial, report.errorRate, report.errors]).toEqual([null, 0, []]);
    expect(server.connections).toBeLessThanOrEqual(4);
  });

  it("sends the same bodies again for the same seed and salt, and all different within a run", async () => {
    const server = await serve();
    const plan = testPlan(server.url, { load: closedLoad({ users: 2, requestsPerUser: 10 }) });
    await runLoadTest(plan);
    await runLoadTest(plan);
    const bodies = server.arrived.map(({ text }) => text);
    expect(new Set(bodies.slice(0, 20)).size).toBe(20);
    expect(new Set(bodies.slice(20))).toEqual(new Set(bodies.slice(0, 20)));
    await runLoadTest({ ...plan, salt: "another" });
    expect(server.arrived.slice(40).some(({ text }) => bodies.includes(text))).toBe(false);
  });

  it("leaves its warm-up out of the figures", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 5 }));
    const load = closedLoad({ users: 2, requestsPerUser: 3 });
    const report = await runLoadTest(testPlan(server.url, { load, plan: { warmupMs: 200 } }));
    expect(report.totals.ok).toBe(6);
    expect(report.totals.warmup).toBeGreaterThan(0);
    expect(server.arrived).toHaveLength(6 + report.totals.warmup);
  });

  it("tells failures apart by kind and counts each, without a share in the latencies", async () => {
    const behaviours: readonly Behaviour[] = [
      { kind: "answer" },
      { kind: "status", status: 529, type: "overloaded_error", message: "busy" },
      { kind: "cut", afterDeltas: 1, broken: false },
      { kind: "error_event", type: "api_error", message: "inner" },
      { kind: "reset" },
    ];
    const server = await serve(({ number }) => behaviours[number % 5]!);
    const report = await runLoadTest(testPlan(server.url, { load: closedLoad({ users: 1, requestsPerUser: 50 }) }));
    expect(report.totals).toMatchObject({ ok: 10, failed: 40 });
    expect(report.errorRate).toBe(0.8);
    expect(report.distributions.latency?.count).toBe(10);
    expect(report.distributions.failed?.count).toBe(40);
    expect(
      report.errors.map(({ kind, count }) => [kind, count]).sort((a, b) => String(a).localeCompare(String(b))),
    ).toEqual([
      ["cut", 10],
      ["http", 10],
      ["reset", 10],
      ["stream_error", 10],
    ]);
    expect(report.statuses).toEqual({ "200": 30, "529": 10 });
  });

  it("ends with its duration, lets the last answers come, and takes the throughput from the duration alone", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 150 }));
    const load = closedLoad({ users: 3, requestsPerUser: null, durationMs: 400 });
    const report = await runLoadTest(testPlan(server.url, { load }));
    expect(report.windowMs).toBe(400);
    expect(report.totals.ok).toBe(server.arrived.length);
    expect(report.throughput.okPerSecond).toBeLessThan(report.totals.ok / 0.4);
    expect(report.totals.unfinished).toBe(0);
  });

  it("gives up on answers that do not come within the drain, and says how many", async () => {
    const server = await serve(() => ({ kind: "silence" }));
    const load = closedLoad({ users: 3, requestsPerUser: null, durationMs: 100 });
    const report = await runLoadTest(testPlan(server.url, { load, limits: { drainMs: 50 } }));
    expect(report.totals).toMatchObject({ due: 3, ok: 0, failed: 0, unfinished: 3 });
    expect(report.warnings.join()).toMatch(/3 requests had not ended/);
  });
});

describe("an open load", () => {
  it("sends its requests at their rate although the target is stuck, and measures their waiting", async () => {
    const server = await serve(({ number }) => ({ kind: "answer", firstMs: number === 0 ? 300 : 0 }));
    const load = { kind: "rate", requestsPerSecond: 100, arrival: "constant", durationMs: 500, rampMs: 0 } as const;
    const report = await runLoadTest(testPlan(server.url, { load, limits: { maxInFlight: 1 } }));
    expect(report.totals).toMatchObject({ due: 50, ok: 50 });
    // One connection was busy for 300 ms, so about thirty requests were late; a closed load would have sent none of them.
    expect(report.totals.late).toBeGreaterThan(20);
    expect(report.distributions.latency?.p50).toBeGreaterThan(report.distributions.service?.p50 ?? Infinity);
    expect(report.warnings.join()).toMatch(/--max-in-flight/);
  });

  it("replays a trace with its sizes, answers' lengths and order", async () => {
    const server = await serve();
    const trace: Trace = {
      kind: "requests",
      name: "t.csv",
      requests: [500, 5000, 20_000].map((inputTokens, i) => ({
        offsetMs: i * 500,
        inputTokens,
        outputTokens: i + 1,
        sharedPrefix: 0.5,
      })),
    };
    const load = { kind: "trace", trace, speed: 10, scale: 1, fromMs: 0, limit: null, durationMs: null } as const;
    const report = await runLoadTest(testPlan(server.url, { load }));
    expect(report.totals.ok).toBe(3);
    expect(server.arrived.map(({ body }) => body.max_tokens)).toEqual([1, 2, 3]);
    const bytes = server.arrived.map((request) => request.bytes);
    for (const [i, tokens] of [512, 5000, 20_000].entries())
      expect(Math.abs(bytes[i]! / (tokens * 4) - 1)).toBeLessThan(0.1);
    expect(report.plan.load).toMatchObject({ kind: "trace", trace: "t.csv", expectedRequests: 3 });
  });
});

describe("several load threads", () => {
  it("share the load and report it as one", async () => {
    const server = await serve();
    const load = closedLoad({ users: 5, requestsPerUser: 20 });
    const plan = testPlan(server.url, { load, plan: { threads: 2 } });
    const report = await runLoadTest(plan);
    expect(report.totals).toMatchObject({ due: 100, ok: 100 });
    expect(report.distributions.latency?.count).toBe(100);
    const sent = new Set(server.arrived.map(({ text }) => text));
    await runLoadTest({ ...plan, threads: 1 });
    expect(new Set(server.arrived.slice(100).map(({ text }) => text))).toEqual(sent);
  });

  it("send each arrival of an open load once", async () => {
    const server = await serve();
    const load = { kind: "rate", requestsPerSecond: 200, arrival: "poisson", durationMs: 300, rampMs: 0 } as const;
    const report = await runLoadTest(testPlan(server.url, { load, plan: { threads: 3 } }));
    expect(report.totals.ok).toBe(server.arrived.length);
    expect(new Set(server.arrived.map(({ text }) => text)).size).toBe(server.arrived.length);
    const alone = await runLoadTest(testPlan(server.url, { load }));
    expect(alone.totals.ok).toBe(report.totals.ok);
  });

  it("stop when they are told to", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 5 }));
    const ending = new AbortController();
    const load = closedLoad({ users: 4, requestsPerUser: null, durationMs: 60_000 });
    const running = runLoadTest(testPlan(server.url, { load, plan: { threads: 2 } }), { signal: ending.signal });
    await arrived(server, 20);
    ending.abort();
    const report = await running;
    expect(report.partial?.reason).toBe("interrupted");
    expect(report.totals.ok).toBe(server.arrived.length);
  });
});

describe("a run that ends early", () => {
  it("on request sends no more, waits for what is in flight and is marked as partial", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 20 }));
    const ending = new AbortController();
    const load = { kind: "rate", requestsPerSecond: 500, arrival: "constant", durationMs: 60_000, rampMs: 0 } as const;
    const running = runLoadTest(testPlan(server.url, { load, limits: { maxInFlight: 4 } }), { signal: ending.signal });
    await arrived(server, 20);
    ending.abort();
    const report = await running;
    expect(report.partial?.reason).toBe("interrupted");
    expect(report.partial?.atMs).toBeLessThan(60_000);
    expect(report.windowMs).toBeCloseTo(report.partial?.atMs ?? -1, 0);
    expect(report.totals.ok).toBe(server.arrived.length);
    expect(report.totals.ok + report.totals.unfinished).toBe(report.totals.due);
    expect(report.warnings[0]).toMatch(/partial/);
  });

  it("after too many errors says so", async () => {
    const server = await serve(() => ({ kind: "status", status: 500, type: "api_error" }));
    const load = closedLoad({ users: 2, requestsPerUser: null, durationMs: 60_000 });
    const report = await runLoadTest(testPlan(server.url, { load, limits: { maxErrors: 10 } }));
    expect(report.partial?.reason).toBe("too_many_errors");
    expect(report.totals.failed).toBeGreaterThanOrEqual(10);
  });

  it("before it began reports nothing but that", async () => {
    const server = await serve();
    const report = await runLoadTest(testPlan(server.url, { plan: { preflight: true } }), {
      signal: AbortSignal.abort(),
    });
    expect(report).toMatchObject({ partial: { reason: "interrupted" }, totals: { ok: 0 } });
    expect(server.arrived).toHaveLength(0);
  });
});

describe("before a run", () => {
  it("a foreign target is refused by the library itself, without a single request", async () => {
    await expect(runLoadTest(testPlan("http://198.51.100.7"))).rejects.toMatchObject({ kind: "refused" });
  });

  it.each<[string, Behaviour, RegExp]>([
    [
      "a wrong key",
      { kind: "status", status: 401, type: "authentication_error", message: "bad key" },
      /refused: 401 authentication_error: bad key/,
    ],
    ["a wrong path", { kind: "status", status: 404, type: "not_found_error" }, /404/],
    ["something else than a Messages endpoint", { kind: "text", text: "<html>" }, /no Messages endpoint/],
    ["a server that hangs up", { kind: "reset" }, /does not answer/],
  ])("one request finds %s", async (_, behaviour, message) => {
    const server = await serve(() => behaviour);
    await expect(runLoadTest(testPlan(server.url, { plan: { preflight: true } }))).rejects.toMatchObject({
      kind: "unreachable",
      message: expect.stringMatching(message),
    });
    expect(server.arrived).toHaveLength(1);
  });

  it("a target that is merely overloaded is measured all the same", async () => {
    const server = await serve(({ number }) =>
      number === 0 ? { kind: "status", status: 529, type: "overloaded_error" } : { kind: "answer" },
    );
    const report = await runLoadTest(testPlan(server.url, { plan: { preflight: true } }));
    expect(report.totals).toMatchObject({ ok: 10, failed: 0 });
  });
});

describe("what a run tells while and after it runs", () => {
  it("is its progress, from none to all", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 10 }));
    const seen: number[] = [];
    const load = closedLoad({ users: 2, requestsPerUser: 30 });
    const report = await runLoadTest(testPlan(server.url, { load }), {
      onProgress: ({ fraction }) => seen.push(fraction),
    });
    expect(report.totals.ok).toBe(60);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen.at(-1)).toBe(1);
    expect(seen.length).toBeGreaterThan(1);
  });

  it("holds no key and no header value, although the server repeats both", async () => {
    const canary = "wr-test-canary-4711";
    const server = await serve(({ headers, number }) =>
      number % 2 === 0
        ? {
            kind: "status",
            status: 403,
            type: String(headers["x-api-key"]),
            message: `${String(headers["x-api-key"])} ${String(headers["x-team"])}`,
          }
        : { kind: "error_event", type: String(headers["x-team"]), message: String(headers["x-api-key"]) },
    );
    const progress: unknown[] = [];
    const plan = testPlan(server.url, {
      secrets: { keys: [canary], headers: { "x-team": "header-canary-0815" } },
    });
    const report = await runLoadTest(
      { ...plan, url: `${plan.url}?token=query-canary` },
      { onProgress: (state) => progress.push(state) },
    );
    expect(report.totals.failed).toBe(10);
    expect(server.arrived[0]?.headers["x-api-key"]).toBe(canary);
    expect(JSON.stringify([report, progress])).not.toContain("canary");
    expect(report.plan).toMatchObject({ keys: 1, headerNames: ["x-team"] });
  });
});
