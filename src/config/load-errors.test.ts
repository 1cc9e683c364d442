import { describe, expect, it } from "vitest";

import { type Diagnostic, formatDiagnostic } from "./diagnostic.ts";
import type { LoadOptions } from "./load.ts";
import { ConfigDirectory, loadText } from "./testing/config-directory.ts";

/** What loading a text complains about. */
async function complaints(text: string, options: Partial<LoadOptions> = {}): Promise<readonly Diagnostic[]> {
  const result = await loadText(text, options);
  return result.ok ? [] : result.diagnostics;
}

/** Code, path, line and column of each complaint. */
async function places(text: string, options: Partial<LoadOptions> = {}): Promise<unknown[]> {
  return (await complaints(text, options)).map(({ code, path, line, column }) => [code, path, line, column]);
}

describe("every mistake is shown where it stands", () => {
  it.each([
    ["an unknown key", "log:\n  level: info\n  colour: yes\n", "unknown_key", "log.colour", 3, 3],
    ["a host that is none", "listen:\n  host: 'a b'\n", "invalid_value", "listen.host", 2, 9],
    ["a public name that is no URL", "listen:\n  public_url: weir\n", "invalid_value", "listen.public_url", 2, 15],
    [
      "a web page's origin with a path",
      "cors:\n  allowed_origins: [https://a.example.com/x]\n",
      "invalid_value",
      "cors.allowed_origins[0]",
      2,
      21,
    ],
    [
      "a name that is none",
      "upstreams:\n  - provider: sandbox\n    name: a b\n",
      "invalid_value",
      "upstreams[0].name",
      3,
      11,
    ],
    [
      "an upstream that is no URL",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    base_url: ftp://a\n",
      "invalid_value",
      "upstreams[0].base_url",
      4,
      15,
    ],
    [
      "an upstream with a query",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    base_url: https://a?b\n",
      "invalid_value",
      "upstreams[0].base_url",
      4,
      15,
    ],
    [
      "a header that is none",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    headers: { 'a b': c }\n",
      "invalid_value",
      'upstreams[0].headers["a b"]',
      4,
      16,
    ],
    [
      "a header that breaks the line",
      'upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    headers: { a: "b\\r\\nc: d" }\n',
      "invalid_value",
      "upstreams[0].headers.a",
      4,
      19,
    ],
    [
      "a multiplier with seven decimals",
      "pricing:\n  multiplier: 0.1234567\n",
      "invalid_value",
      "pricing.multiplier",
      2,
      15,
    ],
    [
      "an amount that is none",
      "budgets:\n  - { scope: team, window: day, limit_usd: 5 dollars }\n",
      "invalid_value",
      "budgets[0].limit_usd",
      2,
      44,
    ],
    ["an unknown section", "log: {}\nlisten_on: {}\n", "unknown_key", "listen_on", 2, 1],
    ["a text for a number", "listen:\n  port: http\n", "invalid_value", "listen.port", 2, 9],
    ["a fraction for a whole number", "replicas: 1.5\n", "invalid_value", "replicas", 1, 11],
    ["a number out of bounds", "listen:\n  port: 70000\n", "invalid_value", "listen.port", 2, 9],
    ["a word that is no choice", "log:\n  level: loud\n", "invalid_value", "log.level", 2, 10],
    ["a profile that does not exist", "profile: production\n", "invalid_value", "profile", 1, 10],
    ["yes for true", "auto_include_builtin_models: yes\n", "invalid_value", "auto_include_builtin_models", 1, 30],
    ["a text for a list", "listen:\n  trusted_proxies: 10.0.0.0/8\n", "invalid_value", "listen.trusted_proxies", 2, 20],
    ["a text for a map", "listen: 8080\n", "invalid_value", "listen", 1, 9],
    ["a list for a map", "listen:\n  - port: 1\n", "invalid_value", "listen", 1, 1],
    [
      "a range that is none",
      "access_control:\n  deny_cidrs:\n    - 10.0.0.0/40\n",
      "invalid_value",
      "access_control.deny_cidrs[0]",
      3,
      7,
    ],
    ["a missing part of TLS", "listen:\n  tls:\n    cert: a.pem\n", "missing", "listen.tls.key", 2, 3],
    [
      "a weak cipher",
      "listen:\n  tls: { cert: a, key: b, ciphers: [AES128-SHA] }\n",
      "invalid_value",
      "listen.tls.ciphers[0]",
      2,
      37,
    ],
    [
      "a public address without public name",
      "listen:\n  host: 0.0.0.0\n",
      "public_url_missing",
      "listen.public_url",
      1,
      1,
    ],
    [
      "a public name without https",
      "listen:\n  public_url: http://weir.example.com\n",
      "invalid_value",
      "listen.public_url",
      2,
      15,
    ],
    [
      "a public name with a path",
      "listen:\n  public_url: https://weir.example.com/api\n",
      "invalid_value",
      "listen.public_url",
      2,
      15,
    ],
    ["an unknown provider", "upstreams:\n  - provider: antropic\n", "invalid_value", "upstreams[0].provider", 2, 15],
    ["no provider", "upstreams:\n  - name: a\n", "missing", "upstreams[0].provider", 2, 5],
    ["an empty list of upstreams", "upstreams: []\n", "invalid_value", "upstreams", 1, 1],
    [
      "no credential",
      "upstreams:\n  - provider: anthropic\n    auth: {}\n",
      "invalid_value",
      "upstreams[0].auth",
      3,
      5,
    ],
    ["no auth at all", "upstreams:\n  - provider: anthropic\n", "missing", "upstreams[0].auth", 2, 5],
    [
      "two credentials",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x, oauth_token: y }\n",
      "invalid_value",
      "upstreams[0].auth",
      3,
      5,
    ],
    [
      "a user's identity for the provider",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    forward_user_identity: true\n",
      "invalid_value",
      "upstreams[0].forward_user_identity",
      4,
      28,
    ],
    [
      "an upstream's URL with a password",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    base_url: https://u:p@a.example.com\n",
      "invalid_value",
      "upstreams[0].base_url",
      4,
      15,
    ],
    [
      "a proxy that is none",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    proxy: socks\n",
      "invalid_value",
      "upstreams[0].proxy",
      4,
      12,
    ],
    [
      "a header that Weir sets",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    headers:\n      X-Api-Key: a\n",
      "invalid_value",
      "upstreams[0].headers.X-Api-Key",
      5,
      7,
    ],
    [
      "half a client certificate",
      "upstreams:\n  - provider: anthropic\n    auth: { api_key: x }\n    tls: { cert: a.pem }\n",
      "invalid_value",
      "upstreams[0].tls.key",
      4,
      5,
    ],
    [
      "two upstreams of one name",
      "upstreams:\n  - provider: sandbox\n  - provider: sandbox\n",
      "duplicate_name",
      "upstreams[1].name",
      3,
      5,
    ],
    [
      "faults beyond every request",
      "upstreams:\n  - provider: sandbox\n    faults: { cut: 0.6, silence: 0.6 }\n",
      "invalid_value",
      "upstreams[0].faults",
      3,
      5,
    ],
    [
      "a model on an unknown upstream",
      "models:\n  - id: a\n    upstream_model:\n      sandbix: b\n",
      "unknown_upstream",
      "models[0].upstream_model.sandbix",
      4,
      7,
    ],
    [
      "a model twice",
      "models:\n  - id: claude-opus-4-8\n  - id: claude-opus-4-8-20260101\n",
      "duplicate",
      "models[1].id",
      3,
      9,
    ],
    ["no model at all", "auto_include_builtin_models: false\n", "no_models", "auto_include_builtin_models", 1, 30],
    [
      "a price for an unknown upstream",
      "pricing:\n  overrides:\n    - { upstream: x, model: m, input: 1, output: 1, cache_read: 1, cache_write: 1 }\n",
      "unknown_upstream",
      "pricing.overrides[0].upstream",
      3,
      19,
    ],
    [
      "two prices for one model",
      "pricing:\n  overrides:\n    - { upstream: sandbox, model: claude-opus-4-8, input: 1, output: 1, cache_read: 1, cache_write: 1 }\n    - { upstream: sandbox, model: us.anthropic.claude-opus-4-8, input: 1, output: 1, cache_read: 1, cache_write: 1 }\n",
      "duplicate",
      "pricing.overrides[1].model",
      4,
      35,
    ],
    [
      "a price with seven decimals",
      "pricing:\n  overrides:\n    - { upstream: sandbox, model: m, input: 0.0000001, output: 1, cache_read: 1, cache_write: 1 }\n",
      "invalid_value",
      "pricing.overrides[0].input",
      3,
      45,
    ],
    [
      "a price of nothing",
      "pricing:\n  overrides:\n    - { upstream: sandbox, model: m, input: 0, output: 1, cache_read: 1, cache_write: 1 }\n",
      "invalid_value",
      "pricing.overrides[0].input",
      3,
      45,
    ],
    [
      "a rate left out",
      "pricing:\n  overrides:\n    - { upstream: sandbox, model: m, input: 1, output: 1, cache_read: 1 }\n",
      "missing",
      "pricing.overrides[0].cache_write",
      3,
      7,
    ],
    ["a multiplier in per cent", "pricing:\n  multiplier: 85\n", "invalid_value", "pricing.multiplier", 2, 15],
    ["a multiplier of nothing", "pricing:\n  multiplier: 0\n", "invalid_value", "pricing.multiplier", 2, 15],
    [
      "a limit of nothing",
      "admission:\n  key: { requests_per_minute: 0 }\n",
      "invalid_value",
      "admission.key.requests_per_minute",
      2,
      31,
    ],
    [
      "a limit of a named team",
      "admission:\n  teams:\n    R & D: { tokens_per_minute: many }\n",
      "invalid_value",
      'admission.teams["R & D"].tokens_per_minute',
      3,
      33,
    ],
    [
      "a budget twice",
      "budgets:\n  - { scope: team, window: day, limit_usd: 1 }\n  - { scope: team, window: day, limit_usd: 2 }\n",
      "duplicate",
      "budgets[1]",
      3,
      5,
    ],
    [
      "a budget of nothing",
      "budgets:\n  - { scope: team, window: day, limit_usd: 0 }\n",
      "invalid_value",
      "budgets[0].limit_usd",
      2,
      44,
    ],
    ["a short pepper", "security:\n  key_pepper: too-short\n", "invalid_value", "security.key_pepper", 2, 15],
    [
      "a segment beyond the backlog",
      "journal:\n  segment_bytes: 9999999999\n",
      "invalid_value",
      "journal.segment_bytes",
      2,
      18,
    ],
    ["a password without a database", "store:\n  password: abcdefghijkl\n", "invalid_value", "store.password", 2, 13],
    [
      "a database that is no PostgreSQL",
      "store:\n  postgres_url: mysql://db/weir\n",
      "invalid_value",
      "store.postgres_url",
      2,
      17,
    ],
    [
      "two databases",
      "store:\n  postgres_url: postgres://db/weir\n  embedded: { port: 1 }\n",
      "invalid_value",
      "store.embedded",
      3,
      3,
    ],
    ["one port for both", "listen: { port: 8081 }\n", "port_conflict", "admin_listen.port", 1, 1],
    [
      "a private upstream",
      "upstreams:\n  - provider: anthropic\n    base_url: https://10.1.2.3\n    auth: { api_key: x }\n",
      "private_upstream",
      "upstreams[0].base_url",
      3,
      15,
    ],
    [
      "the metadata service as upstream",
      "upstreams:\n  - provider: anthropic\n    base_url: http://169.254.169.254\n    auth: { api_key: x }\n",
      "private_upstream",
      "upstreams[0].base_url",
      3,
      15,
    ],
    [
      "an unknown variable",
      "store:\n  postgres_url: ${WEIR_TEST_NOWHERE}\n",
      "missing_variable",
      "store.postgres_url",
      2,
      17,
    ],
    [
      "an unreadable secret file",
      "store:\n  postgres_url: ${file:/nonexistent/url}\n",
      "unreadable_file",
      "store.postgres_url",
      2,
      17,
    ],
    ["a reference that is none", "data_dir: x${file:/a}\n", "bad_reference", "data_dir", 1, 11],
  ])("%s", async (...row) => {
    const [, text, code, path, line, column] = row;
    const found = (await complaints(text)).filter(({ severity }) => severity === "error");
    expect(found.map((one) => [one.code, one.path, one.line, one.column])).toEqual([[code, path, line, column]]);
    expect(found[0]?.file).toMatch(/weir\.yaml$/);
    expect(found[0]?.message).not.toBe("");
    expect(found[0]?.fix).not.toBe("");
  });

  it("client auth without authority, and TLS 1.3 without a suite for it", async () => {
    const text = [
      "listen:",
      "  tls:",
      "    cert: a",
      "    key: b",
      "    client_auth: require",
      "    min_version: TLSv1.3",
      "    ciphers: [ECDHE-RSA-AES256-GCM-SHA384]",
    ].join("\n");
    const found = await places(text);
    expect(found).toContainEqual(["invalid_value", "listen.tls.client_auth", 5, 18]);
    expect(found).toContainEqual(["invalid_value", "listen.tls.ciphers", 7, 5]);
  });

  it("tells all mistakes at once, also those between sections", async () => {
    const text = [
      "listen: { hots: 127.0.0.1, port: x }",
      "log: {}",
      "upstreams:",
      "  - provider: bedrock",
      "    region: us east 1",
      "  - provider: anthropic",
      "    auth: { api_key: '${WEIR_TEST_NOWHERE}' }",
      "models:",
      "  - { id: a, upstream_model: { bedrock: b, vertex: c } }",
      "security: { auth: off }",
      "admin_listen: { port: 8080 }",
    ].join("\n");
    expect(await places(text)).toEqual([
      ["unknown_key", "listen.hots", 1, 11],
      ["invalid_value", "listen.port", 1, 34],
      ["invalid_value", "upstreams[0].region", 5, 13],
      ["missing_variable", "upstreams[1].auth.api_key", 7, 22],
      ["unknown_upstream", "models[0].upstream_model.vertex", 9, 44],
      ["port_conflict", "admin_listen.port", 11, 23],
      ["auth_off", "security.auth", 10, 19],
    ]);
  });

  it("does not blame other settings for one that is wrong itself", async () => {
    const text = "replicas: 2\nstore: { postgres_url: '${WEIR_TEST_NOWHERE}' }\nlisten: { trusted_proxies: [x] }\n";
    const codes = (await complaints(text, { profile: "prod" })).map(({ code }) => code);
    expect(codes).toContain("missing_variable");
    expect(codes).not.toContain("replicas_without_shared_store");
    expect(codes).not.toContain("public_bind_without_tls");
  });
});

describe("sections with nothing in them", () => {
  it("count as not written", async () => {
    expect((await loadText("telemetry:\nmanaged:\n")).ok).toBe(true);
  });
});

describe("hints", () => {
  /** The remedy of the one mistake in a text. */
  const fixOf = async (text: string) => (await complaints(text))[0]?.fix;

  it("suggests the key that was meant", async () => {
    expect(await fixOf("listen: { prot: 1 }\n")).toContain("Did you mean port?");
  });

  it("suggests where a key belongs that stands in the wrong place", async () => {
    expect(await fixOf("upstream_ttfb_ms: 1\n")).toContain("timeouts.upstream_ttfb_ms");
  });

  it("suggests the word that was meant", async () => {
    expect(await fixOf("profile: pre_prod\n")).toContain("Did you mean pre-prod?");
    expect(await fixOf("upstreams: [{ provider: antropic }]\n")).toContain("Did you mean anthropic?");
  });

  it("explains that YAML takes yes as text, and units as text", async () => {
    expect(await fixOf("auto_include_builtin_models: yes\n")).toContain("true or false");
    expect(await fixOf("timeouts: { drain_ms: 5s }\n")).toContain("without unit");
  });
});

describe("files that cannot be taken", () => {
  it("says that the file does not exist", async () => {
    await using directory = await ConfigDirectory.create();
    const result = await directory.load({ path: "nowhere.yaml" });
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [{ code: "file_not_found", file: directory.file("nowhere.yaml") }],
    });
    expect(result.dependencies).toContain(directory.file("nowhere.yaml"));
  });

  it("says that an overlay does not exist", async () => {
    await using directory = await ConfigDirectory.create({ "weir.yaml": "log: {}\n" });
    const result = await directory.load({ overlays: ["nowhere.yaml"] });
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: "file_not_found" }] });
  });

  it("says that the path is a directory", async () => {
    await using directory = await ConfigDirectory.create();
    const result = await directory.load({ path: "." });
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: "unreadable_file" }] });
  });

  it("stops reading a file that never ends", async () => {
    const result = await loadText("data_dir: ${file:/dev/zero}\n");
    expect(result).toMatchObject({ ok: false, diagnostics: [{ code: "unreadable_file", path: "data_dir" }] });
  });

  it("gives the place of what is no YAML", async () => {
    expect(await places("listen:\n\tport: 1\n")).toEqual([["yaml_syntax", "", 2, 1]]);
  });
});

describe("a mistake in the environment or on the command line", () => {
  it("names the variable", async () => {
    const [found] = await complaints("log: {}\n", { env: { WEIR_PORT: "http" } });
    expect(found).toMatchObject({
      path: "listen.port",
      origin: "environment variable WEIR_PORT",
      file: null,
      line: null,
    });
  });

  it("names the command line", async () => {
    const [found] = await complaints("log: {}\n", { overrides: { log: { level: "loud" } } });
    expect(found).toMatchObject({ path: "log.level", origin: "command line" });
  });

  it("shows what a profile or a default leads to in the file, where it would be mended", async () => {
    const [found] = await complaints("log: {}\n", { profile: "staging" });
    expect(found).toMatchObject({ code: "public_url_missing", path: "listen.public_url", line: 1, column: 1 });
  });
});

describe("a diagnostic for people", () => {
  it("has position, message, the line with a caret, and the remedy", async () => {
    const [found] = await complaints("listen:\n  prot: 8080 # the port\n");
    if (found === undefined) throw new Error("expected a diagnostic");
    expect(formatDiagnostic({ ...found, origin: "weir.yaml" })).toBe(
      [
        "error[unknown_key] weir.yaml:2:3: listen.prot",
        '  "prot" is no setting in listen',
        "  2 |   prot: [hidden]",
        "    |   ^",
        "  fix: Did you mean port? Otherwise remove it.",
      ].join("\n"),
    );
  });

  it("keeps the caret under its character behind tabs", () => {
    const diagnostic: Diagnostic = {
      severity: "error",
      code: "x",
      origin: "f",
      file: "f",
      line: 10,
      column: 4,
      path: "",
      message: "m",
      fix: "f",
      excerpt: "\ta: b",
    };
    expect(formatDiagnostic(diagnostic).split("\n").slice(2, 4)).toEqual(["  10 | \ta: b", "     | \t  ^"]);
  });

  it("is plain data", async () => {
    const found = await complaints("listen: 1\n");
    expect(JSON.parse(JSON.stringify(found))).toEqual(found);
  });
});
