import { describe, expect, it } from "vitest";

import { CONFIG_FIELDS } from "./config-fields.ts";
import { PROFILES } from "./profiles.ts";
import { isShowable, keysAt, markAt } from "./schema-walk.ts";
import { configSchema, PROFILE_NAMES } from "./schema.ts";
import { treeAt, treeOf } from "./source/tree.ts";
import { validateTree } from "./validate.ts";

describe("the schema", () => {
  it("describes every setting", () => {
    expect(CONFIG_FIELDS.filter(({ description }) => description.length < 10).map(({ path }) => path)).toEqual([]);
    expect(CONFIG_FIELDS.length).toBeGreaterThan(100);
  });

  it("names a unit in the name of every duration and size", () => {
    const numbers = CONFIG_FIELDS.filter(({ description }) =>
      /milliseconds|in bytes|US dollars per/i.test(description),
    );
    const unitless = numbers.filter(({ path }) => !/(_ms|_bytes|_usd|\.(input|output|cache_\w+))$/.test(path));
    expect(unitless.map(({ path }) => path).filter((path) => configSchemaTakesNumber(path))).toEqual([]);
  });

  it("marks as secret what is one, and nothing else that is needed to understand an installation", () => {
    const whole = CONFIG_FIELDS.filter(({ mark }) => mark.secret === "whole").map(({ path }) => path);
    expect([...new Set(whole)].sort()).toEqual([
      "admin.read_keys[].key",
      "admin.write_keys[].key",
      "audit.signing_key",
      "oidc.client_assertion.private_key_pem",
      "oidc.client_secret",
      "oidc_providers[].client_assertion.private_key_pem",
      "oidc_providers[].client_secret",
      "security.key_pepper",
      "session.jwt_secret",
      "store.password",
      "upstreams[].auth.api_key",
      "upstreams[].auth.aws_bearer_token",
      "upstreams[].auth.aws_external_id",
      "upstreams[].auth.aws_secret_access_key",
      "upstreams[].auth.aws_session_token",
      "upstreams[].auth.azure_client_secret",
      "upstreams[].auth.oauth_token",
      "upstreams[].auth.token",
      "upstreams[].auth.value",
    ]);
    expect(markAt(configSchema, ["upstreams", 0, "headers", "x-any"])).toEqual({ secret: "whole" });
    expect(markAt(configSchema, ["telemetry", "forward_to", 0, "headers", "x-any"])).toEqual({ secret: "whole" });
    const urls = CONFIG_FIELDS.filter(({ mark }) => mark.secret === "url").map(({ path }) => path);
    expect([...new Set(urls)].sort()).toEqual([
      "network.proxy.http_proxy",
      "network.proxy.https_proxy",
      "oidc.discovery_url",
      "oidc.issuer",
      "oidc_providers[].discovery_url",
      "oidc_providers[].issuer",
      "store.postgres_url",
      "telemetry.forward_to[].url",
      "upstreams[].auth.aws_sts_url",
      "upstreams[].base_url",
      "upstreams[].proxy",
    ]);
  });

  it("shows a value only where it knows the path and wants a single value", () => {
    expect(isShowable(configSchema, ["listen", "port"])).toBe(true);
    expect(isShowable(configSchema, ["upstreams", 0, "auth"])).toBe(false);
    expect(isShowable(configSchema, ["upstreams", 0, "auth", "api_key"])).toBe(false);
    expect(isShowable(configSchema, ["no", "such", "path"])).toBe(false);
  });

  it("offers the keys of all kinds of upstream", () => {
    expect(keysAt(configSchema, ["upstreams", 0])).toEqual(expect.arrayContaining(["base_url", "tokens_per_second"]));
  });

  it("offers those of the kind alone where the kind is written, also within a kind", () => {
    const auth = { type: "header" };
    const tree = treeOf({ upstreams: [{ provider: "vertex" }, { provider: "custom", auth }] }, "test");
    const keys = keysAt(configSchema, ["upstreams", 0], tree);
    expect(keys).toContain("project_id");
    expect(keys).not.toContain("tokens_per_second");
    expect(keysAt(configSchema, ["upstreams", 1, "auth"], tree)).toEqual(["type", "name", "value"]);
  });
});

function configSchemaTakesNumber(path: string): boolean {
  const field = CONFIG_FIELDS.find((candidate) => candidate.path === path);
  return typeof field?.defaultValue === "number";
}

describe("profiles", () => {
  it.each(PROFILE_NAMES)("%s has only defaults that the schema takes", (name) => {
    const { defaults } = PROFILES[name];
    // A default for TLS alone is no whole TLS section: complete it.
    const tls = defaults.listen?.tls === undefined ? {} : { tls: { ...defaults.listen.tls, cert: "a", key: "b" } };
    const listen = { ...defaults.listen, ...tls, public_url: "https://weir.example.com" };
    const { findings } = validateTree(treeOf({ ...defaults, listen }, "test"));
    expect(findings).toEqual([]);
  });

  it("do not set what would name themselves or a secret", () => {
    for (const name of PROFILE_NAMES) {
      const tree = treeOf(PROFILES[name].defaults, "test");
      for (const path of [["profile"], ["security", "key_pepper"], ["upstreams"]])
        expect(treeAt(tree, path)).toBeUndefined();
    }
  });
});
