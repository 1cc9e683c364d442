import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../core/clock.ts";
import { PriceBook } from "../ledger/prices/price-book.ts";
import { emptyUsage } from "../message/usage.ts";
import { RouteTable } from "../routing/route-table.ts";
import { Router } from "../routing/router.ts";
import { OverloadGate } from "../routing/overload/overload-gate.ts";
import { DEFAULT_OVERLOAD, DEFAULT_ROUTING } from "../routing/settings.ts";
import { MetricsPage } from "../telemetry/metrics/process-metrics.ts";
import type { CredentialSource } from "../upstream/credentials/credential.ts";
import { testSettings } from "../upstream/testing/test-settings.ts";
import { Upstream } from "../upstream/upstream.ts";
import { AdminServer } from "./admin-server.ts";
import { routingGauges } from "./routing-gauges.ts";
import { RoutingPages } from "./routing-pages.ts";

const NOON_MS = Date.parse("2026-11-20T12:00:00Z");
const HEALTH = { failures: () => [], describeInFull: () => ({}) };

let clock: ManualClock;
let upstreams: Upstream[];
let router: Router;
let table: RouteTable;
let admin: AdminServer;
beforeEach(async () => {
  clock = new ManualClock(NOON_MS);
  const credential: CredentialSource = {
    name: "credential",
    betas: [],
    start: async () => {},
    stop: async () => {},
    headers: () => [],
    invalidate: () => {},
    status: () => ({
      state: "ready",
      obtainedAtMs: NOON_MS,
      expiresAtMs: NOON_MS + 90_500,
      nextAttemptAtMs: null,
      failure: null,
    }),
  };
  upstreams = [new Upstream(testSettings({ name: "a", credential })), new Upstream(testSettings({ name: "b" }))];
  router = new Router({ settings: DEFAULT_ROUTING, upstreams: ["a", "b"], random: () => 0.5, seed: 1 });
  const prices = new PriceBook({ overrides: [], multiplier: 0.5, date: "2026-11-20" });
  table = new RouteTable({ upstreams, models: [], includeBuiltins: true, prices });
  const overload = new OverloadGate(DEFAULT_OVERLOAD, () => 0.5);
  admin = new AdminServer(
    { host: "127.0.0.1", port: 0 },
    {
      metrics: new MetricsPage([], routingGauges({ router, clock, upstreams: () => upstreams })),
      health: HEALTH,
      routing: new RoutingPages({ router, clock, overload, routes: () => table }),
    },
  );
  await admin.start();
});
afterEach(async () => {
  await admin.stop();
  await Promise.all(upstreams.map(({ connections }) => connections.destroy()));
});

async function get(path: string): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`http://127.0.0.1:${admin.address.port}${path}`);
  // What these pages say is an object.
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

/** A plan for a model and its first target. */
function plan(session: string | null = null) {
  const targets = table.resolve("claude-opus-5")?.plannable(null) ?? [];
  const made = router.plan({
    model: "claude-opus-5",
    targets,
    sessionScope: "key_1",
    session,
    clientRegion: null,
    expectedInputTokens: 100,
    expectedOutputTokens: 100,
    urgency: "interactive",
    nowMs: clock.monotonicMs(),
  });
  const [first, second] = made.targets;
  if (first === undefined || second === undefined) throw new Error("there are two targets");
  return { plan: made, first, second };
}

/** Opens the circuit of the first upstream. */
function breakFirst(): void {
  const { first } = plan();
  for (let i = 0; i < DEFAULT_ROUTING.health.consecutive.connect; i++) {
    const attempt = router.begun(first, clock.monotonicMs());
    router.ended(attempt, { kind: "connect_error", detail: "ECONNREFUSED" }, clock.monotonicMs());
  }
}

describe("GET /v1/routing on the admin port", () => {
  it("says all that is known of upstreams and targets, in times of the wall clock", async () => {
    clock.advance(1_000);
    breakFirst();
    const { status, body } = await get("/v1/routing");

    expect(status).toBe(200);
    expect(body).toMatchObject({
      upstreams: [
        { name: "a", health: "unhealthy", circuit: "open", since_ms: NOON_MS + 1_000, in_flight: 0 },
        { name: "b", health: "healthy", circuit: "closed", since_ms: null },
      ],
      targets: [{ key: "a/claude-opus-5", upstream_model: "claude-opus-5", circuit: "open" }, {}],
      failover: null,
    });
  });
});

describe("GET /v1/routing/explain on the admin port", () => {
  it("says where a request would go now, and why", async () => {
    breakFirst();
    const { status, body } = await get("/v1/routing/explain?model=claude-opus-5-20260901");

    expect(status).toBe(200);
    expect(body).toMatchObject({
      asked: "claude-opus-5-20260901",
      model: "claude-opus-5",
      strategy: "ordered",
      targets: [
        { place: 1, upstream: "b", provider: "anthropic", price: { origin: "list" } },
        { place: 2, upstream: "a", use: "last_resort", standing: "open" },
      ],
    });
    expect((body["text"] as string[]).join("\n")).toMatch(
      /means claude-opus-5\n[\s\S]*circuit open[\s\S]*USD per million/,
    );
  });

  it("finds a key's session where its prompt cache is warm, and no other key's", async () => {
    const { plan: made, second } = plan("s");
    router.served(made, second, { ...emptyUsage(), cacheWrite5mTokens: 50_000 }, clock.monotonicMs());

    expect((await get("/v1/routing/explain?model=claude-opus-5&session=s&key=key_1")).body).toMatchObject({
      affinity: { reason: "warm", warm_target: "b/claude-opus-5", warm_tokens: 50_000 },
      targets: [{ upstream: "b" }, { upstream: "a" }],
    });
    expect((await get("/v1/routing/explain?model=claude-opus-5&session=s&key=key_2")).body).toMatchObject({
      affinity: { warm_target: null },
      targets: [{ upstream: "a" }, { upstream: "b" }],
    });
  });

  it.each([
    ["?model=gpt-5", 404, { error: 'no upstream serves "gpt-5"', listed: expect.arrayContaining(["claude-opus-5"]) }],
    ["", 400, { error: expect.stringContaining("say which model") }],
    ["?model=claude-opus-5&tokens=many", 400, { error: expect.stringContaining("whole number") }],
  ])("refuses %j with %i", async (query, status, body) => {
    expect(await get(`/v1/routing/explain${query}`)).toEqual({ status, body });
  });
});

describe("the gauges of routing", () => {
  it("show health, circuit, load and the life of credentials, by upstream", async () => {
    const { second } = plan();
    breakFirst();
    router.begun(second, clock.monotonicMs());
    clock.advance(500);
    const page = await (await fetch(`http://127.0.0.1:${admin.address.port}/metrics`)).text();

    expect(page.split("\n").filter((line) => /^weir_\w+\{/.test(line))).toEqual([
      'weir_upstream_health{upstream="a"} 2',
      'weir_upstream_health{upstream="b"} 0',
      'weir_upstream_circuit{upstream="a"} 2',
      'weir_upstream_circuit{upstream="b"} 0',
      'weir_upstream_in_flight{upstream="a"} 0',
      'weir_upstream_in_flight{upstream="b"} 1',
      'weir_credential_valid{upstream="a"} 1',
      'weir_credential_valid{upstream="b"} 1',
      'weir_credential_expiry_seconds{upstream="a"} 90',
    ]);
  });
});
