import { request } from "node:http";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";

import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ask, MODEL, MODELS, postMessage, startSandbox } from "./testing/test-sandbox.ts";
import type { SeenRequest } from "./sandbox-options.ts";
import { SandboxUpstream } from "./sandbox-upstream.ts";

const BASH = {
  name: "Bash",
  description: "Runs a command",
  input_schema: {
    type: "object" as const,
    properties: { command: { type: "string" }, description: { type: "string" } },
    required: ["command"],
  },
};

describe("a sandbox upstream", () => {
  it("answers a question with text that takes up the question and says what it is", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create(ask("How do I reverse a linked list?"));
    expect(message).toMatchObject({
      type: "message",
      role: "assistant",
      model: MODEL,
      stop_reason: "end_turn",
      stop_sequence: null,
    });
    const [block] = message.content;
    expect(block?.type === "text" && block.text).toMatch(/reverse a linked list.*Weir's sandbox/s);
    expect(message.usage.output_tokens).toBeGreaterThan(20);
  });

  it("replies word for word when asked to", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create(ask("Reply with exactly: pong"));
    expect(message.content).toEqual([{ type: "text", text: "pong" }]);
  });

  it("answers in Chinese when asked in Chinese", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create(ask("如何用 Python 反转一个链表？"));
    expect(message.content[0]?.type === "text" && message.content[0].text).toContain("沙箱");
  });

  it("gives the same answer to the same request and seed, streamed or not, and another for another seed", async () => {
    const first = await startSandbox({ seed: "one" });
    const second = await startSandbox({ seed: "one" });
    const other = await startSandbox({ seed: "two" });
    const question = ask("Compare merge sort, quick sort and heap sort for large files");
    const message = await first.client.messages.create(question);
    expect(await second.client.messages.create({ ...question, metadata: { user_id: "someone" } })).toEqual(message);
    const streamed = await second.client.messages.stream(question).finalMessage();
    expect(streamed.id).toBe(message.id);
    expect(streamed.content[0]).toMatchObject({ text: message.content[0]?.type === "text" && message.content[0].text });
    expect(streamed.usage.output_tokens).toBe(message.usage.output_tokens);
    expect((await other.client.messages.create(question)).id).not.toBe(message.id);
  });

  it("marks every answer and names it by a request id of its own", async () => {
    const { sandbox } = await startSandbox();
    const answers = [
      await postMessage(sandbox, ask("hi")),
      await postMessage(sandbox, ask("hi")),
      await fetch(`${sandbox.url}/nowhere`),
    ];
    const ids = answers.map((answer) => answer.headers.get("request-id"));
    expect(new Set(ids).size).toBe(3);
    for (const answer of answers) {
      expect(answer.headers.get("x-weir-sandbox")).toBe("1");
      expect(answer.headers.get("request-id")).toMatch(/^req_sandbox_/);
    }
    expect(answers[0]?.headers.get("anthropic-ratelimit-requests-limit")).toBe("4000");
  });

  it("accepts any key or bearer token and answers 401 without one", async () => {
    const { sandbox } = await startSandbox();
    const bearer = new Anthropic({ apiKey: null, authToken: "anything", baseURL: sandbox.url, maxRetries: 0 });
    await expect(bearer.messages.create(ask("hi"))).resolves.toMatchObject({ type: "message" });
    const answer = await fetch(`${sandbox.url}/v1/messages`, { method: "POST", body: "{}" });
    expect(answer.status).toBe(401);
    expect(await answer.json()).toEqual({
      type: "error",
      error: { type: "authentication_error", message: "x-api-key header is required" },
      request_id: answer.headers.get("request-id"),
    });
  });

  it("requires the API version", async () => {
    const { sandbox } = await startSandbox();
    const answer = await fetch(`${sandbox.url}/v1/messages`, {
      method: "POST",
      body: "{}",
      headers: { "x-api-key": "k" },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { message: "anthropic-version: header is required" } });
  });

  it("obeys max_tokens, stop sequences and a context that is nearly full", async () => {
    const { client } = await startSandbox();
    const short = await client.messages.create({ ...ask("Tell me all about rivers and bridges"), max_tokens: 5 });
    expect(short).toMatchObject({ stop_reason: "max_tokens", usage: { output_tokens: 5 } });
    const stopped = await client.messages.create({
      ...ask("Reply with exactly: one two three"),
      stop_sequences: [" two"],
    });
    expect(stopped).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: " two", content: [{ text: "one" }] });
    const nearlyFull = "x".repeat(Math.floor((199_980 * 1000) / 278));
    const cut = await client.messages.create({ ...ask(nearlyFull), model: "claude-haiku-4-5" });
    expect(cut.stop_reason).toBe("model_context_window_exceeded");
  });

  it("warms the cache without an answer when max_tokens is 0", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create({ ...ask("hi"), max_tokens: 0 });
    expect(message).toMatchObject({ content: [], stop_reason: "max_tokens", usage: { output_tokens: 0 } });
  });

  it("refuses as the Messages API does: unknown model, too long a prompt, too large max_tokens, prefill", async () => {
    const { client } = await startSandbox();
    await expect(client.messages.create({ ...ask("hi"), model: "claude-nonesuch" })).rejects.toMatchObject({
      status: 404,
      error: { error: { type: "not_found_error", message: "model: claude-nonesuch" } },
    });
    const long = { ...ask("x".repeat(800_000)), model: "claude-haiku-4-5" };
    await expect(client.messages.create(long)).rejects.toMatchObject({
      status: 400,
      error: {
        error: { type: "invalid_request_error", message: "prompt is too long: 222404 tokens > 200000 maximum" },
      },
    });
    await expect(client.messages.stream({ ...ask("hi"), max_tokens: 999_999 }).finalMessage()).rejects.toThrow(
      "max_tokens: 999999 > 128000, which is the maximum allowed number of output tokens for claude-sonnet-5-5",
    );
    const prefilled = [...ask("hi").messages, { role: "assistant" as const, content: "The answer is" }];
    await expect(client.messages.create({ ...ask("hi"), messages: prefilled })).rejects.toThrow(
      /does not support assistant message prefill/,
    );
    await expect(
      client.messages.create({ ...ask("hi"), model: "claude-haiku-4-5", messages: prefilled }),
    ).resolves.toBeDefined();
  });

  it("thinks first when thinking is on, signs it, and counts it as output", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create({ ...ask("Why is the sky blue?"), thinking: { type: "adaptive" } });
    expect(message.content.map((block) => block.type)).toEqual(["thinking", "text"]);
    expect(message.content[0]).toMatchObject({
      thinking: expect.stringContaining("sky"),
      signature: expect.stringMatching(/^[\w+/=]{40,}$/),
    });
    expect(message.usage.output_tokens_details?.thinking_tokens).toBeGreaterThan(10);
    const hidden = await client.messages.create({
      ...ask("Why is the sky blue?"),
      thinking: { type: "adaptive", display: "omitted" },
    });
    expect(hidden.content[0]).toMatchObject({ type: "thinking", thinking: "" });
    expect(hidden.usage.output_tokens).toBe(message.usage.output_tokens);
    const next = { ...ask("and at night?"), thinking: { type: "adaptive" as const } };
    const history = [
      ...ask("Why is the sky blue?").messages,
      { role: "assistant" as const, content: message.content },
      ...next.messages,
    ];
    await expect(client.messages.create({ ...next, messages: history })).resolves.toBeDefined();
  });

  it("calls a tool that the prompt asks for and sums up its result", async () => {
    const { client } = await startSandbox();
    const prompt = ask("Run `echo hi` and tell me the output");
    const first = await client.messages.stream({ ...prompt, tools: [BASH] }).finalMessage();
    expect(first.stop_reason).toBe("tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "Bash", input: { command: "echo hi" }, caller: { type: "direct" } });
    const messages = [
      ...prompt.messages,
      { role: "assistant" as const, content: first.content },
      { role: "user" as const, content: [{ type: "tool_result" as const, tool_use_id: call!.id, content: "hi" }] },
    ];
    const second = await client.messages.create({ ...prompt, tools: [BASH], messages });
    expect(second).toMatchObject({
      stop_reason: "end_turn",
      content: [{ type: "text", text: "Bash (`echo hi`) returned: hi" }],
    });
  });

  it("makes one call after the other, or all at once when told to", async () => {
    const { client } = await startSandbox();
    const steps = await client.messages.create({ ...ask("Run `echo a`, then run `echo b`"), tools: [BASH] });
    expect(steps.content.filter((block) => block.type === "tool_use")).toHaveLength(1);
    const parallel = await client.messages.create({
      ...ask("Run `echo a` and run `echo b` in parallel"),
      tools: [BASH],
    });
    expect(parallel.content.filter((block) => block.type === "tool_use")).toHaveLength(2);
    const forbidden = await client.messages.create({
      ...ask("Run `echo a` and run `echo b` in parallel"),
      tools: [BASH],
      tool_choice: { type: "auto", disable_parallel_tool_use: true },
    });
    expect(forbidden.content.filter((block) => block.type === "tool_use")).toHaveLength(1);
  });

  it("obeys tool_choice", async () => {
    const { client } = await startSandbox();
    const forced = await client.messages.create({
      ...ask("Hello"),
      tools: [BASH],
      tool_choice: { type: "tool", name: "Bash" },
    });
    expect(forced.content.at(-1)).toMatchObject({
      type: "tool_use",
      name: "Bash",
      input: { command: expect.any(String) },
    });
    const none = await client.messages.create({ ...ask("Run `ls`"), tools: [BASH], tool_choice: { type: "none" } });
    expect(none.stop_reason).toBe("end_turn");
  });

  it("uses a custom tool whose name says what the prompt is about", async () => {
    const { client } = await startSandbox();
    const tool = {
      name: "get_weather",
      input_schema: { type: "object" as const, properties: { city: { type: "string" } }, required: ["city"] },
    };
    const message = await client.messages.create({ ...ask("What's the weather in Paris?"), tools: [tool] });
    expect(message.content.at(-1)).toMatchObject({ type: "tool_use", name: "get_weather", input: { city: "Paris" } });
    const other = await client.messages.create({ ...ask("What's for dinner?"), tools: [tool] });
    expect(other.stop_reason).toBe("end_turn");
  });

  it("searches the web by itself and bills the search and its results", async () => {
    const { client } = await startSandbox();
    const request = {
      ...ask("Search the web for undici"),
      tools: [{ type: "web_search_20250305" as const, name: "web_search" as const }],
    };
    const message = await client.messages.create(request);
    expect(message.content.map((block) => block.type)).toEqual([
      "text",
      "server_tool_use",
      "web_search_tool_result",
      "text",
    ]);
    expect(message.content[3]).toMatchObject({ citations: [{ type: "web_search_result_location" }] });
    expect(message.usage.server_tool_use).toMatchObject({ web_search_requests: 1 });
    const streamed = await client.messages.stream(request).finalMessage();
    expect(streamed.content).toEqual(message.content);
    expect(streamed.usage).toEqual(message.usage);
    // The results become input while the answer is made: the last count replaces the first.
    let startTokens = 0;
    for await (const event of await client.messages.create({ ...request, stream: true })) {
      if (event.type === "message_start") startTokens = event.message.usage.input_tokens;
    }
    expect(message.usage.input_tokens).toBeGreaterThan(startTokens + 1_000);
  });

  it("answers with JSON that satisfies the wanted schema", async () => {
    const { client } = await startSandbox();
    const schema = {
      type: "object",
      properties: { title: { type: "string" }, tags: { type: "array", items: { type: "string" } } },
      required: ["title", "tags"],
    };
    const message = await client.messages.create({
      ...ask("Title for a talk on rivers"),
      output_config: { format: { type: "json_schema", schema } },
    });
    const [block] = message.content;
    expect(JSON.parse(block?.type === "text" ? block.text : "")).toEqual({
      title: expect.any(String),
      tags: [expect.any(String)],
    });
  });

  it("answers context_management in kind", async () => {
    const { sandbox } = await startSandbox();
    const answer = await postMessage(sandbox, { ...ask("hi"), context_management: { edits: [] } });
    expect(await answer.json()).toMatchObject({ context_management: { applied_edits: [] } });
  });

  it("reports place, tier and speed of inference", async () => {
    const { client } = await startSandbox();
    const message = await client.messages.create({ ...ask("hi"), inference_geo: "us", speed: "fast" });
    expect(message.usage).toMatchObject({ inference_geo: "us", speed: "fast", service_tier: "standard" });
  });

  it("counts the tokens of a request as it would bill them", async () => {
    const { client } = await startSandbox();
    const { max_tokens: _, ...request } = ask("How many tokens are in this?");
    const counted = await client.messages.countTokens({ ...request, tools: [BASH], system: "Be brief." });
    const billed = await client.messages.create({ ...request, max_tokens: 10, tools: [BASH], system: "Be brief." });
    expect(counted.input_tokens).toBe(billed.usage.input_tokens);
  });

  it("does not count the attribution block that Claude Code puts first", async () => {
    const { client } = await startSandbox();
    const withBlock = { type: "text" as const, text: "x-anthropic-billing-header: cc_version=2.1; cc_entrypoint=cli;" };
    const plain = await client.messages.create({ ...ask("hi"), system: [{ type: "text", text: "Be brief." }] });
    const attributed = await client.messages.create({
      ...ask("hi"),
      system: [withBlock, { type: "text", text: "Be brief." }],
    });
    expect(attributed.usage.input_tokens).toBe(plain.usage.input_tokens);
  });

  it("lists its models, page by page, and each alone", async () => {
    const { client } = await startSandbox();
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 3 })) ids.push(model.id);
    expect(ids).toEqual(MODELS.map((model) => model.id));
    expect(await client.models.retrieve(MODEL)).toMatchObject({
      type: "model",
      display_name: "Claude Sonnet 5.5 (sandbox)",
      line: "sonnet",
    });
    await expect(client.models.retrieve("nonesuch")).rejects.toMatchObject({ status: 404 });
  });

  it("answers the connection probe without a key", async () => {
    const { sandbox } = await startSandbox();
    expect((await fetch(`${sandbox.url}/api/hello`, { method: "HEAD" })).status).toBe(200);
  });

  it("accepts a compressed body and refuses what it cannot read", async () => {
    const { sandbox } = await startSandbox();
    const headers = { "x-api-key": "k", "anthropic-version": "2023-06-01" };
    const post = (body: string | Uint8Array<ArrayBuffer>, extra: Record<string, string> = {}): Promise<Response> =>
      fetch(`${sandbox.url}/v1/messages`, { method: "POST", body, headers: { ...headers, ...extra } });
    expect(
      (await post(new Uint8Array(gzipSync(JSON.stringify(ask("hi")))), { "content-encoding": "gzip" })).status,
    ).toBe(200);
    expect(await (await post("not gzip", { "content-encoding": "gzip" })).json()).toMatchObject({
      error: { details: { error_code: "request_body_encoding_invalid" } },
    });
    expect(await (await post("{}", { "content-encoding": "rot13" })).json()).toMatchObject({
      error: { details: { error_code: "request_body_encoding_unsupported" } },
    });
    const bomb = await post(new Uint8Array(gzipSync(Buffer.alloc(33 * 1024 * 1024))), { "content-encoding": "gzip" });
    expect(bomb.status).toBe(413);
    expect(await (await post("{")).json()).toMatchObject({
      error: { message: expect.stringMatching(/^The request body is not valid JSON/) },
    });
  });

  it("refuses a body that is too large before reading it", async () => {
    const { sandbox } = await startSandbox();
    const { port } = new URL(sandbox.url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), "127.0.0.1", () => {
        socket.write(
          "POST /v1/messages HTTP/1.1\r\nhost: x\r\nx-api-key: k\r\nanthropic-version: 1\r\ncontent-length: 99999999999\r\n\r\n",
        );
      });
      let received = "";
      socket.on("data", (chunk) => (received += chunk.toString()));
      socket.on("end", () => resolve(received));
      socket.on("error", reject);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 413 [\s\S]*request_too_large/);
  });

  it("answers a wrong path with 404 and a wrong method with 405", async () => {
    const { sandbox } = await startSandbox();
    expect((await fetch(`${sandbox.url}/v1/nowhere`)).status).toBe(404);
    const wrong = await fetch(`${sandbox.url}/v1/messages`);
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "POST"]);
  });

  it("shows every request as it came to whoever watches", async () => {
    const seen: SeenRequest[] = [];
    const { client } = await startSandbox({ onRequest: (request) => seen.push(request) });
    await client.messages.create(ask("hi"), { query: { beta: "true" } });
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({
      method: "POST",
      url: "/v1/messages?beta=true",
      headers: { authorization: "Bearer test-key" },
    });
    expect(JSON.parse(seen[0]!.body.toString())).toEqual(ask("hi"));
  });

  it("survives a client that goes away while sending", async () => {
    const { sandbox, client } = await startSandbox();
    await new Promise<void>((resolve) => {
      const leaving = request(`${sandbox.url}/v1/messages`, {
        method: "POST",
        headers: { "x-api-key": "k", "anthropic-version": "1", "content-length": "100" },
      });
      leaving.on("error", () => resolve());
      leaving.write("{", () => leaving.destroy(new Error("gone")));
    });
    await expect(client.messages.create(ask("hi"))).resolves.toBeDefined();
  });

  it("starts and stops more than once", async () => {
    const sandbox = new SandboxUpstream({ models: MODELS });
    expect(() => sandbox.url).toThrow(/before it has been started/);
    await sandbox.start();
    await sandbox.start();
    const { url } = sandbox;
    await sandbox.stop();
    await sandbox.stop();
    await expect(fetch(url)).rejects.toThrow();
  });
});
