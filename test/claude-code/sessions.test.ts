/** The real Claude Code through a real Weir with the sandbox behind it: what people do with it. */
import { join, resolve } from "node:path";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import type { Entry } from "../../src/message/entry.ts";
import { exactCostMicroUsd } from "../harness/exact-cost.ts";
import { RecordingProxy } from "../harness/recording-proxy.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { claudeCode } from "./install.ts";
import { runClaude, type ClaudeOptions, type ClaudeRun } from "./run-claude.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const claude = await claudeCode();

describe.skipIf(claude.missing)(claude.title("Claude Code through Weir"), () => {
  let weir: WeirProcess;
  let proxy: RecordingProxy;
  const seenRows = new Set<string>();

  beforeAll(async () => {
    weir = await WeirProcess.start();
    proxy = await RecordingProxy.start(weir.url);
  });
  afterEach(() => proxy.requests.splice(0));
  afterAll(async () => {
    await proxy.stop();
    await weir.dispose();
  });

  function run(prompt: string, options: Partial<ClaudeOptions> = {}): Promise<ClaudeRun> {
    return runClaude(prompt, { program: claude.program, url: proxy.url, key: weir.key, ...options });
  }

  /** The rows of the Messages requests that the client made since the last look: all of them, at their exact price. */
  async function newRows(): Promise<Entry[]> {
    const made = proxy.requests.filter(({ url }) => url.startsWith("/v1/messages?")).length;
    const all = await weir.entries((entries) => entries.length >= seenRows.size + made);
    const rows = all.filter((row) => !seenRows.has(row.exchangeId));
    expect(rows.length).toBe(made);
    for (const row of rows) {
      seenRows.add(row.exchangeId);
      expect(row).toMatchObject({ status: 200, outcome: "complete", usageSource: "reported", target: "sandbox" });
      expect(row.costMicroUsd).toBe(exactCostMicroUsd(row.modelServed, row.usage));
      expect(row.sessionId).toMatch(/^[0-9a-f-]{36}$/);
    }
    return rows;
  }

  it("answers a prompt", async () => {
    const { code, stdout, stderr } = await run("Say hello");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("sandbox");
    expect((await newRows()).length).toBeGreaterThan(0);
  });

  it("runs a tool and uses its result, all in one session of the ledger", async () => {
    const { code, stdout } = await run("Run `echo tool-canary-77` please", {
      args: ["--allowedTools", "Bash(echo:*)"],
    });
    expect(code).toBe(0);
    expect(stdout).toContain("returned: tool-canary-77");
    const rows = await newRows();
    expect(rows.length).toBeGreaterThanOrEqual(2);
    expect(new Set(rows.map((row) => row.sessionId)).size).toBe(1);
  });

  it("runs a subagent, whose requests the ledger tells from the main agent's", async () => {
    const args = ["--allowedTools", "Bash(echo:*)", "Task", "Agent"];
    const { code, stdout } = await run("Use a subagent to run `echo sub-canary-88`", { args });
    expect(code).toBe(0);
    expect(stdout).toContain("sub-canary-88");
    const rows = await newRows();
    const sent = proxy.requests.map(({ headers }) => headers["x-claude-code-agent-id"] ?? null);
    expect(rows.map((row) => row.agentId)).toEqual(expect.arrayContaining(sent));
    expect(new Set(rows.map((row) => row.sessionId)).size).toBe(1);
    expect(rows.filter((row) => row.agentId === null).length).toBeGreaterThanOrEqual(2);
    expect(rows.filter((row) => row.agentId !== null).length).toBeGreaterThanOrEqual(2);
  });

  it("with --output-format stream-json tells Weir's request ids, and the cost that the ledger has", async () => {
    const { code, stdout } = await run("Say hello", { args: ["--output-format", "stream-json", "--verbose"] });
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>); // each line is one JSON object
    const rows = await newRows();
    const ids = new Set(rows.map((row) => row.exchangeId));
    const told = events.filter(({ type }) => type === "assistant").map((event) => event["request_id"]);
    expect(told.length).toBeGreaterThan(0);
    expect(told.every((id) => typeof id === "string" && ids.has(id))).toBe(true);
    const result = events.find(({ type }) => type === "result");
    expect(result).toMatchObject({ subtype: "success", is_error: false });
    const sum = rows.reduce((sum, row) => sum + row.costMicroUsd, 0);
    expect(Math.round(Number(result?.["total_cost_usd"]) * 1_000_000)).toBe(sum);
  });

  it("finds the models of the gateway: one request, one credential header", async () => {
    const env = { CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY: "1" };
    const { code } = await run("Say hello", { allowNonessential: true, env });
    expect(code).toBe(0);
    const asked = proxy.requests.filter(({ url }) => url.startsWith("/v1/models"));
    expect(asked).toMatchObject([{ method: "GET", url: "/v1/models?limit=1000", status: 200 }]);
    const { authorization, "x-api-key": apiKey } = asked[0]!.headers;
    expect([authorization, apiKey].filter((value) => value !== undefined)).toEqual([`Bearer ${weir.key}`]);
    await newRows();
  });

  it("opens with HEAD /api/hello, which Weir answers", async () => {
    await run("Say hello", { allowNonessential: true });
    const asked = proxy.requests.filter(({ url }) => url === "/api/hello");
    expect(asked.map(({ method, status }) => `${method} ${status}`)).toContain("HEAD 200");
    await newRows();
  });

  it("counts tokens for /context, many at once, without a row or a refusal", async () => {
    const { code, stdout } = await run("/context");
    expect(code).toBe(0);
    expect(stdout).toContain("Context Usage");
    const asked = proxy.requests.filter(({ url }) => url.startsWith("/v1/messages/count_tokens"));
    expect(asked.length).toBeGreaterThan(5);
    expect(new Set(asked.map(({ status }) => status))).toEqual(new Set([200]));
    await newRows();
  });

  it("takes the key as an API key too", async () => {
    const { code, stdout } = await run("Say hello", { mode: "apikey" });
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining("sandbox") });
    await newRows();
  });

  it("runs by `weir claude`, with the address and key that Weir's command line knows", async () => {
    const { code, stdout, stderr } = await run("Say hello", {
      through: [join(ROOT, "node_modules/.bin/node"), join(ROOT, "bin/weir.mjs"), "claude", "--url", proxy.url],
      env: { WEIR_KEY: weir.key, CLAUDE_BIN: claude.program },
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("sandbox");
    expect((await newRows()).length).toBeGreaterThan(0);
  });
});
