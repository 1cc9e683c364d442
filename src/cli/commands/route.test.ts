import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { AddressList } from "../../core/address-list.ts";
import { PriceBook } from "../../ledger/prices/price-book.ts";
import { RouteTable } from "../../routing/route-table.ts";
import { Upstream } from "../../upstream/upstream.ts";
import { CliFixture } from "../testing/cli-fixture.ts";

let weir: CliFixture;
let closed = 0;
beforeEach(async () => {
  weir = await CliFixture.create();
  closed = 0;
  const prices = new PriceBook({ overrides: [], multiplier: 0.5, date: "2026-11-20" });
  const upstreams = ["main", "backup"].map((name) => upstreamNamed(name));
  const table = new RouteTable({ upstreams, models: [], includeBuiltins: true, prices });
  weir.inspect = {
    ...weir.inspect,
    routes: async () => ({
      table,
      close: async () => {
        closed += 1;
        for (const { connections } of upstreams) await connections.destroy();
      },
    }),
  };
});
afterEach(async () => weir[Symbol.asyncDispose]());

function upstreamNamed(name: string): Upstream {
  return new Upstream({
    name,
    provider: "anthropic",
    baseUrl: "https://api.example.com",
    authHeaders: {},
    extraHeaders: {},
    proxyUrl: null,
    tls: { ca: null, cert: null, key: null, serverName: null },
    connectTimeoutMs: 1000,
    headersTimeoutMs: 1000,
    idleTimeoutMs: 1000,
    allowPrivate: new AddressList([]),
    forwardUserIdentity: false,
  });
}

describe("weir route explain", () => {
  it("says what a name means, which upstreams are tried in which order and why, and the price", async () => {
    const run = await weir.run("route explain claude-sonnet-4-5-20250929");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toMatch(
      /^claude-sonnet-4-5-20250929 means claude-sonnet-4-5\n {2}1\. main: .+\n {2}2\. backup: .+\n {2}first target, USD per million tokens: input 1\.50, output 7\.50/,
    );
    expect(closed).toBe(1);
  });

  it("gives --json the targets in fields", async () => {
    expect((await weir.run("route explain claude-haiku-4-5 --json")).json()).toMatchObject({
      asked: "claude-haiku-4-5",
      model: "claude-haiku-4-5",
      targets: [
        {
          upstream: "main",
          provider: "anthropic",
          upstream_model: "claude-haiku-4-5",
          price: { origin: "list", usd_per_million_tokens: { input: "0.50" } },
        },
        { upstream: "backup" },
      ],
    });
  });

  it("given a name that nothing serves, says what was meant, with exit 2", async () => {
    const run = await weir.run("route explain claude-sonet-5");
    expect(run).toMatchObject({ exitCode: 2, err: expect.stringContaining("Did you mean claude-sonnet-5") });
    expect(closed).toBe(1);
  });
});
