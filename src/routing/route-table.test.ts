import { afterAll, describe, expect, it } from "vitest";

import { PriceBook } from "../ledger/prices/price-book.ts";
import { BUILTIN_MODELS } from "../message/models.ts";
import { testSettings } from "../upstream/testing/test-settings.ts";
import { Upstream, type UpstreamDialect } from "../upstream/upstream.ts";
import { RouteTable, type ConfiguredModel, type RouteTableOptions } from "./route-table.ts";

function upstream(name: string, dialect?: UpstreamDialect): Upstream {
  return new Upstream(testSettings({ name, ...(dialect === undefined ? {} : { dialect }) }));
}

const ANTHROPIC = upstream("anthropic");
const BEDROCK = upstream("bedrock");

afterAll(async () => {
  await Promise.all([ANTHROPIC, BEDROCK].map(({ connections }) => connections.destroy()));
});

function model(id: string, upstreamModel: Readonly<Record<string, string>> = {}): ConfiguredModel {
  return { id, label: null, description: null, upstreamModel };
}

function tableOf(given: Partial<RouteTableOptions> = {}): RouteTable {
  const prices = new PriceBook({ overrides: [], multiplier: 1, date: "2026-11-20" });
  return new RouteTable({ upstreams: [ANTHROPIC, BEDROCK], models: [], includeBuiltins: true, prices, ...given });
}

/** Upstreams and the ids that they get, in order; null when nothing serves the model. */
function targets(table: RouteTable, asked: string): string[] | null {
  return table.resolve(asked)?.targets.map((target) => `${target.upstream.name}: ${target.upstreamModel}`) ?? null;
}

describe("RouteTable.resolve", () => {
  it("tries a built-in model at every upstream, in the order of the configuration, under the name that was asked for", () => {
    expect(targets(tableOf(), "claude-opus-5")).toEqual(["anthropic: claude-opus-5", "bedrock: claude-opus-5"]);
    expect(targets(tableOf(), "claude-opus-5-20260901")?.[0]).toBe("anthropic: claude-opus-5-20260901");
  });

  it("leaves Claude Code's context suffix to itself", () => {
    expect(targets(tableOf(), "claude-opus-5[1m]")?.[0]).toBe("anthropic: claude-opus-5");
  });

  it("meters every spelling under the one name", () => {
    for (const asked of [
      "claude-opus-5",
      "CLAUDE-OPUS-5",
      "claude-opus-5@20260901",
      "us.anthropic.claude-opus-5-v1:0",
    ]) {
      expect(tableOf().resolve(asked)?.model).toBe("claude-opus-5");
    }
  });

  it("sends each upstream the id that is configured for it", () => {
    const table = tableOf({ models: [model("claude-opus-5", { bedrock: "eu.anthropic.claude-opus-5-v1:0" })] });

    expect(targets(table, "claude-opus-5")).toEqual([
      "anthropic: claude-opus-5",
      "bedrock: eu.anthropic.claude-opus-5-v1:0",
    ]);
  });

  it.each(["claude-sonnet-4-5", "claude-sonnet-4-5-20250929", "Claude-Sonnet-4-5[1m]"])(
    "finds a model that is configured under a dated id when %s is asked for",
    (asked) => {
      const table = tableOf({ models: [model("claude-sonnet-4-5-20250929", { bedrock: "arn:profile" })] });

      expect(targets(table, asked)?.[1]).toBe("bedrock: arn:profile");
      expect(table.resolve(asked)?.model).toBe("claude-sonnet-4-5-20250929");
    },
  );

  it("offers a model of the operator's own only where it is mapped, in any case", () => {
    const table = tableOf({ models: [model("Team-Summariser", { bedrock: "arn:deployment" })] });

    expect(targets(table, "team-summariser")).toEqual(["bedrock: arn:deployment"]);
    expect(targets(tableOf({ models: [model("orphan")] }), "orphan")).toBeNull();
  });

  it("does not know what is neither built in nor configured", () => {
    for (const asked of ["gpt-5", "", "claude-nonsense-9", "__proto__", "constructor"]) {
      expect(tableOf().resolve(asked)).toBeNull();
    }
  });

  it("knows a configured model by its ids at upstreams too, as clients of Bedrock name ARNs", () => {
    const table = tableOf({
      models: [model("Team-Summariser", { bedrock: "arn:aws:bedrock:eu-1:1:application-inference-profile/x" })],
    });
    expect(table.resolve("arn:aws:bedrock:eu-1:1:application-inference-profile/x")?.model).toBe("Team-Summariser");
    expect(table.resolve("arn:aws:bedrock:eu-1:1:application-inference-profile/y")).toBeNull();
  });

  it("serves only what is listed when the built-in models are off", () => {
    const table = tableOf({ models: [model("claude-opus-5")], includeBuiltins: false });

    expect(targets(table, "claude-opus-5-latest")).not.toBeNull();
    expect(targets(table, "claude-sonnet-5")).toBeNull();
  });

  it("explains every target in a line", () => {
    const table = tableOf({ models: [model("claude-opus-5", { bedrock: "arn:x" })] });

    expect(table.resolve("claude-opus-5")?.reasons).toEqual([
      "1. anthropic: listed first, serves it as claude-opus-5 (its own id), list price",
      "2. bedrock: listed second, serves it as arn:x (models[].upstream_model), list price",
    ]);
  });

  it("prices a target by what is sent there", () => {
    const overrides = [
      {
        upstream: "bedrock",
        model: "arn:x",
        rates: { input: 1, output: 1, cacheRead: 1, cacheWrite5m: 1, cacheWrite1h: 1 },
      },
    ];
    const prices = new PriceBook({ overrides, multiplier: 1, date: "2026-11-20" });
    const table = tableOf({ models: [model("claude-opus-5", { bedrock: "arn:x" })], prices });

    expect(table.resolve("claude-opus-5")?.targets.map(({ price }) => price.origin)).toEqual(["list", "override"]);
  });

  it("resolves a name once, and remembers no inventions", () => {
    const table = tableOf();

    expect(table.resolve("claude-opus-5")).toBe(table.resolve("claude-opus-5"));
    expect(table.resolve("claude-nonsense-9")).toBeNull();
  });
});

describe("rules for some models", () => {
  const haiku = { models: ["claude-haiku-*"], strategy: "cheapest", upstreams: ["bedrock", "anthropic"] } as const;

  it("put the named upstreams into their own order, and say so", () => {
    const route = tableOf({ overrides: [haiku] }).resolve("us.anthropic.claude-haiku-4-5-20251001-v1:0");

    expect(route?.targets.map((target) => target.upstream.name)).toEqual(["bedrock", "anthropic"]);
    expect(route?.plannable(null).map((target) => target.upstream)).toEqual(["bedrock", "anthropic"]);
    expect(route?.strategy).toBe("cheapest");
    expect(route?.reasons[0]).toContain("listed first (routing.overrides)");
  });

  it("keep a model from upstreams that are not named, and touch no other model", () => {
    const table = tableOf({ overrides: [{ ...haiku, strategy: null, upstreams: ["bedrock"] }] });

    expect(targets(table, "claude-haiku-5-5")).toEqual(["bedrock: claude-haiku-5-5"]);
    expect(table.resolve("claude-haiku-5-5")?.strategy).toBeNull();
    expect(targets(table, "claude-opus-5")).toHaveLength(2);
  });

  it("count by the first that names the model as it is listed", () => {
    const overrides = [
      { models: ["mine"], strategy: "round_robin", upstreams: null },
      { models: ["*"], strategy: "geographic", upstreams: null },
    ] as const;
    const table = tableOf({ models: [model("Mine", { bedrock: "arn:x" })], overrides });

    expect([table.resolve("mine")?.strategy, table.resolve("claude-opus-5")?.strategy]).toEqual([
      "round_robin",
      "geographic",
    ]);
  });
});

describe("an upstream that has built-in models under other names, or none", () => {
  const none = upstream("none", { ...testSettings().dialect, modelId: () => null });

  it("gets the models that are mapped to it, and no others", () => {
    const table = tableOf({ upstreams: [none, ANTHROPIC], models: [model("claude-opus-5", { none: "theirs" })] });

    expect(targets(table, "claude-opus-5")).toEqual(["none: theirs", "anthropic: claude-opus-5"]);
    expect(targets(table, "claude-sonnet-5")).toEqual(["anthropic: claude-sonnet-5"]);
  });

  it("does not make built-in models that nobody serves appear in the list", () => {
    const table = tableOf({ upstreams: [none], models: [model("claude-opus-5", { none: "theirs" })] });

    expect(table.listed.map(({ id }) => id)).toEqual(["claude-opus-5"]);
  });
});

describe("a route's targets as the router knows them", () => {
  it("are the same list for the same question, in all or at one upstream", () => {
    const route = tableOf().resolve("claude-opus-5");

    expect(route?.plannable(null)).toBe(route?.plannable(null));
    expect(route?.plannable("bedrock")).toBe(route?.plannable("bedrock"));
    expect(route?.plannable("bedrock").map(({ key }) => key)).toEqual(["bedrock/claude-opus-5"]);
    expect(route?.plannable("elsewhere")).toEqual([]);
    expect(route?.byKey("bedrock/claude-opus-5")?.upstream).toBe(BEDROCK);
    expect(route?.byKey("bedrock/other")).toBeNull();
  });
});

describe("RouteTable.listed", () => {
  it("shows configured models first, then the built-in ones", () => {
    const table = tableOf({ models: [{ ...model("mine"), label: "Mine", description: "For us" }] });

    expect(table.listed[0]).toEqual({ id: "mine", label: "Mine", description: "For us" });
    expect(table.listed.slice(1).map(({ id }) => id)).toEqual(BUILTIN_MODELS.map(({ id }) => id));
  });

  it("shows a model once when it is configured and built in, in whatever spelling", () => {
    const table = tableOf({ models: [model("claude-opus-5"), model("claude-sonnet-4-5-20250929")] });
    const ids = table.listed.map(({ id }) => id);

    expect(ids.filter((id) => id.startsWith("claude-opus-5"))).toEqual(["claude-opus-5", "claude-opus-5-5"]);
    expect(ids.filter((id) => id.startsWith("claude-sonnet-4-5"))).toEqual(["claude-sonnet-4-5-20250929"]);
  });

  it("shows the configured models alone when the built-in ones are off", () => {
    const table = tableOf({ models: [model("claude-opus-5")], includeBuiltins: false });

    expect(table.listed).toEqual([{ id: "claude-opus-5", label: "claude-opus-5", description: null }]);
  });
});
