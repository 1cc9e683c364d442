import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { PriceBook } from "../../ledger/prices/price-book.ts";
import { RouteTable } from "../../routing/route-table.ts";
import { Router } from "../../routing/router.ts";
import { DEFAULT_ROUTING } from "../../routing/settings.ts";
import { testSettings } from "../../upstream/testing/test-settings.ts";
import { Upstream } from "../../upstream/upstream.ts";
import { CliFixture } from "../testing/cli-fixture.ts";
import { FakeWeir } from "../testing/fake-weir.ts";

let weir: CliFixture;
let closed = 0;
beforeEach(async () => {
  weir = await CliFixture.create();
  closed = 0;
  const prices = new PriceBook({ overrides: [], multiplier: 0.5, date: "2026-11-20" });
  const upstreams = ["main", "backup"].map((name) => new Upstream(testSettings({ name })));
  const table = new RouteTable({ upstreams, models: [], includeBuiltins: true, prices });
  const router = new Router({
    settings: DEFAULT_ROUTING,
    upstreams: ["main", "backup"],
    random: () => 0.5,
    seed: 1,
  });
  weir.inspect = {
    ...weir.inspect,
    routes: async () => ({
      table,
      router,
      close: async () => {
        closed += 1;
        for (const { connections } of upstreams) await connections.destroy();
      },
    }),
  };
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("weir route explain, by the configuration alone", () => {
  it("says what a name means, which upstreams are tried in which order and why, and the price", async () => {
    const run = await weir.run("route explain claude-sonnet-4-5-20250929");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toMatch(
      /^claude-sonnet-4-5-20250929 means claude-sonnet-4-5\nclaude-sonnet-4-5 goes to main: .+\n/,
    );
    expect(run.out).toMatch(/\n {2}1 {2}main .+\n[\s\S]*\n {2}2 {2}backup .+\n/);
    expect(run.out).toContain("\nFirst target, USD per million tokens: input 1.50, output 7.50");
    expect(run.out).toMatch(/By the configuration alone: .+\n$/);
    expect(closed).toBe(1);
  });

  it("gives --json the targets in fields", async () => {
    expect((await weir.run("route explain claude-haiku-4-5 --json")).json()).toMatchObject({
      source: "configuration",
      asked: "claude-haiku-4-5",
      model: "claude-haiku-4-5",
      strategy: "ordered",
      decided_by: "strategy",
      targets: [
        {
          place: 1,
          upstream: "main",
          provider: "anthropic",
          upstream_model: "claude-haiku-4-5",
          price: { origin: "list", usd_per_million_tokens: { input: "0.50" } },
        },
        { place: 2, upstream: "backup" },
      ],
    });
  });

  it("given a name that nothing serves, says what was meant, with exit 2", async () => {
    const run = await weir.run("route explain claude-sonet-5");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining("Did you mean claude-sonnet-5") });
    expect(closed).toBe(1);
  });

  it("wants the key of a session, and numbers of tokens", async () => {
    expect(await weir.run("route explain claude-opus-5 --session s")).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("--session needs --key"),
    });
    expect((await weir.run("route explain claude-opus-5 --tokens lots")).err).toContain("whole number");
  });
});

describe("weir route explain, beside a running Weir", () => {
  const EXPLAIN = "/v1/routing/explain";
  let running: FakeWeir;
  beforeEach(async () => {
    running = await FakeWeir.start();
    weir.inspect = { ...weir.inspect, runningAdmin: async () => running.url };
    running.answers[EXPLAIN] = {
      status: 200,
      body: { asked: "claude-opus-5", model: "claude-opus-5", targets: [{ upstream: "b" }], text: ["goes to b"] },
    };
  });
  afterEach(async () => running[Symbol.asyncDispose]());

  it("shows what that one says, which knows health and sessions", async () => {
    const run = await weir.run(
      "route explain claude-opus-5 --key key_1 --session s --region eu-west-1 --tokens 9 --output-tokens 5",
    );
    expect(run.out).toBe(`goes to b\n\nAs the Weir sees it whose admin port is ${running.url}.\n`);
    expect(running.asked.map(({ url }) => url)).toEqual([
      `${EXPLAIN}?model=claude-opus-5&key=key_1&session=s&region=eu-west-1&tokens=9&output_tokens=5`,
    ]);
    expect((await weir.run("route explain claude-opus-5 --json")).json()).toEqual({
      source: "running",
      asked: "claude-opus-5",
      model: "claude-opus-5",
      targets: [{ upstream: "b" }],
    });
    expect(closed).toBe(0);
  });

  it("knows its models", async () => {
    running.answers[EXPLAIN] = { status: 404, body: { error: "no upstream", listed: ["claude-sonnet-5"] } };
    const run = await weir.run("route explain claude-sonet-5");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining("Did you mean claude-sonnet-5") });
  });

  it.each([
    ["something else answers there", { status: 200, body: "hello" }],
    ["it is of a version that does not have this", { status: 404, body: { error: "no such page" } }],
  ])("goes by the configuration when %s", async (_, answer) => {
    running.answers[EXPLAIN] = answer;
    expect((await weir.run("route explain claude-opus-5 --json")).json()).toMatchObject({ source: "configuration" });
  });

  it("goes by the configuration when it is told to, or nobody is there", async () => {
    expect((await weir.run("route explain claude-opus-5 --offline")).out).toContain("By the configuration alone");
    expect(running.asked).toEqual([]);
    await running[Symbol.asyncDispose]();
    expect((await weir.run("route explain claude-opus-5")).out).toContain("By the configuration alone");
  });
});
