import { describe, expect, it } from "vitest";

import { loadText } from "../config/testing/config-directory.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { KeyRing, type Identity } from "../identity/key-ring.ts";
import { KeyHasher, newKeySecret } from "../identity/key-secret.ts";
import { costOf } from "../ledger/prices/price-book.ts";
import { emptyUsage } from "../message/usage.ts";
import { compileSnapshot } from "./compile-snapshot.ts";

const NOW_MS = Date.UTC(2026, 10, 20);

async function compile(yaml = ""): Promise<Snapshot> {
  const loaded = await loadText(`upstreams: [{ provider: anthropic, auth: { api_key: sk-ant-x } }]\n${yaml}`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return compileSnapshot(loaded.config, [], { revision: 7, nowMs: NOW_MS });
}

/** Ada of team Core, with a key called laptop. */
function ada(): Identity {
  const hasher = new KeyHasher("pepper");
  const secret = newKeySecret("dev");
  const ring = new KeyRing(hasher);
  const [organizationId, teamId, userId] = ["org_1", "team_1", "usr_1"];
  ring.replace({
    revision: 1,
    organizations: [{ id: organizationId, name: "Acme", status: "active", timeZone: "UTC" }],
    teams: [{ id: teamId, organizationId, name: "Core", status: "active" }],
    users: [{ id: userId, organizationId, teamId, name: "Ada", email: null, status: "active" }],
    keys: [
      {
        id: "key_1",
        organizationId,
        teamId,
        userId,
        name: "laptop",
        keyClass: "dev",
        hmac: hasher.hmac(secret),
        hint: "",
        scopes: { models: [], endpoints: [], addresses: [] },
        limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
        createdAtMs: 0,
        expiresAtMs: null,
        revokedAtMs: null,
        replacesKeyId: null,
      },
    ],
    budgets: [],
  });
  return ring.authenticate(secret, 0);
}

describe("compileSnapshot", () => {
  it("carries the defaults of an empty configuration", async () => {
    const snapshot = await compile();

    expect(snapshot).toMatchObject({
      revision: 7,
      blockedMessage: null,
      requireKey: true,
      queue: { size: 100, timeoutMs: 60_000 },
      maxRequestBytes: 32 * 1024 * 1024,
      maxJsonDepth: 128,
      maxUrlLength: 8_192,
    });
    expect([snapshot.access.allow.empty, snapshot.access.deny.empty, snapshot.access.trustedProxies.empty]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it("carries what is configured", async () => {
    const snapshot = await compile(
      "limits: { max_request_bytes: 1000, max_decompressed_bytes: 2000, max_url_length: 300, max_json_depth: 9 }\n" +
        "access_control: { allow_cidrs: [192.0.2.0/24], deny_cidrs: [192.0.2.7] }\n" +
        "listen: { trusted_proxies: [10.0.0.1] }\n" +
        "admission: { queue: { size: 3, timeout_ms: 50 } }\n" +
        "timeouts: { ping_interval_ms: 1234 }\n" +
        "security: { auth: off }",
    );

    expect(snapshot).toMatchObject({
      maxRequestBytes: 1_000,
      maxDecompressedBytes: 2_000,
      maxUrlLength: 300,
      maxJsonDepth: 9,
      queue: { size: 3, timeoutMs: 50 },
      pingIntervalMs: 1_234,
      blockedMessage: null,
      requireKey: false,
    });
    expect(snapshot.access.allow.includes("192.0.2.9")).toBe(true);
    expect(snapshot.access.deny.includes("192.0.2.7")).toBe(true);
    expect(snapshot.access.trustedProxies.includes("10.0.0.1")).toBe(true);
  });

  it("prices by overrides and multiplier; one-hour writes cost what five-minute ones do unless they are named", async () => {
    const rates = "input: 2, output: 4, cache_read: 0.5, cache_write: 3";
    const { prices } = await compile(
      "pricing:\n  multiplier: 0.5\n  overrides:\n" +
        `    - { upstream: anthropic, model: claude-opus-5, ${rates} }\n` +
        `    - { upstream: anthropic, model: claude-haiku-4-5, ${rates}, cache_write_1h: 6 }\n`,
    );
    const cost = (model: string): number =>
      costOf(
        { ...emptyUsage(), cacheWrite1hTokens: 1_000_000 },
        prices.resolve({ upstream: "anthropic", upstreamModel: model, modelAsked: model, modelConfigured: null }),
      );

    expect([cost("claude-opus-5"), cost("claude-haiku-4-5"), cost("claude-haiku-5-5")]).toEqual([
      1_500_000, 3_000_000, 500_000,
    ]);
  });

  it("limits subjects by name over the defaults of their scope, and lets a name be unlimited", async () => {
    const { limits } = await compile(
      "admission:\n" +
        "  key: { requests_per_minute: 60, max_concurrent_requests: 4 }\n" +
        "  keys: { laptop: { max_concurrent_requests: unlimited, tokens_per_minute: 500 } }\n" +
        "  teams: { Core: { requests_per_minute: 9 } }\n",
    );
    const byScope = Object.fromEntries(limits.subjects(ada()).map(({ scope, limits }) => [scope, limits]));

    expect(byScope).toMatchObject({
      key: { requestsPerMinute: 60, tokensPerMinute: 500, maxConcurrent: null },
      team: { requestsPerMinute: 9, tokensPerMinute: null, maxConcurrent: null },
      user: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    });
  });

  it("lists configured models before the built-in ones, or alone", async () => {
    const models =
      "models: [{ id: house, label: House, description: Ours, upstream_model: { anthropic: claude-opus-5 } }]";

    expect((await compile(models)).routes.listed[0]).toEqual({ id: "house", label: "House", description: "Ours" });
    expect((await compile(`${models}\nauto_include_builtin_models: false`)).routes.listed).toHaveLength(1);
  });
});
