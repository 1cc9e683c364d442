/** The stand-ins of OpenAI, of compatible servers and of Azure OpenAI: asked by OpenAI's own SDK, and wrongly. */
import OpenAI, { AzureOpenAI } from "openai";
import type { ResponseInput } from "openai/resources/responses/responses";
import { describe, expect, it } from "vitest";

import { TEST_AZURE_KEY } from "../azure-auth.ts";
import type { CloudServer } from "../cloud-server.ts";
import { rejectionOf, startCloud } from "../testing.ts";
import {
  OpenAiCloud,
  TEST_EMBEDDING_MODEL,
  TEST_OPENAI_KEY,
  TEST_OPENAI_MODEL,
  type OpenAiOptions,
} from "./openai-cloud.ts";

const USER = { role: "user" as const, content: "Say hello." };
const BASH = {
  type: "function" as const,
  function: {
    name: "bash",
    parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
  },
};
const AZURE: OpenAiOptions = {
  flavour: "azure",
  models: { "my-chat": TEST_OPENAI_MODEL, "my-vectors": TEST_EMBEDDING_MODEL },
  tokens: ["entra-token"],
};
const COMPATIBLE: OpenAiOptions = { flavour: "compatible", keys: "none", models: { "local-model": "local-model" } };

const start = (options: OpenAiOptions = {}): Promise<CloudServer<OpenAiCloud>> => startCloud(new OpenAiCloud(options));

function client(server: CloudServer, apiKey = TEST_OPENAI_KEY): OpenAI {
  return new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 });
}

function post(server: CloudServer, path: string, body: object, headers?: Record<string, string>): Promise<Response> {
  return fetch(server.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...(headers ?? { authorization: `Bearer ${TEST_OPENAI_KEY}` }) },
  });
}

/** The data lines of a streamed answer, `[DONE]` as it stands. */
async function linesOf(response: Response): Promise<unknown[]> {
  const lines = (await response.text()).split("\n").filter((line) => line.startsWith("data: "));
  return lines.map((line) => (line === "data: [DONE]" ? "[DONE]" : JSON.parse(line.slice(6))));
}

describe("Chat Completions, asked by the official SDK", () => {
  it("answers, streams the same, and counts tokens where asked", async () => {
    const server = await start();
    const question = { model: TEST_OPENAI_MODEL, messages: [USER] };
    const whole = await client(server).chat.completions.create(question);
    const stream = client(server).chat.completions.stream({ ...question, stream_options: { include_usage: true } });
    const streamed = await stream.finalChatCompletion();
    expect(streamed.choices[0]?.message.content).toBe(whole.choices[0]?.message.content);
    expect(streamed.choices[0]?.finish_reason).toBe("stop");
    expect(whole.usage?.prompt_tokens).toBeGreaterThan(0);
    expect(streamed.usage).toMatchObject({ completion_tokens: whole.usage?.completion_tokens });
    expect(server.problems).toEqual([]);
    expect(server.charges).toMatchObject([{ model: TEST_OPENAI_MODEL }, { model: TEST_OPENAI_MODEL }]);
  });

  it("begins a stream with the role and ends it with reason, usage and [DONE]", async () => {
    const server = await start();
    const body = { model: TEST_OPENAI_MODEL, messages: [USER], stream: true, stream_options: { include_usage: true } };
    const lines = await linesOf(await post(server, "/v1/chat/completions", body));
    expect(lines[0]).toMatchObject({
      choices: [{ delta: { role: "assistant", content: "" }, finish_reason: null }],
      usage: null,
    });
    expect(lines.at(-3)).toMatchObject({ choices: [{ delta: {}, finish_reason: "stop" }] });
    expect(lines.at(-2)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) } });
    expect(lines.at(-1)).toBe("[DONE]");
    const { stream_options: _, ...plain } = body;
    const without = await linesOf(await post(server, "/v1/chat/completions", plain));
    expect(JSON.stringify(without)).not.toContain("total_tokens");
  });

  it("calls tools, several at once, and takes their results", async () => {
    const server = await start();
    const messages = [{ role: "user" as const, content: "Run `echo one` and run `echo two` in parallel." }];
    const question = { model: TEST_OPENAI_MODEL, messages, tools: [BASH] };
    const completion = await client(server).chat.completions.stream(question).finalChatCompletion();
    const asked = completion.choices[0]?.message;
    expect(completion.choices[0]?.finish_reason).toBe("tool_calls");
    const calls = asked?.tool_calls?.map((call) => (call.type === "function" ? call.function.arguments : "")) ?? [];
    expect(calls.map((text) => JSON.parse(text))).toMatchObject([{ command: "echo one" }, { command: "echo two" }]);
    const second = await client(server).chat.completions.create({
      ...question,
      messages: [
        ...messages,
        { role: "assistant", content: asked?.content ?? null, tool_calls: asked?.tool_calls ?? [] },
        ...(asked?.tool_calls ?? []).map((call) => ({ role: "tool" as const, tool_call_id: call.id, content: "done" })),
      ],
    });
    expect(second.choices[0]?.finish_reason).toBe("stop");
    expect(server.problems).toEqual([]);
  });

  it("gives structured output, and stops at the limit", async () => {
    const server = await start();
    const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const structured = await client(server).chat.completions.create({
      model: TEST_OPENAI_MODEL,
      messages: [USER],
      response_format: { type: "json_schema", json_schema: { name: "place", schema } },
    });
    expect(JSON.parse(structured.choices[0]?.message.content ?? "")).toMatchObject({ city: expect.any(String) });
    const short = await client(server).chat.completions.create({
      model: TEST_OPENAI_MODEL,
      messages: [{ role: "user", content: "Tell a story. [[sandbox: tokens=400]]" }],
      max_completion_tokens: 20,
      reasoning_effort: "none",
    });
    expect(short.choices[0]?.finish_reason).toBe("length");
    expect(server.problems).toEqual([]);
  });

  it("shows reasoning only where servers do: hidden at OpenAI and counted, as reasoning_content elsewhere", async () => {
    const openai = await start();
    const body = { messages: [USER], reasoning_effort: "high", stream: true, stream_options: { include_usage: true } };
    const hidden = await linesOf(await post(openai, "/v1/chat/completions", { ...body, model: TEST_OPENAI_MODEL }));
    expect(JSON.stringify(hidden)).not.toContain("reasoning_content");
    const usage = { completion_tokens_details: { reasoning_tokens: expect.any(Number) } };
    expect(hidden.at(-2)).toMatchObject({ usage });
    expect(hidden.at(-2)).not.toMatchObject({ usage: { completion_tokens_details: { reasoning_tokens: 0 } } });
    const compatible = await start(COMPATIBLE);
    const shown = await linesOf(await post(compatible, "/v1/chat/completions", { ...body, model: "local-model" }, {}));
    expect(JSON.stringify(shown)).toContain("reasoning_content");
    expect([...openai.problems, ...compatible.problems]).toEqual([]);
  });

  it("gives the SDK errors before and within a stream", async () => {
    const server = await start();
    const question = { model: TEST_OPENAI_MODEL, messages: [USER] };
    server.nextFault({ kind: "prompt_too_long" });
    const long = await rejectionOf(client(server).chat.completions.create(question));
    expect(long).toMatchObject({ status: 400, code: "context_length_exceeded" });
    server.nextFault({ kind: "error_event", afterEvents: 2, status: 500, message: "The server had an error" });
    const broken = client(server).chat.completions.stream(question).finalChatCompletion();
    expect((await rejectionOf(broken)).message).toContain("The server had an error");
  });
});

describe("Responses, asked by the official SDK", () => {
  it("answers, streams the same, and shows reasoning as asked", async () => {
    const server = await start();
    const question = {
      model: TEST_OPENAI_MODEL,
      input: "Say hello.",
      reasoning: { effort: "high" as const, summary: "auto" as const },
      include: ["reasoning.encrypted_content" as const],
    };
    const whole = await client(server).responses.create(question);
    const streamed = await client(server).responses.stream(question).finalResponse();
    expect(whole.output.map((item) => item.type)).toEqual(["reasoning", "message"]);
    expect(streamed.output_text).toBe(whole.output_text);
    expect(streamed.output[0]).toMatchObject({
      summary: [{ type: "summary_text" }],
      encrypted_content: expect.any(String),
    });
    expect(whole.usage?.output_tokens_details.reasoning_tokens).toBeGreaterThan(0);
    expect(server.problems).toEqual([]);
  });

  it("numbers its events and begins and ends every item", async () => {
    const server = await start();
    const body = { model: TEST_OPENAI_MODEL, input: "Say hello.", stream: true, reasoning: { effort: "none" } };
    const lines = (await linesOf(await post(server, "/v1/responses", body))) as {
      type: string;
      sequence_number: number;
    }[]; // events all
    expect(lines.map((line) => line.sequence_number)).toEqual(lines.map((_, index) => index));
    const types = lines.map((line) => line.type).filter((type) => type !== "response.output_text.delta");
    expect(types).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.completed",
    ]);
  });

  it("calls a function and takes everything back as it gave it, reasoning included", async () => {
    const server = await start();
    const tool = { type: "function" as const, name: "bash", parameters: BASH.function.parameters, strict: false };
    const question = {
      model: TEST_OPENAI_MODEL,
      tools: [tool],
      include: ["reasoning.encrypted_content" as const],
      store: false,
    };
    const input = [{ role: "user" as const, content: "Run `echo hi`." }];
    const first = await client(server)
      .responses.stream({ ...question, input })
      .finalResponse();
    const call = first.output.find((item) => item.type === "function_call");
    expect(JSON.parse(call?.arguments ?? "")).toMatchObject({ command: "echo hi" });
    // The SDK's helper adds to a call what the API does not take.
    const isOwn = (name: string): boolean => name !== "parsed_arguments";
    const back = first.output.map((item) => Object.fromEntries(Object.entries(item).filter(([name]) => isOwn(name))));
    const items = back as unknown as ResponseInput; // what was output, without that one member
    const second = await client(server).responses.create({
      ...question,
      input: [...input, ...items, { type: "function_call_output", call_id: call?.call_id ?? "", output: "hi" }],
    });
    expect(second.status).toBe("completed");
    expect(server.problems).toEqual([]);
  });

  it("says what is incomplete, and errors within a stream", async () => {
    const server = await start();
    const long = {
      model: TEST_OPENAI_MODEL,
      input: "Tell. [[sandbox: tokens=400]]",
      reasoning: { effort: "none" as const },
    };
    const cut = await client(server).responses.create({ ...long, max_output_tokens: 20 });
    expect(cut).toMatchObject({ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } });
    server.nextFault({ kind: "error_event", afterEvents: 4, message: "overloaded right now" });
    const broken = client(server).responses.stream(long).finalResponse();
    expect((await rejectionOf(broken)).message).toContain("overloaded right now");
  });
});

describe("Embeddings, asked by the official SDK", () => {
  it("gives the same vector for the same text, in either encoding, and charges for it", async () => {
    const server = await start();
    const ask = { model: TEST_EMBEDDING_MODEL, input: ["one", "two", "one"] };
    const coded = await client(server).embeddings.create(ask); // the SDK asks for base64 by itself
    const floats = await client(server).embeddings.create({ ...ask, encoding_format: "float" });
    expect(coded.data[0]?.embedding).toEqual(coded.data[2]?.embedding);
    expect(coded.data[0]?.embedding).not.toEqual(coded.data[1]?.embedding);
    expect(floats.data[1]?.embedding.map(Math.fround)).toEqual(coded.data[1]?.embedding.map(Math.fround));
    expect(floats.usage.prompt_tokens).toBeGreaterThan(0);
    expect(server.charges).toMatchObject([
      { model: TEST_EMBEDDING_MODEL, outcome: "whole" },
      { model: TEST_EMBEDDING_MODEL },
    ]);
    expect(server.problems).toEqual([]);
  });
});

describe("Azure OpenAI, asked by the official SDKs", () => {
  it("serves deployments by path and version, and by v1, with its additions to the stream", async () => {
    const server = await start(AZURE);
    const azure = new AzureOpenAI({
      endpoint: server.url,
      apiKey: TEST_AZURE_KEY,
      apiVersion: "2024-10-21",
      maxRetries: 0,
    });
    const byPath = await azure.chat.completions.create({ model: "my-chat", messages: [USER] });
    expect(byPath.model).toBe(TEST_OPENAI_MODEL);
    expect(server.requests[0]?.url).toBe("/openai/deployments/my-chat/chat/completions?api-version=2024-10-21");
    const key = { "api-key": TEST_AZURE_KEY };
    const v1 = await linesOf(
      await post(server, "/openai/v1/chat/completions", { model: "my-chat", messages: [USER], stream: true }, key),
    );
    expect(v1[0]).toMatchObject({ choices: [], prompt_filter_results: [{ prompt_index: 0 }] });
    expect(v1[1]).toMatchObject({ choices: [{ delta: { role: "assistant" }, content_filter_results: {} }] });
    const entra = { authorization: "Bearer entra-token" };
    expect((await post(server, "/openai/v1/responses", { model: "my-chat", input: "Hi" }, entra)).status).toBe(200);
    expect((await azure.embeddings.create({ model: "my-vectors", input: "x" })).model).toBe(TEST_EMBEDDING_MODEL);
    expect(server.problems).toEqual([]);
  });

  it.each<[string, string, Record<string, string>, number, string]>([
    [
      "no api-version",
      "/openai/deployments/my-chat/chat/completions",
      { "api-key": TEST_AZURE_KEY },
      404,
      "api-version",
    ],
    ["an unknown key", "/openai/v1/chat/completions", { "api-key": "x" }, 401, "the key in api-key is unknown"],
    ["OpenAI's own path", "/v1/chat/completions", { "api-key": TEST_AZURE_KEY }, 404, "there is no such path"],
    [
      "a key as bearer",
      "/openai/v1/chat/completions",
      { authorization: `Bearer ${TEST_AZURE_KEY}` },
      401,
      "the Entra token is unknown",
    ],
  ])("notes %s", async (_, ...[path, headers, status, reason]) => {
    const server = await start(AZURE);
    const response = await post(server, path, { model: "my-chat", messages: [USER] }, headers);
    expect(response.status).toBe(status);
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it("names a deployment that is not there, which is the caller's mistake", async () => {
    const server = await start(AZURE);
    const body = { model: "nothing", messages: [USER] };
    const response = await post(server, "/openai/v1/chat/completions", body, { "api-key": TEST_AZURE_KEY });
    expect(await response.json()).toMatchObject({ error: { code: "DeploymentNotFound" } });
    expect(server.problems).toEqual([]);
  });
});

describe("OpenAI's stand-in, asked wrongly", () => {
  const call = { id: "call_1", type: "function", function: { name: "bash", arguments: "{}" } };
  const chat = { model: TEST_OPENAI_MODEL, messages: [USER] };

  it.each<[string, object, string]>([
    ["a member of Messages", { ...chat, system: "x" }, "Unknown parameter: 'system'"],
    [
      "a member of Messages in a message",
      { ...chat, messages: [{ ...USER, cache_control: {} }] },
      "Unknown parameter: 'messages[0].cache_control'",
    ],
    ["a role that is none", { ...chat, messages: [{ role: "human", content: "x" }] }, "Invalid value: 'human'"],
    [
      "a block of Messages",
      { ...chat, messages: [{ role: "user", content: [{ type: "tool_result" }] }] },
      "Invalid value: 'tool_result'",
    ],
    [
      "a call without result",
      { ...chat, messages: [USER, { role: "assistant", content: null, tool_calls: [call] }, USER] },
      "did not have response messages: call_1",
    ],
    [
      "a result without call",
      { ...chat, messages: [USER, { role: "tool", tool_call_id: "call_1", content: "x" }] },
      "must be a response to a preceeding message",
    ],
    [
      "arguments that are no text",
      {
        ...chat,
        messages: [USER, { role: "assistant", tool_calls: [{ ...call, function: { name: "bash", arguments: {} } }] }],
      },
      "expected a string",
    ],
    [
      "an id that is too long",
      { ...chat, messages: [USER, { role: "assistant", tool_calls: [{ ...call, id: "x".repeat(41) }] }] },
      "maximum length 40",
    ],
    [
      "usage asked without a stream",
      { ...chat, stream_options: { include_usage: true } },
      "only allowed when 'stream' is enabled",
    ],
    ["the old limit at a reasoning model", { ...chat, max_tokens: 10 }, "'max_completion_tokens'"],
    ["a choice without tools", { ...chat, tool_choice: "auto" }, "only allowed when 'tools' are specified"],
    [
      "a tool's name that is none",
      { ...chat, tools: [{ type: "function", function: { name: "a b" } }] },
      "does not match pattern",
    ],
    [
      "a tool without an object",
      { ...chat, tools: [{ type: "function", function: { name: "a", parameters: { type: "string" } } }] },
      "schema must be a JSON Schema",
    ],
    [
      "an image that is none",
      { ...chat, messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "abc" } }] }] },
      "Invalid image URL",
    ],
    ["five stop sequences", { ...chat, stop: ["a", "b", "c", "d", "e"] }, "maximum length 4"],
  ])("notes %s in Chat Completions", async (_, body, reason) => {
    const server = await start();
    const response = await post(server, "/v1/chat/completions", body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.any(String) },
    });
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it.each<[string, object, string]>([
    [
      "a part of another role",
      { input: [{ role: "assistant", content: [{ type: "input_text", text: "x" }] }] },
      "Invalid value: 'input_text'",
    ],
    [
      "a call without output",
      { input: [{ type: "function_call", call_id: "c", name: "f", arguments: "{}" }] },
      "No tool output found for function call c",
    ],
    [
      "an output without call",
      { input: [{ type: "function_call_output", call_id: "c", output: "x" }] },
      "No tool call found for function call output",
    ],
    ["a strange id", { input: [{ role: "user", content: "x", id: "toolu_1" }] }, "begins with 'msg'"],
    [
      "reasoning that nobody sealed",
      {
        input: [
          { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "abc" },
          { role: "assistant", content: "x" },
        ],
      },
      "could not be verified",
    ],
    [
      "reasoning that leads to nothing",
      { input: [{ type: "reasoning", id: "rs_1", summary: [] }, USER] },
      "required following item",
    ],
    ["a limit that is too small", { input: "x", max_output_tokens: 5 }, ">= 16"],
    ["a member of Chat Completions", { input: "x", messages: [] }, "Unknown parameter: 'messages'"],
  ])("notes %s in Responses", async (_, members, reason) => {
    const server = await start();
    const response = await post(server, "/v1/responses", { model: TEST_OPENAI_MODEL, ...members });
    expect(response.status).toBe(400);
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it.each<[string, Record<string, string>, string]>([
    ["a wrong key", { authorization: "Bearer nobody" }, "Incorrect API key provided"],
    ["no key", {}, "You didn't provide an API key"],
    ["a key in another's header", { "x-api-key": TEST_OPENAI_KEY }, "the key came in x-api-key"],
  ])("refuses %s", async (_, headers, reason) => {
    const server = await start();
    expect((await post(server, "/v1/chat/completions", chat, headers)).status).toBe(401);
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
    expect(server.charges).toEqual([]);
  });
});
