/** @anthropic-ai/sdk against a real Weir with its built-in sandbox: what a developer does on the first day. */
import Anthropic, { NotFoundError } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { exactCostMicroUsd } from "../harness/exact-cost.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const MODEL = "claude-sonnet-5-5";
const HELLO = { model: MODEL, max_tokens: 200, messages: [{ role: "user" as const, content: "Say hello." }] };

let weir: WeirProcess;
let client: Anthropic;

beforeAll(async () => {
  weir = await WeirProcess.start();
  client = new Anthropic({ apiKey: weir.key, baseURL: weir.url, maxRetries: 0 });
});
afterAll(async () => weir.dispose());

describe("messages", () => {
  it("are answered, and the answer says that a sandbox gave it", async () => {
    const { data, response } = await client.messages.create(HELLO).withResponse();
    expect(data).toMatchObject({ type: "message", role: "assistant", model: MODEL, stop_reason: "end_turn" });
    expect(data.content[0]).toMatchObject({ type: "text", text: expect.stringMatching(/./) });
    expect(response.headers.get("x-weir-sandbox")).toBe("1");
    expect(response.headers.get("request-id")).toMatch(/^req_/);
  });

  it("take a bearer token as they take a key", async () => {
    const bearer = new Anthropic({ apiKey: null, authToken: weir.key, baseURL: weir.url, maxRetries: 0 });
    expect((await bearer.messages.create(HELLO)).type).toBe("message");
  });

  it("streamed, give the same text event by event as whole, and usage at the end", async () => {
    const stream = client.messages.stream(HELLO);
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const message = await stream.finalMessage();
    expect(message.content[0]).toMatchObject({ type: "text", text });
    expect(message.stop_reason).toBe("end_turn");
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(stream.request_id).toMatch(/^req_/);
  });

  it("with tools go round: call, result, answer", async () => {
    const tools: Anthropic.Tool[] = [
      {
        name: "Bash",
        description: "Runs a shell command",
        input_schema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
      },
    ];
    const ask: Anthropic.MessageParam = { role: "user", content: "Run `echo from-the-tool` please." };
    const first = await client.messages.create({ ...HELLO, tools, messages: [ask] });
    expect(first.stop_reason).toBe("tool_use");
    const call = first.content.find((block) => block.type === "tool_use");
    expect(call).toMatchObject({ name: "Bash", input: { command: "echo from-the-tool" } });
    const result: Anthropic.MessageParam = {
      role: "user",
      content: [{ type: "tool_result", tool_use_id: call!.id, content: "from-the-tool" }],
    };
    const answer: Anthropic.MessageParam = { role: "assistant", content: first.content };
    const second = await client.messages.create({ ...HELLO, tools, messages: [ask, answer, result] });
    expect(second.stop_reason).toBe("end_turn");
    expect(JSON.stringify(second.content)).toContain("from-the-tool");
  });

  it("with thinking carry the thinking and its signature through", async () => {
    const message = await client.messages.create({
      ...HELLO,
      max_tokens: 4_000,
      thinking: { type: "enabled", budget_tokens: 1_024 },
    });
    expect(message.content[0]).toMatchObject({ type: "thinking", signature: expect.stringMatching(/./) });
  });

  it("that repeat a marked prefix are cached, and charged as such", async () => {
    const system: Anthropic.TextBlockParam[] = [
      { type: "text", text: "You know this by heart. ".repeat(800), cache_control: { type: "ephemeral" } },
    ];
    const headers = { "x-claude-code-session-id": "cached" };
    const first = await client.messages.create({ ...HELLO, system }, { headers });
    const second = await client.messages.create({ ...HELLO, system }, { headers });
    expect(first.usage.cache_creation_input_tokens).toBeGreaterThan(1_000);
    expect(second.usage.cache_read_input_tokens).toBe(first.usage.cache_creation_input_tokens);
    const rows = (await weir.entries((rows) => rows.filter((row) => row.sessionId === "cached").length === 2)).filter(
      (row) => row.sessionId === "cached",
    );
    expect(rows.map((row) => row.usage)).toMatchObject([
      { cacheWrite5mTokens: first.usage.cache_creation_input_tokens, outputTokens: first.usage.output_tokens },
      { cacheReadTokens: second.usage.cache_read_input_tokens, outputTokens: second.usage.output_tokens },
    ]);
    for (const row of rows) expect(row.costMicroUsd).toBe(exactCostMicroUsd(MODEL, row.usage));
    expect(rows[1]!.costMicroUsd).toBeLessThan(rows[0]!.costMicroUsd);
  });
});

describe("the other endpoints", () => {
  it("count tokens", async () => {
    const { input_tokens } = await client.messages.countTokens({ model: MODEL, messages: HELLO.messages });
    expect(input_tokens).toBeGreaterThan(0);
  });

  it("list models page by page, each once, and give one by its id", async () => {
    const ids: string[] = [];
    for await (const model of client.models.list({ limit: 3 })) ids.push(model.id);
    expect(ids).toContain(MODEL);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.length).toBeGreaterThan(10);
    expect(await client.models.retrieve(MODEL)).toMatchObject({ type: "model", id: MODEL });
    await expect(client.models.retrieve("claude-nothing")).rejects.toBeInstanceOf(NotFoundError);
  });

  it("all models that are listed can be asked", async () => {
    const { data } = await client.models.list({ limit: 1_000 });
    const answers = await Promise.all(data.map(({ id }) => client.messages.create({ ...HELLO, model: id })));
    expect(answers.map((answer) => answer.type)).toEqual(data.map(() => "message"));
  });
});
