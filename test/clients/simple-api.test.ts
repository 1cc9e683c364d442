/** The simple API: a prompt in, a text out; and Weir's own pages. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, jsonOf, type HttpAnswer } from "../harness/http-answer.ts";
import { WeirProcess } from "../harness/weir-process.ts";

let weir: WeirProcess;
beforeAll(async () => {
  weir = await WeirProcess.start();
});
afterAll(async () => weir.dispose());

const PATHS = ["/api/claude/chat", "/api/claude/analyze", "/api/v1/inference", "/api/v1/claude"];

function post(path: string, body: unknown, key: string | null = weir.key): Promise<HttpAnswer> {
  const headers: Record<string, string> = { "content-type": "application/json" };
  if (key !== null) headers["authorization"] = `Bearer ${key}`;
  return ask(weir.url + path, { headers, body });
}

describe.each(PATHS)("POST %s", (path) => {
  it("answers a prompt with text, model, tokens, seconds and request id, and has a row in the ledger", async () => {
    const session = `simple ${path}`;
    const answer = await post(path, { prompt: "Say hello.", session_id: session });
    expect(answer.status).toBe(200);
    const document = jsonOf(answer);
    expect(document).toEqual({
      content: expect.stringMatching(/./),
      model: expect.stringMatching(/^claude-sonnet-/),
      tokens_used: expect.any(Number),
      processing_time: expect.any(Number),
      request_id: answer.headers["request-id"],
    });
    const rows = await weir.entries((entries) => entries.some((row) => row.sessionId === session));
    const row = rows.find((candidate) => candidate.sessionId === session);
    expect(row).toMatchObject({ endpoint: "simple", outcome: "complete", usageSource: "reported" });
    const { inputTokens, outputTokens, cacheReadTokens, cacheWrite5mTokens } = row!.usage;
    expect(document).toMatchObject({
      tokens_used: inputTokens + outputTokens + cacheReadTokens + cacheWrite5mTokens,
    });
  });

  it("takes short model names, a limit and a temperature", async () => {
    const answer = await post(path, { prompt: "Say hello.", model: "haiku", max_tokens: 5, temperature: 0 });
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toMatchObject({ model: expect.stringMatching(/^claude-haiku-/) });
  });

  it.each([
    ["no prompt", {}, /prompt/],
    ["an empty prompt", { prompt: "" }, /prompt/],
    ["a prompt that is no text", { prompt: 5 }, /prompt/],
    ["a misspelt field", { prompt: "x", max_token: 5 }, /max_token/],
    ["a temperature out of range", { prompt: "x", temperature: 3 }, /temperature/],
    ["malformed JSON", "{", /not valid JSON/],
  ])("refuses %s with 400 and the field's name", async (_, body, message) => {
    const answer = await post(path, body);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringMatching(message) },
    });
  });

  it("asks for a key", async () => {
    expect((await post(path, { prompt: "x" }, null)).status).toBe(401);
    expect((await post(path, { prompt: "x" }, `wr-dev-${"z".repeat(43)}`)).status).toBe(401);
  });
});

describe("pages without a key", () => {
  it.each(["/healthz", "/readyz", "/health", "/api/claude/health", "/"])(
    "GET %s says that all is well",
    async (path) => {
      const answer = await ask(weir.url + path);
      expect(answer.status).toBe(200);
      expect(typeof jsonOf(answer)).toBe("object");
    },
  );
});

describe("the metrics", () => {
  it("count what was asked, with the names that dashboards expect", async () => {
    await post("/api/claude/chat", { prompt: "Say hello." });
    const page = await weir.metrics();
    for (const name of [
      "claude_requests_total",
      "claude_response_time_seconds",
      "claude_active_connections",
      "claude_tokens_consumed_total",
      "claude_errors_total",
      "weir_queue_depth",
      "weir_stage_seconds",
    ]) {
      expect(page, name).toContain(`# TYPE ${name} `);
    }
    expect(page).toMatch(/claude_requests_total\{[^}]*model="claude-sonnet-[^}]*status="200"[^}]*\} [1-9]/);
  });
});
