import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { FakeUpstream } from "../../test/harness/fake-upstream.ts";
import { eventually } from "../../test/harness/waiting.ts";
import type { Config } from "../config/schema.ts";
import { loadText } from "../config/testing/config-directory.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import { systemScheduler } from "../upstream/credentials/scheduler.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { UpstreamSet } from "./upstream-set.ts";

async function configOf(yaml: string): Promise<Config> {
  const loaded = await loadText(`network: { allow_private_upstreams: [127.0.0.0/8] }\n${yaml}`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return loaded.config;
}

/** One call to an upstream: resolves with the status, rejects when the connection breaks. */
async function call(upstream: Upstream): Promise<number> {
  const request = await upstream.sign({ path: "/v1/messages", method: "POST", headers: [], body: "{}" });
  return new Promise((resolve, reject) => {
    let status = 0;
    upstream.dispatch(request, {
      onRequestStart: () => {},
      onResponseStart: (_, code) => void (status = code),
      onResponseData: () => {},
      onResponseEnd: () => resolve(status),
      onResponseError: (_, error) => reject(error),
    });
  });
}

describe("UpstreamSet", () => {
  let set: UpstreamSet;
  let server: FakeUpstream;

  beforeEach(async () => {
    set = new UpstreamSet({ logger: silentLogger, clock: systemClock, scheduler: systemScheduler, random: () => 0.5 });
    await set.start();
    server = await FakeUpstream.start();
  });

  afterEach(async () => {
    await set.stop();
    await server.stop();
  });

  function anthropic(name: string, key = "sk-ant-a"): string {
    return `{ name: ${name}, provider: anthropic, base_url: "${server.url}", auth: { api_key: ${key} } }`;
  }

  async function use(yaml: string): Promise<void> {
    (await set.prepare(await configOf(yaml))).use();
  }

  function names(): string[] {
    return set.upstreams.map(({ name }) => name);
  }

  it("has the upstreams of the configuration, in its order, with their credentials", async () => {
    await use(`upstreams: [${anthropic("b", "sk-ant-b")}, ${anthropic("a")}]`);
    expect(names()).toEqual(["b", "a"]);
    await call(set.upstreams[0]!);

    expect(server.requests[0]?.headers["x-api-key"]).toBe("sk-ant-b");
  });

  it("changes nothing before it is told to use what it has prepared", async () => {
    await use(`upstreams: [${anthropic("a")}]`);
    const prepared = await set.prepare(await configOf(`upstreams: [${anthropic("b")}]`));
    expect(names()).toEqual(["a"]);
    expect(prepared.upstreams.map(({ name }) => name)).toEqual(["b"]);

    await prepared.discard();
    expect(names()).toEqual(["a"]);
    expect(await call(set.upstreams[0]!)).toBe(200);
  });

  it("keeps an upstream that has not changed, connections and all, wherever it now stands", async () => {
    await use(`upstreams: [${anthropic("a")}, ${anthropic("b")}]`);
    const [a, b] = set.upstreams;
    await use(`upstreams: [${anthropic("b")}, ${anthropic("c")}, ${anthropic("a")}]`);

    expect([set.upstreams[0], set.upstreams[2]]).toEqual([b, a]);
    expect([set.upstreams[0] === b, set.upstreams[2] === a]).toEqual([true, true]);
  });

  it.each([
    ["its credential", (): string => `upstreams: [${anthropic("a", "sk-ant-other")}]`],
    ["a timeout", (): string => `upstreams: [${anthropic("a")}]\ntimeouts: { upstream_ttfb_ms: 777 }`],
  ])("makes an upstream anew when %s has changed", async (_, changed) => {
    await use(`upstreams: [${anthropic("a")}]`);
    const [before] = set.upstreams;
    await use(changed());

    expect(set.upstreams[0]).not.toBe(before);
  });

  it("keeps a credential when something else of its upstream changes, and its token though its source is gone", async () => {
    const directory = await mkdtemp(path.join(tmpdir(), "weir-token-"));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    const token = path.join(directory, "token");
    await writeFile(token, "fresh");
    const own = (more: string): string =>
      `upstreams: [{ name: own, provider: custom, base_url: "${server.url}", auth: { type: token_file, file: ${token} }${more} }]`;
    await use(own(""));
    const [before] = set.upstreams;
    await rm(token);
    await use(own(", weight: 2"));

    expect(set.upstreams[0]).not.toBe(before);
    expect(set.upstreams[0]?.credential).toBe(before?.credential);
    await call(set.upstreams[0]!);
    expect(server.requests[0]?.headers.authorization).toBe("Bearer fresh");
  });

  it("takes an upstream into use whose credential is not to be had yet", async () => {
    await use(
      `upstreams: [{ name: own, provider: custom, base_url: "${server.url}", auth: { type: token_file, file: /nowhere } }]`,
    );

    expect(set.upstreams[0]?.credential?.status().state).toBe("failed");
    await expect(call(set.upstreams[0]!)).rejects.toThrow(/credential of upstream "own"/);
  });

  it("knows which upstreams are to be probed, and how", async () => {
    const unprobed = anthropic("b").replace(" }", " }, probes: false");
    await use(`upstreams: [${anthropic("a")}, ${unprobed}, { provider: sandbox }]`);

    expect(set.probed.map(({ upstream, probe }) => [upstream.name, probe.by])).toEqual([
      ["a", "get"],
      ["sandbox", "get"],
    ]);
  });

  it("lets what is in flight on a leaving upstream finish", async () => {
    await use(`upstreams: [${anthropic("a")}]`);
    const gate = Promise.withResolvers<void>();
    server.reply({ kind: "whole", before: () => gate.promise });
    const calling = call(set.upstreams[0]!);
    await eventually("the call has arrived", () => server.requests.length === 1);
    await use(`upstreams: [${anthropic("b")}]`);
    gate.resolve();

    expect(await calling).toBe(200);
  });

  it("ends everything when it is stopped, also what is leaving", async () => {
    await use(`upstreams: [${anthropic("a")}]`);
    server.otherwise({ kind: "silent" });
    const leaving = call(set.upstreams[0]!).catch((error: unknown) => error);
    await eventually("the call has arrived", () => server.requests.length === 1);
    await use(`upstreams: [${anthropic("b")}]`);
    const staying = call(set.upstreams[0]!).catch((error: unknown) => error);
    await eventually("the second call has arrived", () => server.requests.length === 2);
    await set.stop();

    expect(await staying).toBeInstanceOf(Error);
    expect(await leaving).toBeInstanceOf(Error);
    expect(names()).toEqual([]);
  });

  it("starts the sandbox that a configuration asks for, and keeps it over a reload that does not concern it", async () => {
    await use("upstreams: [{ provider: sandbox }]");
    const [sandbox] = set.upstreams;
    expect(sandbox?.isSandbox).toBe(true);
    expect(await call(sandbox!)).toBe(400);
    await use("upstreams: [{ provider: sandbox }]\nlog: { level: warn }");

    expect(set.upstreams[0]).toBe(sandbox);
  });

  it("undoes a preparation of which one part fails", async () => {
    await use(`upstreams: [${anthropic("a")}]`);
    const forbidden = '{ name: b, provider: anthropic, base_url: "http://10.1.2.3", auth: { api_key: sk-ant-b } }';

    await expect(
      configOf(`upstreams: [{ provider: sandbox }, ${forbidden}]`).then((config) => set.prepare(config)),
    ).rejects.toThrow(/10\.1\.2\.3/);
    expect(names()).toEqual(["a"]);
  });
});
