import { describe, expect, it } from "vitest";

import type { Diagnostic } from "./diagnostic.ts";
import { PROFILE_NAMES, type ProfileName } from "./schema.ts";
import { loadText } from "./testing/config-directory.ts";

/** The settings of a sound production start, as overrides; each test spoils one. */
const SOUND = {
  listen: { host: "0.0.0.0", public_url: "https://weir.example.com", trusted_proxies: ["10.0.0.0/8"] },
  store: { postgres_url: "postgres://db.example.com/weir", username: "weir", password: "Kf8-Zq2-Lm5-Xw9" },
  upstreams: [{ provider: "anthropic", auth: { api_key: "sk-ant-api03-b8Q2x7Lm5Zk9" } }],
  security: { key_pepper: "qL7c0Vh2mR9xT4wB8nK1sZ6yD3fG5jP0" },
};

/** What is said of a sound start in which one thing is spoilt. */
async function verdict(profile: ProfileName, spoilt: object): Promise<readonly Diagnostic[]> {
  const result = await loadText(`profile: ${profile}\n`, { overrides: { ...SOUND, ...spoilt } });
  return result.ok ? result.warnings : result.diagnostics;
}

const codesOf = (found: readonly Diagnostic[], severity: Diagnostic["severity"]) =>
  found.filter((one) => one.severity === severity).map(({ code, path }) => `${code} ${path}`);

describe("a sound start", () => {
  it.each(PROFILE_NAMES)("has nothing to complain about in %s", async (profile) => {
    expect(await verdict(profile, {})).toEqual([]);
  });

  it("may terminate TLS at a proxy or have no password in its URL (certificates, trust by network)", async () => {
    expect(await verdict("prod", { store: { postgres_url: "postgres://weir@db.example.com/weir" } })).toEqual([]);
  });
});

const WEAK: readonly [string, object, string][] = [
  [
    "a public bind without TLS or proxy",
    { listen: { ...SOUND.listen, trusted_proxies: [] } },
    "public_bind_without_tls listen.host",
  ],
  [
    "every proxy trusted",
    { listen: { ...SOUND.listen, trusted_proxies: ["0.0.0.0/0"] } },
    "every_proxy_trusted listen.trusted_proxies[0]",
  ],
  [
    "every proxy trusted, by a half that is spelled as a range",
    { listen: { ...SOUND.listen, trusted_proxies: ["10.0.0.0/8", "128.0.0.0/1"] } },
    "every_proxy_trusted listen.trusted_proxies[1]",
  ],
  [
    "a placeholder as API key",
    { upstreams: [{ provider: "anthropic", auth: { api_key: "your-api-key" } }] },
    "weak_secret upstreams[0].auth.api_key",
  ],
  [
    "a short OAuth token",
    { upstreams: [{ provider: "anthropic", auth: { oauth_token: "abcdef1" } }] },
    "weak_secret upstreams[0].auth.oauth_token",
  ],
  [
    "blanks as API key",
    { upstreams: [{ provider: "anthropic", auth: { api_key: "   " } }] },
    "weak_secret upstreams[0].auth.api_key",
  ],
  ["a default database password", { store: { ...SOUND.store, password: "postgres" } }, "weak_secret store.password"],
  [
    "a short database password in the URL",
    { store: { postgres_url: "postgres://u:hunter2@db/weir" } },
    "weak_secret store.postgres_url",
  ],
  [
    "an empty database password in the URL",
    { store: { postgres_url: "postgres://u:@db/weir" } },
    "weak_secret store.postgres_url",
  ],
  [
    "an upstream in clear text",
    { upstreams: [{ ...SOUND.upstreams[0], base_url: "http://gateway.example.com" }] },
    "upstream_without_tls upstreams[0].base_url",
  ],
  [
    "an upstream in clear text by a name of the own network, where no network is called private",
    { upstreams: [{ ...SOUND.upstreams[0], base_url: "http://gateway.corp" }] },
    "upstream_without_tls upstreams[0].base_url",
  ],
  [
    "an upstream that asks for no credential on the public internet",
    {
      upstreams: [{ provider: "openai", base_url: "https://llm.example.com/v1", auth: { type: "none" } }],
      models: [{ id: "qwen", upstream_model: { openai: "qwen3" } }],
    },
    "upstream_without_auth upstreams[0].auth.type",
  ],
  [
    "a placeholder as AWS secret",
    {
      upstreams: [
        {
          provider: "bedrock",
          region: "us-east-1",
          auth: { aws_access_key_id: "AKIAIOSFODNN7EXAMPLE", aws_secret_access_key: "changeme" },
        },
      ],
    },
    "weak_secret upstreams[0].auth.aws_secret_access_key",
  ],
  ["a repetitive pepper", { security: { key_pepper: "a".repeat(40) } }, "weak_secret security.key_pepper"],
];

describe("a password in a URL", () => {
  it("is judged as it is meant, with its escapes", async () => {
    for (const password of ["Kf8-Zq2-Lm5%2F9", "Kf8-Zq2-Lm5-100%"]) {
      expect(
        await verdict("prod", { store: { postgres_url: `postgres://u:${password}@db.example.com/weir` } }),
      ).toEqual([]);
    }
    const escaped = await verdict("prod", { store: { postgres_url: "postgres://u:%63hangeme@db.example.com/weir" } });
    expect(codesOf(escaped, "error")).toEqual(["weak_secret store.postgres_url"]);
  });
});

describe.each(WEAK)("%s", (_, spoilt, expected) => {
  it.each(["pre-prod", "prod"] as const)("is refused in %s", async (profile) => {
    expect(codesOf(await verdict(profile, spoilt), "error")).toEqual([expected]);
  });

  it.each(["dev", "staging"] as const)("is warned about in %s", async (profile) => {
    const found = await verdict(profile, spoilt);
    expect(codesOf(found, "error")).toEqual([]);
    expect(codesOf(found, "warning")).toEqual([expected]);
  });
});

const ALWAYS: readonly [string, object, string][] = [
  [
    "authentication off on a public bind",
    { security: { ...SOUND.security, auth: "off" } },
    "auth_off_on_public_bind security.auth",
  ],
  [
    "wildcard CORS with credentials",
    { cors: { allowed_origins: ["*"], allow_credentials: true } },
    "wildcard_cors_with_credentials cors.allowed_origins[0]",
  ],
  [
    "an empty secret",
    { upstreams: [{ provider: "anthropic", auth: { api_key: "" } }] },
    "invalid_value upstreams[0].auth.api_key",
  ],
  ["a short pepper", { security: { key_pepper: "short" } }, "invalid_value security.key_pepper"],
  ["an unknown key", { colour: "blue" }, "unknown_key colour"],
  ["replicas without a shared store", { replicas: 2, store: {} }, "replicas_without_shared_store replicas"],
  [
    "replicas with budgets and no shared store",
    { replicas: 2, store: {}, budgets: [{ scope: "team", window: "day", limit_usd: 1 }] },
    "budgets_not_shared replicas",
  ],
  [
    "replicas with budgets, which this version counts apart",
    { replicas: 2, budgets: [{ scope: "team", window: "day", limit_usd: 1 }] },
    "budgets_not_shared replicas",
  ],
];

describe.each(ALWAYS)("%s", (_, spoilt, expected) => {
  it.each(PROFILE_NAMES)("is refused in %s", async (profile) => {
    expect(codesOf(await verdict(profile, spoilt), "error")).toEqual([expected]);
  });
});

describe("by profile", () => {
  it.each(["pre-prod", "prod"] as const)("%s needs a pepper", async (profile) => {
    expect(codesOf(await verdict(profile, { security: {} }), "error")).toEqual(["missing_secret security.key_pepper"]);
  });

  it("dev and staging make one themselves", async () => {
    expect(await verdict("dev", { security: {} })).toEqual([]);
    expect(await verdict("staging", { security: {} })).toEqual([]);
  });

  it("prod alone refuses the sandbox, also the one that stands in for no upstream", async () => {
    const sandbox = { upstreams: [...SOUND.upstreams, { provider: "sandbox" }] };
    expect(codesOf(await verdict("prod", sandbox), "error")).toEqual(["sandbox_in_prod upstreams[1]"]);
    expect(codesOf(await verdict("prod", { upstreams: undefined }), "error")).toEqual(["sandbox_in_prod upstreams[0]"]);
    expect(await verdict("pre-prod", sandbox)).toEqual([]);
  });

  it("prod and pre-prod warn about the embedded database", async () => {
    const found = await verdict("prod", { store: {} });
    expect(codesOf(found, "error")).toEqual([]);
    expect(codesOf(found, "warning")).toEqual(["embedded_database store.postgres_url"]);
    expect(await verdict("dev", { store: {} })).toEqual([]);
  });

  it("prod warns about a secret that is written in the file, and not about one that is referred to", async () => {
    const file = (key: string) =>
      `profile: prod\nupstreams:\n  - provider: anthropic\n    auth:\n      api_key: ${key}\n`;
    const { upstreams: _, ...overrides } = SOUND;
    const env = { KEY: "sk-ant-api03-b8Q2x7Lm5Zk9" };
    const literal = await loadText(file(env.KEY), { overrides });
    expect(literal).toMatchObject({ ok: true, warnings: [{ code: "literal_secret", line: 5, column: 16 }] });
    expect(await loadText(file("${KEY}"), { overrides, env })).toMatchObject({ ok: true, warnings: [] });
  });
});

describe("on a loopback address", () => {
  const local = { host: "127.0.0.1" };

  it("authentication may be off, with a warning", async () => {
    const found = await verdict("dev", { listen: local, security: { auth: "off" } });
    expect(codesOf(found, "error")).toEqual([]);
    expect(codesOf(found, "warning")).toEqual(["auth_off security.auth"]);
  });

  it("prod needs neither TLS nor a public name", async () => {
    expect(await verdict("prod", { listen: local })).toEqual([]);
  });
});

describe("what is worth a warning in every profile", () => {
  it.each([
    ["a public admin port", { admin_listen: { host: "0.0.0.0" } }, "public_admin_bind admin_listen.host"],
    ["a mark-up", { pricing: { multiplier: 1.5 } }, "price_mark_up pricing.multiplier"],
    ["limits that replicas multiply", { replicas: 3 }, "limits_per_replica replicas"],
    [
      "an upstream in clear text in a network that is called private",
      {
        upstreams: [{ ...SOUND.upstreams[0], base_url: "http://gateway.corp" }],
        network: { allow_private_upstreams: ["10.0.0.0/8"] },
      },
      "upstream_without_tls upstreams[0].base_url",
    ],
    [
      "the same by its address",
      {
        upstreams: [{ ...SOUND.upstreams[0], base_url: "http://10.1.2.3" }],
        network: { allow_private_upstreams: ["10.0.0.0/8"] },
      },
      "upstream_without_tls upstreams[0].base_url",
    ],
    [
      "an upstream that no model leads to",
      { upstreams: [...SOUND.upstreams, { provider: "openai", auth: { api_key: "sk-proj-0f9d8c7b6a5948372615" } }] },
      "upstream_without_models upstreams[1]",
    ],
    ["a model that no upstream serves", { models: [{ id: "house-model" }] }, "model_without_upstream models[0].id"],
    [
      "an ARN of another region",
      {
        upstreams: [{ provider: "bedrock", region: "eu-west-1" }],
        models: [
          {
            id: "claude-opus-4-8",
            upstream_model: { bedrock: "arn:aws:bedrock:us-east-1:111122223333:provisioned-model/abcdef" },
          },
        ],
      },
      "foreign_model_id models[0].upstream_model.bedrock",
    ],
    [
      "a Bedrock id on another provider",
      {
        upstreams: [{ provider: "vertex", region: "global", project_id: "example-prod" }],
        models: [{ id: "claude-opus-4-8", upstream_model: { vertex: "eu.anthropic.claude-opus-4-8" } }],
      },
      "foreign_model_id models[0].upstream_model.vertex",
    ],
    [
      "an upstream outside the deployment",
      {
        upstreams: [...SOUND.upstreams, { provider: "bedrock", region: "eu-west-1" }],
        routing: { deployment: { kind: "single", cloud: "aws" } },
      },
      "upstream_outside_deployment upstreams[0]",
    ],
    [
      "an override for a model that nobody knows",
      { routing: { overrides: [{ models: ["claude-opos-5"], strategy: "cheapest" }] } },
      "unknown_model routing.overrides[0].models[0]",
    ],
    [
      "geography without a place to stand",
      { upstreams: [{ ...SOUND.upstreams[0], region: "us-east-1" }], routing: { strategy: "geographic" } },
      "no_caller_region routing.geography.region",
    ],
    [
      "geography with an upstream somewhere",
      { routing: { strategy: "geographic", geography: { region: "eu-west-1" } } },
      "upstream_without_region upstreams[0]",
    ],
  ])("%s", async (_, spoilt, expected) => {
    const found = await verdict("prod", spoilt);
    expect(codesOf(found, "error")).toEqual([]);
    expect(codesOf(found, "warning")).toEqual([expected]);
  });
});

describe("upstreams that are not on the public internet", () => {
  const at = (base_url: string) => [{ provider: "anthropic", base_url, auth: SOUND.upstreams[0]?.auth }];

  it("are refused unless listed", async () => {
    const found = await verdict("prod", { upstreams: at("https://10.1.2.3:8443/v1") });
    expect(codesOf(found, "error")).toEqual(["private_upstream upstreams[0].base_url"]);
    const network = { allow_private_upstreams: ["10.1.2.0/24"] };
    expect(await verdict("prod", { upstreams: at("https://10.1.2.3:8443/v1"), network })).toEqual([]);
  });

  it("include this machine, except in dev", async () => {
    for (const url of ["https://localhost:9", "https://[::1]:9", "https://127.0.0.1:9", "https://2130706433:9"]) {
      expect(codesOf(await verdict("prod", { upstreams: at(url) }), "error")).toEqual([
        "private_upstream upstreams[0].base_url",
      ]);
      expect(await verdict("dev", { upstreams: at(url) })).toEqual([]);
    }
  });
});
