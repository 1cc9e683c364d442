import { gzipSync } from "node:zlib";

import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageHeaders } from "../../../test/harness/message-request.ts";

const PATHS = ["/api/claude/chat", "/api/claude/analyze", "/api/v1/inference", "/api/v1/claude"];

describe("the simple API", () => {
  let upstream: FakeUpstream;
  let gateway: TestGateway;

  beforeAll(async () => {
    upstream = await FakeUpstream.start();
    gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
  });

  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  beforeEach(() => {
    upstream.reset();
  });

  function post(body: unknown, path = PATHS[0]!, headers: Record<string, string> = {}): Promise<HttpAnswer> {
    return ask(gateway.url + path, { headers: messageHeaders(gateway.key, headers), body });
  }

  function sent(): unknown {
    return JSON.parse(upstream.requests[0]?.body.toString() ?? "null");
  }

  it.each(PATHS)("POST %s asks for a message and answers in the simple form", async (path) => {
    const answer = await post({ prompt: "Say hello." }, path);

    expect(upstream.requests[0]?.url).toBe("/v1/messages");
    expect(sent()).toMatchObject({
      model: "claude-sonnet-5-5",
      max_tokens: 4_000,
      messages: [{ role: "user", content: "Say hello." }],
    });
    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toEqual({
      content: expect.stringContaining("plain end."),
      model: expect.any(String),
      tokens_used: 1_132,
      processing_time: expect.any(Number),
      request_id: answer.headers["request-id"],
    });
  });

  it("has a system prompt for analysis alone", async () => {
    await post({ prompt: "x" }, "/api/claude/analyze");
    expect(sent()).toHaveProperty("system");

    upstream.reset();
    await post({ prompt: "x" });
    expect(sent()).not.toHaveProperty("system");
  });

  it.each([
    ["opus", "claude-opus-5-5"],
    ["haiku", "claude-haiku-5-5"],
    ["claude-opus-4-5", "claude-opus-4-5"],
  ])("takes %s for %s", async (model, full) => {
    await post({ prompt: "x", model, max_tokens: 7, temperature: 0.5 });

    expect(sent()).toMatchObject({ model: full, max_tokens: 7, temperature: 0.5 });
  });

  it("keeps the session that the body names", async () => {
    await post({ prompt: "x", session_id: "s-1" }, PATHS[0], { "x-claude-code-session-id": "other" });

    expect(gateway.journal.entries.at(-1)).toMatchObject({ sessionId: "s-1", endpoint: "simple" });
  });

  it.each([
    [{}, "prompt"],
    [{ prompt: "" }, "prompt"],
    [{ prompt: 5 }, "prompt"],
    [{ prompt: "x", max_tokens: 0 }, "max_tokens"],
    [{ prompt: "x", temperature: 2 }, "temperature"],
    [{ prompt: "x", maxtokens: 5 }, "maxtokens"],
    [[], ""],
  ])("refuses %j and names the field", async (body, field) => {
    const answer = await post(body);

    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({
      error: { code: "weir:request:invalid_field", message: expect.stringContaining(field) },
    });
    expect(upstream.requests).toEqual([]);
  });

  it("refuses what is no JSON or no UTF-8", async () => {
    expect(jsonOf(await post("{"))).toMatchObject({ error: { code: "weir:request:malformed_json" } });
    const badUtf8 = Buffer.concat([Buffer.from('{"prompt":"'), Buffer.from([0xe4, 0xb8]), Buffer.from('"}')]);
    expect(jsonOf(await post(badUtf8))).toMatchObject({ error: { code: "weir:request:bad_encoding" } });
    expect(upstream.requests).toEqual([]);
  });

  it("takes a compressed body", async () => {
    const body = gzipSync(JSON.stringify({ prompt: "packed" }));
    await post(body, PATHS[0], { "content-encoding": "gzip" });

    expect(sent()).toMatchObject({ messages: [{ content: "packed" }] });
  });

  it("passes an upstream's error on", async () => {
    upstream.reply({
      kind: "whole",
      status: 529,
      body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
    });
    const answer = await post({ prompt: "x" });

    expect([answer.status, jsonOf(answer)]).toMatchObject([529, { error: { type: "overloaded_error" } }]);
  });

  it.each(["<html>", '{"content":5}', "[]", ""])(
    "answers 502 when the upstream's answer is %j, and still charges it",
    async (body) => {
      upstream.reply({ kind: "whole", body });
      const before = gateway.journal.entries.length;
      const answer = await post({ prompt: "x" });

      expect(answer.status).toBe(502);
      expect(jsonOf(answer)).toMatchObject({ error: { type: "api_error", code: "weir:upstream:bad_answer" } });
      expect(gateway.journal.entries).toHaveLength(before + 1);
    },
  );
});
