/** Managed settings, Claude Desktop's configuration, model policies and telemetry, as clients meet them at a real Weir. */
import { createHash } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, type HttpAnswer, jsonOf } from "../harness/http-answer.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const POLICIES = [
  { match: { groups: ["contractors"] }, cli: { availableModels: ["claude-haiku-4-5"] } },
  {
    match: {},
    cli: {
      availableModels: ["sonnet", "claude-haiku-4-5"],
      permissions: { allow: ["Read"], deny: ["WebFetch", "Bash(curl:*)"] },
      env: { HTTPS_PROXY: "http://proxy.example.com:3128" },
      sandbox: { network: { allowedDomains: ["example.com"] } },
    },
    desktop: { banner: { text: "Internal" } },
  },
];

interface Relayed {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** Stands for a collector: keeps what it gets. */
async function startCollector(relayed: Relayed[]): Promise<Server> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      relayed.push({ url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks) });
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

/** A port that was free a moment ago: `public_url` has to name it before Weir listens. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  await new Promise((resolve) => server.close(resolve));
  return port;
}

describe("a Weir with policies and a collector", () => {
  const relayed: Relayed[] = [];
  let collector: Server;
  let origin = "";
  let weir: WeirProcess;

  beforeAll(async () => {
    collector = await startCollector(relayed);
    const { port } = collector.address() as AddressInfo; // it listens on a port
    const own = await freePort();
    origin = `http://127.0.0.1:${own}`;
    weir = await WeirProcess.start({
      config: {
        listen: { host: "127.0.0.1", port: own, public_url: origin },
        managed: { policies: POLICIES },
        telemetry: {
          forward_to: [
            { url: `http://127.0.0.1:${port}/otlp`, headers: { "x-collector-key": "collector-secret-1" } },
            { url: `http://127.0.0.1:${port}/logs`, metrics: false, logs: true },
          ],
        },
      },
    });
  });
  afterAll(async () => {
    await weir.dispose();
    await new Promise((resolve) => collector.close(resolve));
  });

  function get(path: string, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return ask(weir.url + path, { headers: { authorization: `Bearer ${weir.key}`, ...headers } });
  }

  function message(model: string, path = "/v1/messages"): Promise<HttpAnswer> {
    return ask(weir.url + path, {
      method: "POST",
      headers: { authorization: `Bearer ${weir.key}`, "content-type": "application/json" },
      body: { model, max_tokens: 10, messages: [{ role: "user", content: "Hello" }] },
    });
  }

  it("gives Claude Code the settings of the policy that matches everybody, under a checksum that the client can compute", async () => {
    const answer = await get("/managed/settings");
    const document = jsonOf(answer) as { uuid: string; checksum: string; settings: unknown }; // the status says so

    expect(answer.status).toBe(200);
    expect(document.settings).toEqual({
      ...POLICIES[1]?.cli,
      env: {
        CLAUDE_CODE_ENABLE_TELEMETRY: "1",
        OTEL_METRICS_EXPORTER: "otlp",
        OTEL_LOGS_EXPORTER: "otlp",
        OTEL_TRACES_EXPORTER: "none",
        OTEL_EXPORTER_OTLP_ENDPOINT: origin,
        OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
        HTTPS_PROXY: "http://proxy.example.com:3128",
      },
    });
    const sorted = (value: unknown): unknown =>
      typeof value !== "object" || value === null || Array.isArray(value)
        ? value
        : Object.fromEntries(
            Object.entries(value)
              .toSorted(([a], [b]) => (a < b ? -1 : 1))
              .map(([key, member]) => [key, sorted(member)]),
          );
    const digest = createHash("sha256")
      .update(JSON.stringify(sorted(document.settings)))
      .digest("hex");
    expect(document.checksum).toBe(`sha256:${digest}`);
    expect(document.uuid).toBe(document.checksum);
    expect(answer.headers["etag"]).toBe(`"${document.checksum}"`);
  });

  it("says 304 to a client that names what it has, and to no other", async () => {
    const { etag = "" } = (await get("/managed/settings")).headers;

    const unchanged = await get("/managed/settings", { "if-none-match": etag });
    expect(unchanged.status).toBe(304);
    expect(unchanged.body.length).toBe(0);
    expect(unchanged.headers["etag"]).toBe(etag);
    for (const other of ['"sha256:0"', "*", etag.slice(1, -1)]) {
      expect((await get("/managed/settings", { "if-none-match": other })).status, other).toBe(200);
    }
  });

  it("gives sessions that Claude Desktop started nothing, in the words that they understand", async () => {
    const answer = await get("/managed/settings", { "user-agent": "claude-cli/2.1.329 (external, claude-desktop)" });

    expect(answer.status).toBe(404);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(answer.headers["x-cc-gateway-version"]).toMatch(/^\d+\.\d+\.\d+/);
  });

  it("gives Claude Desktop what follows from the policy", async () => {
    const answer = await get("/user/bootstrap");

    expect(answer.status).toBe(200);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(jsonOf(answer)).toEqual({
      inferenceProvider: "gateway",
      inferenceGatewayBaseUrl: origin,
      inferenceCredentialKind: "interactive",
      otlpEndpoint: origin,
      otlpProtocol: "http/protobuf",
      otlpResourceAttributes: { "enduser.sub": expect.stringMatching(/^(?:usr|key)_/) },
      inferenceModels: [
        { name: "claude-sonnet-5-5", supports1m: true },
        { name: "claude-sonnet-5", supports1m: true },
        { name: "claude-sonnet-4-6", supports1m: true },
        { name: "claude-sonnet-4-5" },
        { name: "claude-haiku-4-5" },
      ],
      disabledBuiltinTools: ["WebFetch"],
      coworkEgressAllowedHosts: ["example.com"],
      banner: { text: "Internal" },
      expiresAt: expect.any(Number),
    });
  });

  it("serves the models of the policy and lists no others", async () => {
    const listed = jsonOf(await get("/v1/models?limit=1000")) as { data: { id: string }[] }; // the Models API's shape
    expect(listed.data.map(({ id }) => id)).toEqual([
      "claude-sonnet-5-5",
      "claude-sonnet-5",
      "claude-sonnet-4-6",
      "claude-sonnet-4-5",
      "claude-haiku-4-5",
    ]);
    expect((await message("claude-sonnet-5")).status).toBe(200);
    expect((await message("claude-haiku-4-5-20251001")).status).toBe(200);
    expect((await get("/v1/models/claude-opus-5")).status).toBe(404);
  });

  it.each([
    "claude-opus-5",
    "CLAUDE-OPUS-5",
    "us.anthropic.claude-opus-5-v1:0",
    "claude-opus-5[1m]",
    "claude-opus-5@20260101",
  ])("refuses %s with 403 and what is allowed instead", async (model) => {
    for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
      const answer = await message(model, path);
      expect(answer.status).toBe(403);
      expect(answer.headers["x-should-retry"]).toBe("false");
      expect(jsonOf(answer)).toMatchObject({
        type: "error",
        error: {
          type: "permission_error",
          message: expect.stringMatching(/claude-opus-5; it allows sonnet, claude-haiku-4-5\./),
        },
      });
    }
  });

  it("refuses a batch that has one such model in it, and the same by Bedrock's path", async () => {
    const params = (model: string) => ({ model, max_tokens: 5, messages: [{ role: "user", content: "x" }] });
    const batch = await ask(`${weir.url}/v1/messages/batches`, {
      method: "POST",
      headers: { "x-api-key": weir.key, "content-type": "application/json" },
      body: {
        requests: [
          { custom_id: "a", params: params("claude-sonnet-5") },
          { custom_id: "b", params: params("claude-opus-5") },
        ],
      },
    });
    const bedrock = await ask(`${weir.url}/model/us.anthropic.claude-opus-5-v1%3A0/invoke`, {
      method: "POST",
      headers: { authorization: `Bearer ${weir.key}`, "content-type": "application/json" },
      body: { anthropic_version: "bedrock-2023-05-31", max_tokens: 5, messages: [{ role: "user", content: "x" }] },
    });

    expect(batch.status).toBe(403);
    expect(bedrock.status).toBe(403);
  });

  it("takes telemetry in either encoding and passes each signal to who asked for it, as it came", async () => {
    relayed.length = 0;
    const send = (signal: string, body: string | Buffer, headers: Record<string, string>) =>
      ask(`${weir.url}/v1/${signal}`, {
        method: "POST",
        headers: { authorization: `Bearer ${weir.key}`, ...headers },
        body,
      });
    const protobuf = gzipSync("protobuf stands here");
    const json = await send("metrics", '{"resourceMetrics":[]}', { "content-type": "application/json" });
    const binary = await send("logs", protobuf, {
      "content-type": "application/x-protobuf",
      "content-encoding": "gzip",
    });
    const unwanted = await send("traces", "{}", { "content-type": "application/json" });

    expect([json, binary, unwanted].map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(jsonOf(json)).toEqual({});
    expect(binary.body.length).toBe(0);
    await eventually("the collector has both", () => (relayed.length >= 2 ? true : null));
    expect(relayed.map(({ url }) => url).toSorted()).toEqual(["/logs/v1/logs", "/otlp/v1/metrics"]);
    const metrics = relayed.find(({ url }) => url === "/otlp/v1/metrics");
    expect(metrics?.body.toString()).toBe('{"resourceMetrics":[]}');
    expect(metrics?.headers).toMatchObject({
      "content-type": "application/json",
      "x-collector-key": "collector-secret-1",
    });
    // The client's own credential goes nowhere.
    expect(JSON.stringify(relayed.map(({ headers }) => headers))).not.toContain(weir.key);
    const logs = relayed.find(({ url }) => url === "/logs/v1/logs");
    expect(logs?.body).toEqual(protobuf);
    expect(logs?.headers).toMatchObject({ "content-type": "application/x-protobuf", "content-encoding": "gzip" });
  });

  it.each([
    ["garbage", "no JSON", "application/json"],
    ["nothing", "", "application/json"],
    ["an unknown kind", "x", "not a type"],
    ["far too much", Buffer.alloc(9 * 1024 * 1024), "application/x-protobuf"],
  ])("answers telemetry with 200 when it is %s", async (_, body, type) => {
    const answer = await ask(`${weir.url}/v1/traces`, {
      method: "POST",
      headers: { authorization: `Bearer ${weir.key}`, "content-type": type },
      body,
    });

    expect(answer.status).toBe(200);
  });

  it("counts what it took and what it passed on", async () => {
    const page = await eventually("the counts are there", async () => {
      const text = await weir.metrics();
      return /weir_otlp_forwarded_total\{.*signal="logs".*\} 1/.test(text) ? text : null;
    });

    expect(page).toMatch(/weir_otlp_received_total\{.*outcome="too_large".*\} 1/);
    expect(page).toMatch(/weir_otlp_received_total\{.*signal="metrics".*\} 1/);
    expect(page).toMatch(/weir_otlp_forwarded_total\{.*outcome="delivered".*\} 1/);
  });

  it("asks who calls everywhere but at /protocol", async () => {
    for (const [method, path] of [
      ["GET", "/managed/settings"],
      ["GET", "/user/bootstrap"],
      ["POST", "/v1/metrics"],
    ]) {
      const answer = await ask(weir.url + path, { method: method ?? "GET" });
      expect(answer.status, path).toBe(401);
      expect(answer.headers["x-should-retry"]).toBe("false");
    }
    const page = await ask(`${weir.url}/protocol`);
    expect(page.headers["content-type"]).toMatch(/^text\/markdown/);
    const document = jsonOf(await ask(`${weir.url}/protocol`, { headers: { accept: "application/json" } }));
    expect(document).toMatchObject({
      server: { name: "weir" },
      capabilities: { managed_settings: true, otlp_grpc: false },
    });
  });

  it("takes other policies without a restart", async () => {
    await weir.configure({
      config: {
        listen: { host: "127.0.0.1", port: Number(new URL(origin).port) },
        managed: { policies: [{ match: { teams: ["nobody"] }, cli: {} }] },
      },
    });

    const answer = await eventually("the new policies are in force", async () => {
      const now = await get("/managed/settings");
      return now.status === 404 ? now : null;
    });
    expect(jsonOf(answer)).toMatchObject({ error: { type: "not_found_error", code: "weir:policy:none" } });
    expect((await message("claude-opus-5")).status).toBe(200);
    expect((await get("/user/bootstrap")).status).toBe(404);
  });
});
