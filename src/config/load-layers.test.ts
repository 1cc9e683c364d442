import path from "node:path";

import { describe, expect, it } from "vitest";

import type { LoadOptions, LoadSuccess } from "./load.ts";
import { ConfigDirectory } from "./testing/config-directory.ts";

/** Loads files that must be fine. */
async function loadFiles(files: Record<string, string>, options: Partial<LoadOptions> = {}): Promise<LoadSuccess> {
  await using directory = await ConfigDirectory.create(files);
  const result = await directory.load(options);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result;
}

describe("without a file", () => {
  it("starts as dev on this machine alone, with a sandbox", async () => {
    const { config, files } = await loadFiles({});
    expect(config).toMatchObject({
      profile: "dev",
      listen: { host: "127.0.0.1", port: 8080 },
      admin_listen: { host: "127.0.0.1", port: 8081 },
      upstreams: [{ provider: "sandbox", name: "sandbox" }],
      admission: { key: { max_concurrent_requests: 10 }, queue: { size: 100, timeout_ms: 60_000 } },
    });
    expect(files).toEqual([]);
  });

  it("uses the Anthropic API when there is a key for it", async () => {
    const { config } = await loadFiles({}, { env: { ANTHROPIC_API_KEY: "sk-ant-0123456789abcdefghij" } });
    expect(config.upstreams).toMatchObject([
      { provider: "anthropic", name: "anthropic", auth: { api_key: "sk-ant-0123456789abcdefghij" } },
    ]);
  });

  it("takes an empty ANTHROPIC_API_KEY as none", async () => {
    const { config } = await loadFiles({}, { env: { ANTHROPIC_API_KEY: "" } });
    expect(config.upstreams).toMatchObject([{ provider: "sandbox" }]);
  });
});

describe("which layer wins", () => {
  const files = {
    "weir.yaml": "profile: dev\nlog: { level: warn, format: json }\nlisten: { port: 1001 }\n",
    "weir.dev.yaml": "listen: { port: 1002 }\nlog: { level: error }\n",
    "first.yaml": "listen: { port: 1003 }\n",
    "second.yaml": "listen: { port: 1004 }\n",
  };
  const { "weir.dev.yaml": _, ...withoutProfileFile } = files;

  it("the file wins over the profile", async () => {
    const { config, origins } = await loadFiles(withoutProfileFile);
    expect(config.log).toEqual({ level: "warn", format: "json" });
    expect(config.listen).toMatchObject({ host: "127.0.0.1", port: 1001 });
    expect(origins.get("log.level")).toMatch(/weir\.yaml:2$/);
    expect(origins.get("listen.host")).toBe("profile dev");
    expect(origins.has("cors.allow_credentials")).toBe(false);
  });

  it("the profile's own file wins over the main file", async () => {
    expect((await loadFiles(files)).config).toMatchObject({
      listen: { port: 1002 },
      log: { level: "error", format: "json" },
    });
  });

  it("an overlay wins over both, and the last overlay wins over the others", async () => {
    const { config, files: read } = await loadFiles(files, { overlays: ["first.yaml", "second.yaml"] });
    expect(config.listen.port).toBe(1004);
    expect(read.map((file) => path.basename(file))).toEqual([
      "weir.yaml",
      "weir.dev.yaml",
      "first.yaml",
      "second.yaml",
    ]);
  });

  it("the environment wins over all files", async () => {
    const env = { WEIR_PORT: "1005", WEIR_HOST: "localhost", WEIR_LOG_LEVEL: "debug", WEIR_DATA_DIR: "/data" };
    const { config } = await loadFiles(files, { env, overlays: ["first.yaml"] });
    expect(config).toMatchObject({
      listen: { port: 1005, host: "localhost" },
      log: { level: "debug" },
      data_dir: "/data",
    });
  });

  it("the command line wins over everything", async () => {
    const { config, origins } = await loadFiles(files, {
      env: { WEIR_PORT: "1005" },
      overrides: { listen: { port: 1006 } },
    });
    expect(config.listen).toMatchObject({ port: 1006, host: "127.0.0.1" });
    expect(origins.get("listen.port")).toBe("command line");
  });

  it("takes a variable that is set but empty as not set", async () => {
    expect((await loadFiles(files, { env: { WEIR_PORT: "" } })).config.listen.port).toBe(1002);
  });

  it("takes the log level of Anthropic's gateway, below Weir's own variable", async () => {
    expect((await loadFiles({}, { env: { CLAUDE_GATEWAY_LOG_LEVEL: "error" } })).config.log.level).toBe("error");
    const both = { CLAUDE_GATEWAY_LOG_LEVEL: "error", WEIR_LOG_LEVEL: "debug" };
    expect((await loadFiles({}, { env: both })).config.log.level).toBe("debug");
  });

  it("replaces lists and merges maps", async () => {
    const { config } = await loadFiles({
      "weir.yaml":
        "access_control: { deny_cidrs: [10.0.0.0/8, 192.0.2.1] }\nadmission: { teams: { a: { requests_per_minute: 1 } } }\n",
      "weir.dev.yaml":
        "access_control: { deny_cidrs: [198.51.100.1] }\nadmission: { teams: { b: { requests_per_minute: 2 } } }\n",
    });
    expect(config.access_control.deny_cidrs).toEqual(["198.51.100.1"]);
    expect(config.admission.teams).toEqual({ a: { requests_per_minute: 1 }, b: { requests_per_minute: 2 } });
  });

  it("does not ask for a variable that only a replaced value refers to", async () => {
    const { config } = await loadFiles({
      "weir.yaml": "store: { postgres_url: '${WEIR_TEST_NOWHERE}' }\n",
      "weir.dev.yaml": "store: { postgres_url: postgres://localhost/dev }\n",
    });
    expect(config.store.postgres_url).toBe("postgres://localhost/dev");
  });
});

describe("which profile holds", () => {
  const files = { "weir.yaml": "profile: ${P}\n", "over.yaml": "profile: pre-prod\n" };
  const load = async (options: Partial<LoadOptions>) => {
    const listen = { public_url: "https://weir.example.com", trusted_proxies: ["10.0.0.1"] };
    const overrides = { listen, security: { key_pepper: "R4nd0m-enough-for-a-test-0123456789" } };
    return (await loadFiles(files, { overrides, ...options, env: { P: "staging", ...options.env } })).config;
  };

  it("the file names it, also by a variable", async () => {
    expect(await load({})).toMatchObject({
      profile: "staging",
      timeouts: { drain_ms: 120_000 },
      log: { level: "debug" },
    });
  });

  it("an overlay, the environment and the command line win in that order", async () => {
    const overlays = ["over.yaml"];
    expect((await load({ overlays })).profile).toBe("pre-prod");
    expect((await load({ overlays, env: { WEIR_PROFILE: "dev" } })).profile).toBe("dev");
    expect((await load({ overlays, env: { WEIR_PROFILE: "dev" }, profile: "staging" })).profile).toBe("staging");
  });

  it("refuses a profile's own file that names another profile", async () => {
    await using directory = await ConfigDirectory.create({
      "weir.yaml": "profile: dev\n",
      "weir.dev.yaml": "profile: prod\n",
    });
    const result = await directory.load();
    expect(result).toMatchObject({
      ok: false,
      diagnostics: [{ code: "profile_conflict", file: directory.file("weir.dev.yaml"), line: 1 }],
    });
  });

  it("finds a profile's own file beside a file of any name", async () => {
    const { config } = await loadFiles(
      { "gateway.yml": "log: {}\n", "gateway.dev.yml": "replicas: 1\nlog: { level: error }\n" },
      { path: "gateway.yml" },
    );
    expect(config.log.level).toBe("error");
  });
});

describe("the address to listen on", () => {
  it("is this machine's alone in dev, unless a public name is given", async () => {
    expect((await loadFiles({ "weir.yaml": "log: {}\n" })).config.listen.host).toBe("127.0.0.1");
    const named = "listen: { public_url: https://weir.example.com }\n";
    expect((await loadFiles({ "weir.yaml": named })).config.listen.host).toBe("0.0.0.0");
    const local = "listen: { public_url: http://localhost:8080 }\n";
    expect((await loadFiles({ "weir.yaml": local })).config.listen.host).toBe("127.0.0.1");
  });

  it("is every address in the other profiles", async () => {
    const text = "profile: staging\nlisten: { public_url: https://weir.example.com }\n";
    expect((await loadFiles({ "weir.yaml": text })).config.listen.host).toBe("0.0.0.0");
  });
});

describe("text that stands for something else", () => {
  it("becomes a number or a boolean where a variable or file is the whole value", async () => {
    await using directory = await ConfigDirectory.create();
    const file = await directory.write("size", "7\n");
    await directory.write(
      "weir.yaml",
      [
        "listen: { port: '${PORT}' }",
        "auto_include_builtin_models: ${BUILTIN}",
        `replicas: 1\nadmission: { key: { requests_per_minute: '\${RPM}', max_concurrent_requests: "\${file:${file}}" } }`,
        "budgeting: { quantile: '${Q}', max_overshoot_usd: '${USD}' }",
      ].join("\n"),
    );
    const result = await directory.load({ env: { PORT: "9000", BUILTIN: "true", RPM: "60", Q: "0.9", USD: "2.50" } });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    expect(result.config).toMatchObject({
      listen: { port: 9000 },
      auto_include_builtin_models: true,
      admission: { key: { requests_per_minute: 60, max_concurrent_requests: 7 } },
      budgeting: { quantile: 0.9, max_overshoot_usd: "2.50" },
    });
  });

  it("stays text where text is wanted, whatever it looks like", async () => {
    const text = "store: { postgres_url: postgres://db.example.com/weir, password: '${PW}' }\n";
    const { config } = await loadFiles({ "weir.yaml": text }, { env: { PW: "123456789012" } });
    expect(config.store.password).toBe("123456789012");
  });

  it("is not taken for a number when it is written as text in the file", async () => {
    await using directory = await ConfigDirectory.create({ "weir.yaml": "listen: { port: '8080' }\n" });
    expect(await directory.load()).toMatchObject({ ok: false, diagnostics: [{ path: "listen.port" }] });
  });
});

describe("paths", () => {
  it("count from the file that says them, else from the main file, else from the working directory", async () => {
    await using directory = await ConfigDirectory.create({
      "etc/weir.yaml": "data_dir: state\n",
      "etc/bare.yaml": "log: {}\n",
    });
    const dataDir = async (options: Partial<LoadOptions>) => {
      const result = await directory.load(options);
      return result.ok ? result.config.data_dir : result.diagnostics;
    };
    expect(await dataDir({ path: "etc/weir.yaml" })).toBe(directory.file("etc/state"));
    expect(await dataDir({ path: "etc/bare.yaml" })).toBe(directory.file("etc/.weir"));
    expect(await dataDir({})).toBe(directory.file(".weir"));
    expect(await dataDir({ path: "etc/weir.yaml", env: { WEIR_DATA_DIR: "run" } })).toBe(directory.file("run"));
  });
});

describe("proxies of the environment", () => {
  const env = { HTTPS_PROXY: "proxy.example.com:3128", NO_PROXY: "localhost, .example.com" };

  it("are taken below everything else", async () => {
    const { config } = await loadFiles({ "weir.yaml": "network: { proxy: { no_proxy: [a.example.com] } }\n" }, { env });
    expect(config.network.proxy).toMatchObject({
      https_proxy: "http://proxy.example.com:3128",
      no_proxy: ["a.example.com"],
    });
  });

  it("are taken in lower case first", async () => {
    const { config } = await loadFiles({}, { env: { ...env, https_proxy: "http://other.example.com:1" } });
    expect(config.network.proxy.https_proxy).toBe("http://other.example.com:1");
    expect(config.network.proxy.no_proxy).toEqual(["localhost", ".example.com"]);
  });

  it("are left alone when the file says so", async () => {
    const text = "network: { proxy: { from_environment: false } }\n";
    expect((await loadFiles({ "weir.yaml": text }, { env })).config.network.proxy).toEqual({
      from_environment: false,
      no_proxy: [],
    });
  });
});

describe("the result", () => {
  it("cannot be changed by anyone", async () => {
    const { config } = await loadFiles({});
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.admission.key)).toBe(true);
    expect(Object.isFrozen(config.upstreams[0])).toBe(true);
  });

  it("names every file that it depends on, also those not there yet", async () => {
    await using directory = await ConfigDirectory.create();
    const secret = await directory.write("token", "t".repeat(4) + "oken-0123456789abc");
    await directory.write(
      "weir.yaml",
      `upstreams:\n  - provider: anthropic\n    auth: { oauth_token: "\${file:${secret}}" }\n`,
    );
    const result = await directory.load();
    expect([...result.dependencies].sort()).toEqual(
      [secret, directory.file("weir.dev.yaml"), directory.file("weir.yaml")].sort(),
    );
  });

  it("does not depend on token files that are renewed all the time and reread in use", async () => {
    const text = `upstreams:
  - provider: anthropic
    auth: { federation_rule_id: f, organization_id: o, identity_token_file: id-token }
  - { provider: vertex, region: global, project_id: example-prod, auth: { service_account_json: sa.json } }
`;
    await using directory = await ConfigDirectory.create({ "weir.yaml": text });
    const result = await directory.load();
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
    expect(result.config.upstreams[0]).toMatchObject({ auth: { identity_token_file: directory.file("id-token") } });
    expect([...result.dependencies].sort()).toEqual(
      ["sa.json", "weir.dev.yaml", "weir.yaml"].map((name) => directory.file(name)),
    );
  });
});
