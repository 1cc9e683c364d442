import { chmod, mkdir, writeFile } from "node:fs/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { Config, UpstreamConfig } from "../../config/schema.ts";
import { silentLogger } from "../../core/logger.ts";
import { type Issuer, IssueError } from "../../upstream/credentials/issuer.ts";
import { systemScheduler } from "../../upstream/credentials/scheduler.ts";
import { StaticCredential } from "../../upstream/credentials/static-credential.ts";
import { bearer, TokenCredential, type TokenHeaders } from "../../upstream/credentials/token-credential.ts";
import type { Probe } from "../../upstream/probe/probe-request.ts";
import { testSettings } from "../../upstream/testing/test-settings.ts";
import { Upstream } from "../../upstream/upstream.ts";
import type { ConnectedUpstream, DatabaseInspection } from "../cli-context.ts";
import { CliFixture, type CliRun, NOON_MS } from "../testing/cli-fixture.ts";
import { FakeWeir } from "../testing/fake-weir.ts";

const API_KEY = "sk-ant-api03-never-shown-anywhere";
const READY: DatabaseInspection = {
  state: "ready",
  kind: "embedded",
  address: "/data/postgres",
  serverVersion: "18.4",
  nowMs: NOON_MS,
  pendingMigrations: [],
  unknownMigrations: [],
};

let weir: CliFixture;
let server: FakeWeir;
let freePort: number;
beforeEach(async () => {
  weir = await CliFixture.create();
  server = await FakeWeir.start();
  server.answers["/v1/models"] = { status: 200, body: { data: [] } };
  const unused = await FakeWeir.start();
  freePort = unused.port;
  await unused[Symbol.asyncDispose]();
  probe = { by: "get", path: "/v1/models?limit=1" };
  issuer = null;
  opened = 0;
  weir.inspect = { ...weir.inspect, database: async () => READY, connectUpstream: connect };
  await configure();
});
afterEach(async () => {
  expect(opened).toBe(0);
  await server[Symbol.asyncDispose]();
  await weir[Symbol.asyncDispose]();
});

/** Writes a configuration with one upstream, served by the test's server. */
async function configure(more = ""): Promise<void> {
  await weir.writeConfig(`listen: { port: ${freePort} }
admin_listen: { port: 0 }
upstreams:
  - provider: anthropic
    base_url: ${server.url}
    auth: { api_key: ${API_KEY} }
${more}`);
}

/** The probe that upstreams of this test have. */
let probe: Probe | null = null;
/** Instead of the configured key. */
let issuer: Issuer<TokenHeaders> | null = null;

async function connect(
  upstreamConfig: UpstreamConfig,
  _config: Config,
  { credentials }: { credentials: boolean },
): Promise<ConnectedUpstream> {
  if (upstreamConfig.provider !== "anthropic") throw new Error("only real upstreams are connected");
  const { name, base_url: baseUrl, auth } = upstreamConfig;
  const credential = issuer === null ? new StaticCredential(name, ["x-api-key", auth.api_key ?? ""]) : tokenOf(issuer);
  if (credentials) await credential.start();
  const upstream = new Upstream(testSettings({ name, baseUrl, credential }));
  opened++;
  return {
    upstream,
    probe,
    close: async () => {
      opened--;
      await upstream.connections.destroy();
      await credential.stop();
    },
  };
}

function tokenOf(given: Issuer<TokenHeaders>): TokenCredential {
  const { clock } = weir;
  return new TokenCredential({
    upstream: "anthropic",
    issuer: given,
    clock,
    scheduler: systemScheduler,
    logger: silentLogger,
    random: () => 0.5,
  });
}

function issuing(issue: Issuer<TokenHeaders>["issue"]): Issuer<TokenHeaders> {
  return { what: "a test's token", fix: "Mend the test.", secrets: [], issue };
}

/** Upstreams that were connected and are not closed yet. */
let opened = 0;

/** The finding of one check. */
function finding(run: CliRun, id: string): unknown {
  const { checks } = run.json();
  // The document's shape is asserted in the first test.
  return (checks as { id: string }[]).find((check) => check.id === id);
}

describe("weir doctor", () => {
  it("goes through everything that Weir stands on", async () => {
    const run = await weir.run("doctor --json");
    const { checks, ok, counts } = run.json();
    expect((checks as { id: string; status: string }[]).map(({ id, status }) => `${id} ${status}`)).toEqual([
      "node ok",
      "config ok",
      "data_dir ok",
      "permissions ok",
      expect.stringMatching(/^open_files (ok|warn)$/),
      "listener ok",
      "admin_listener ok",
      "postgres ok",
      "database ok",
      "clock ok",
      "journal ok",
      "proxies ok",
      "upstream:anthropic ok",
      "claude_code warn",
    ]);
    expect({ exitCode: run.exitCode, ok, counts }).toMatchObject({
      exitCode: 0,
      ok: true,
      counts: { fail: 0, skip: 0 },
    });
    expect(run.out).not.toContain(API_KEY);
  });

  it("shows a checklist with a remedy for what is wrong, and exits 1 when a check fails", async () => {
    weir.inspect = {
      ...weir.inspect,
      database: async () => Promise.reject(Object.assign(new Error("no route"), { remedy: "Mend it." })),
    };
    const run = await weir.run("doctor");
    expect(run.exitCode).toBe(1);
    expect(run.out).toMatch(/^✓ Node\.js +26\./m);
    expect(run.out).toMatch(/^✗ Database +it cannot be reached: no route\n +fix: Mend it\.$/m);
    expect(run.out).toMatch(/^! Claude Code +not installed here/m);
    expect(run.out).toMatch(/\d+ in order, \d warnings?, 1 failed\.\n$/);
    expect(run.out).not.toContain("\r");
  });

  it("says on a terminal what it is looking at", async () => {
    const { out } = await weir.run("doctor", { isTty: true });
    expect(out.startsWith("… Node.js\r\u001b[K✓ Node.js")).toBe(true);
  });

  it("given an invalid configuration, shows the first problem and leaves out what depends on it", async () => {
    await weir.writeConfig("listne: {}\nlog: { level: loud }\n");
    const run = await weir.run("doctor --json");
    expect(run.exitCode).toBe(1);
    expect(finding(run, "config")).toMatchObject({
      status: "fail",
      detail: expect.stringMatching(/weir\.yaml:1:1: listne[\s\S]+1 more/),
    });
    expect(finding(run, "database")).toMatchObject({ status: "skip" });
    expect(finding(run, "node")).toMatchObject({ status: "ok" });
  });

  it("goes on when a check breaks", async () => {
    weir.inspect = { ...weir.inspect, embeddedPostgres: async () => Promise.reject(new TypeError("boom")) };
    const run = await weir.run("doctor --json");
    expect(finding(run, "postgres")).toMatchObject({ status: "fail", detail: expect.stringContaining("boom") });
    expect(finding(run, "journal")).toMatchObject({ status: "ok" });
  });
});

describe("what weir doctor finds at the gateway's port", () => {
  const listener = async (): Promise<unknown> => finding(await weir.run("doctor --json --offline"), "listener");

  it("is a running Weir, ready or with what it lacks", async () => {
    freePort = server.port;
    await configure();
    expect(await listener()).toMatchObject({ status: "ok", detail: `Weir runs at ${server.url} and is ready` });
    server.answers["/readyz"] = {
      status: 503,
      body: { status: "not_ready", failures: [{ check: "journal", reason: "disk_full" }] },
    };
    expect(await listener()).toMatchObject({ status: "fail", detail: expect.stringContaining("journal: disk_full") });
  });

  it("is another program", async () => {
    freePort = server.port;
    await configure();
    server.answers["/readyz"] = { status: 404, body: "" };
    expect(await listener()).toMatchObject({ status: "fail", detail: `another program answers at ${server.url}` });
  });

  it("is nothing, so the port is free", async () => {
    expect(await listener()).toMatchObject({ status: "ok", detail: `127.0.0.1:${freePort} is free` });
  });
});

describe("what weir doctor finds of the upstreams", () => {
  const upstream = async (options = ""): Promise<unknown> =>
    finding(await weir.run(`doctor --json ${options}`), "upstream:anthropic");

  it("is asked over the product's own connections, with the credential, for the list of models alone", async () => {
    expect(await upstream()).toMatchObject({ status: "ok", detail: expect.stringContaining("takes the credential") });
    expect(server.asked.map(({ method, url, headers }) => [method, url, headers["x-api-key"]])).toEqual([
      ["GET", "/v1/models?limit=1", API_KEY],
    ]);
  });

  it("is asked without the credential given --no-credentials, and not at all given --offline", async () => {
    server.answers["/v1/models"] = { status: 401, body: "" };
    expect(await upstream("--no-credentials")).toMatchObject({ status: "ok" });
    expect(server.asked.map(({ headers }) => headers["x-api-key"])).toEqual([undefined]);
    expect(await upstream("--offline")).toMatchObject({ status: "skip" });
    expect(server.asked).toHaveLength(1);
  });

  it("is a refusal of the credential, or no connection", async () => {
    server.answers["/v1/models"] = { status: 401, body: "" };
    expect(await upstream()).toMatchObject({ status: "fail", remedy: expect.stringContaining("auth") });
    await server[Symbol.asyncDispose]();
    expect(await upstream()).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("nothing listens there"),
    });
  });

  it("is how long a credential lives that ends", async () => {
    issuer = issuing(async () => ({ value: bearer("t"), expiresAtMs: NOON_MS + 3_600_000 }));
    expect(await upstream()).toMatchObject({ status: "ok", detail: expect.stringContaining("ends in 60 min") });
    expect(server.asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer t"]);
  });

  it("is that there is no credential to send, in the words of where it comes from, and nothing is sent", async () => {
    issuer = issuing(async () => Promise.reject(new IssueError("it was refused", "the role is unknown")));
    expect(await upstream()).toMatchObject({ status: "fail", detail: expect.stringContaining("the role is unknown") });
    expect(server.asked).toEqual([]);
  });

  it("is that tokens of a model cannot be counted, which need not stop requests for others", async () => {
    probe = { by: "count_tokens", model: "claude-haiku-4-5" };
    expect(await upstream()).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("does not count tokens for claude-haiku-4-5 (404)"),
    });
    expect(server.asked.map(({ method, url }) => [method, url])).toEqual([["POST", "/v1/messages/count_tokens"]]);
  });

  it("is that something answers, where no call is known that costs nothing", async () => {
    probe = null;
    expect(await upstream()).toMatchObject({ status: "ok", detail: expect.stringContaining("is reachable") });
  });

  it("is that the sandbox makes answers up, which is wrong outside of dev", async () => {
    await weir.writeConfig(`listen: { host: 127.0.0.1, port: ${freePort} }\nupstreams: [{ provider: sandbox }]\n`);
    expect(finding(await weir.run("doctor --json"), "upstream:sandbox")).toMatchObject({ status: "ok" });
    expect(finding(await weir.run("doctor --json --profile staging"), "upstream:sandbox")).toMatchObject({
      status: "warn",
    });
  });
});

describe("what weir doctor finds on this machine", () => {
  it("is a data directory that is a file", async () => {
    await writeFile(weir.file(".weir"), "");
    expect(finding(await weir.run("doctor --json --offline"), "data_dir")).toMatchObject({ status: "fail" });
  });

  it("is a data directory that will be made", async () => {
    const run = await weir.run("doctor --json --offline --data-dir deep/er");
    expect(finding(run, "data_dir")).toMatchObject({
      status: "ok",
      detail: expect.stringMatching(/deep\/er \(will be made\), .* free/),
    });
  });

  it("are secrets that others may read", async () => {
    await mkdir(weir.file(".weir"), { mode: 0o700 });
    await writeFile(weir.file(".weir/key-pepper"), "x", { mode: 0o600 });
    expect(finding(await weir.run("doctor --json --offline"), "permissions")).toMatchObject({ status: "ok" });
    await chmod(weir.file(".weir/key-pepper"), 0o640);
    expect(finding(await weir.run("doctor --json --offline"), "permissions")).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("key-pepper (0640)"),
      remedy: `chmod 600 ${weir.file(".weir/key-pepper")}`,
    });
    await chmod(weir.file(".weir/key-pepper"), 0o600);
    await chmod(weir.file(".weir"), 0o755);
    expect(finding(await weir.run("doctor --json --offline"), "permissions")).toMatchObject({ status: "warn" });
  });

  it("are proxies, without their passwords, and which upstreams take them", async () => {
    weir.env["HTTPS_PROXY"] = "http://user:hunter2@proxy:3128";
    await weir.writeConfig(`upstreams:
  - { provider: anthropic, name: main, auth: { api_key: ${API_KEY} } }
  - { provider: anthropic, name: inside, proxy: direct, auth: { api_key: ${API_KEY} } }
`);
    const run = await weir.run("doctor --json --offline");
    expect(finding(run, "proxies")).toMatchObject({
      detail: expect.stringMatching(
        /^HTTPS_PROXY=http:\/\/\[redacted\]@proxy:3128; main: through http:\/\/\[redacted\]@proxy:3128\/?; inside: direct$/,
      ),
    });
    expect(run.out).not.toContain("hunter2");
  });

  it("is Claude Code with its version, or one that does not run", async () => {
    const stub = weir.file("claude");
    await writeFile(stub, "#!/bin/sh\necho '2.1.329 (Claude Code)'\n", { mode: 0o755 });
    weir.env["CLAUDE_BIN"] = stub;
    expect(finding(await weir.run("doctor --json --offline"), "claude_code")).toMatchObject({
      status: "ok",
      detail: `2.1.329 (Claude Code) (${stub})`,
    });
    await writeFile(stub, "#!/bin/sh\nexit 1\n");
    expect(finding(await weir.run("doctor --json --offline"), "claude_code")).toMatchObject({ status: "warn" });
  });

  it("is a clock that was never set", async () => {
    weir.clock.setWall(0);
    expect(finding(await weir.run("doctor --json --offline"), "clock")).toMatchObject({ status: "fail" });
  });
});
