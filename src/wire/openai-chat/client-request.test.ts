import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { openaiChatClient } from "./openai-chat-client.ts";

const USER = { role: "user", content: "Hi" };

function call(body: object) {
  const bytes = Buffer.from(JSON.stringify({ model: "claude-opus-4-5", messages: [USER], ...body }));
  return openaiChatClient.decode({
    operation: "messages",
    body: bytes,
    pathModel: null,
    pathStream: null,
    maxDepth: 64,
  });
}

/** The Messages request without the members that every one has. */
function canonical(body: object): Record<string, unknown> {
  const { model: _model, max_tokens: _max, messages: _messages, ...rest } = JSON.parse(call(body).canonical.toString());
  return rest;
}

function messagesOf(messages: object[]): unknown {
  return JSON.parse(call({ messages }).canonical.toString()).messages;
}

function warned(body: object): string[] {
  return call(body).warnings.map(({ field }) => field);
}

function refusal(body: object): string {
  try {
    call(body);
  } catch (error) {
    if (error instanceof WeirError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "was taken";
}

describe("a Chat Completions request as a Messages request", () => {
  it("takes the plainest request, with a limit that Messages wants and Chat does not", () => {
    expect(JSON.parse(call({}).canonical.toString())).toEqual({
      model: "claude-opus-4-5",
      max_tokens: 32_000,
      messages: [USER],
    });
    expect(call({}).warnings).toEqual([]);
  });

  it("takes the model from the path, as Azure's clients send it", () => {
    const body = Buffer.from(JSON.stringify({ messages: [USER] }));
    const path = { pathModel: "claude-opus-5", pathStream: null, maxDepth: 64 };
    const { canonical } = openaiChatClient.decode({ operation: "messages", body, ...path });
    expect(JSON.parse(canonical.toString())).toMatchObject({ model: "claude-opus-5", messages: [USER] });
  });

  it("takes max_completion_tokens before max_tokens", () => {
    const { max_tokens } = JSON.parse(call({ max_tokens: 5, max_completion_tokens: 7 }).canonical.toString());
    expect(max_tokens).toBe(7);
  });

  it("translates the common options", () => {
    const body = { stream: true, temperature: 0.5, stop: "END", user: "u1", parallel_tool_calls: false };
    expect(canonical(body)).toEqual({
      stream: true,
      temperature: 0.5,
      stop_sequences: ["END"],
      metadata: { user_id: "u1" },
    });
  });

  it("passes what is Messages' own, and betas to the header", () => {
    const own = { top_k: 5, context_management: { edits: [] }, some_later_field: { a: 1 }, speed: "fast" };
    expect(canonical(own)).toEqual(own);
    expect(call({ anthropic_beta: "a, b" }).betas).toEqual(["a", "b"]);
    expect(call({ anthropic_beta: ["a"] }).betas).toEqual(["a"]);
  });

  it("says so where a member of Messages' own loses to one of Chat Completions", () => {
    const said = { stop_sequences: ["a"], stop: ["b"], top_k: 5 };
    expect(canonical(said)).toEqual({ stop_sequences: ["b"], top_k: 5 });
    expect(call(said).warnings.map(({ field }) => field)).toEqual(["stop_sequences"]);
  });
});

describe("the conversation", () => {
  it("puts system and developer text first, and says so when it was moved", () => {
    const messages = [
      { role: "system", content: "A" },
      USER,
      { role: "developer", content: [{ type: "text", text: "B", cache_control: { type: "ephemeral", ttl: "1h" } }] },
    ];
    expect(canonical({ messages })).toEqual({
      system: [
        { type: "text", text: "A" },
        { type: "text", text: "B", cache_control: { type: "ephemeral", ttl: "1h" } },
      ],
    });
    expect(warned({ messages })).toEqual(["messages[2]"]);
  });

  it("makes blocks of parts: text, images, files, breakpoints of the cache", () => {
    const content = [
      { type: "text", text: "See", prompt_cache_breakpoint: { mode: "explicit" } },
      { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } },
      { type: "image_url", image_url: { url: "https://e.org/a.jpg" }, cache_control: { type: "ephemeral" } },
      { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0" } },
      { type: "file", file: { filename: "a.txt", file_data: "data:text/plain;base64,w7Y=" } },
      { type: "file", file: { file_id: "file_1" } },
      { type: "text", text: "" },
    ];
    const messages = [{ role: "user", content }];
    expect(messagesOf(messages)).toEqual([
      {
        role: "user",
        content: [
          { type: "text", text: "See", cache_control: { type: "ephemeral" } },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } },
          { type: "image", source: { type: "url", url: "https://e.org/a.jpg" }, cache_control: { type: "ephemeral" } },
          {
            type: "document",
            source: { type: "base64", media_type: "application/pdf", data: "JVBERi0" },
            title: "a.pdf",
          },
          { type: "document", source: { type: "text", media_type: "text/plain", data: "ö" }, title: "a.txt" },
          { type: "document", source: { type: "file", file_id: "file_1" } },
        ],
      },
    ]);
    expect(call({ messages }).betas).toEqual(["files-api-2025-04-14"]);
  });

  it("gathers tool results, and what the user says after them, in one turn", () => {
    const tool_calls = [
      { id: "call_1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
      { id: "call:2", type: "function", function: { name: "g", arguments: "" } },
    ];
    const messages = [
      USER,
      { role: "assistant", content: "Wait", tool_calls },
      { role: "tool", tool_call_id: "call_1", content: "one" },
      { role: "tool", tool_call_id: "call:2", content: [{ type: "text", text: "two" }] },
      { role: "user", content: "Well?" },
    ];
    const turns = messagesOf(messages) as { content: { id?: string; tool_use_id?: string }[] }[];
    const madeOver = turns[1]?.content[2]?.id;
    expect(madeOver).toMatch(/^[a-zA-Z0-9_-]+$/);
    expect(turns.slice(1)).toEqual([
      {
        role: "assistant",
        content: [
          { type: "text", text: "Wait" },
          { type: "tool_use", id: "call_1", name: "f", input: { a: 1 } },
          { type: "tool_use", id: madeOver, name: "g", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: "one" },
          { type: "tool_result", tool_use_id: madeOver, content: "two" },
          { type: "text", text: "Well?" },
        ],
      },
    ]);
  });

  it("keeps arguments that are no JSON object whole, and says so", () => {
    const tool_calls = [{ id: "c", type: "function", function: { name: "f", arguments: '{"a":' } }];
    const messages = [USER, { role: "assistant", content: null, tool_calls }];
    expect(messagesOf(messages)).toMatchObject([
      USER,
      { content: [{ type: "tool_use", input: { unparsed_arguments: '{"a":' } }] },
    ]);
    expect(warned({ messages })).toEqual(["messages[1].tool_calls[0].function.arguments"]);
  });

  it("sends signed thinking back before everything else, and cannot send unsigned reasoning", () => {
    const thinking_blocks = [
      { type: "thinking", thinking: "t", signature: "s" },
      { type: "redacted_thinking", data: "d" },
    ];
    const signed = { role: "assistant", content: "a", reasoning_content: "t", thinking_blocks };
    expect(messagesOf([USER, signed])).toMatchObject([USER, { content: [...thinking_blocks, { text: "a" }] }]);
    expect(warned({ messages: [USER, signed] })).toEqual([]);
    const unsigned = { role: "assistant", content: "a", reasoning_content: "t" };
    expect(messagesOf([USER, unsigned])).toEqual([USER, { role: "assistant", content: "a" }]);
    expect(warned({ messages: [USER, unsigned] })).toEqual(["messages[1].reasoning_content"]);
  });

  it("understands calls and results from before tool_calls", () => {
    const messages = [
      USER,
      { role: "assistant", content: null, function_call: { name: "f", arguments: "{}" } },
      { role: "function", name: "f", content: "done" },
    ];
    expect(messagesOf(messages)).toMatchObject([
      USER,
      { content: [{ type: "tool_use", id: "call_function_1", name: "f" }] },
      { content: [{ type: "tool_result", tool_use_id: "call_function_1", content: "done" }] },
    ]);
  });
});

describe("tools", () => {
  const fn = { name: "f", description: "d", parameters: { type: "object", properties: {} }, strict: true };
  const tools = [{ type: "function", function: fn }];

  it("makes tools of functions and keeps tools in Messages' shape", () => {
    const search = { type: "web_search_20250305", name: "web_search", max_uses: 2 };
    const cached = { type: "function", function: { name: "g" }, cache_control: { type: "ephemeral" } };
    expect(canonical({ tools: [...tools, cached, search] })["tools"]).toEqual([
      { name: "f", description: "d", input_schema: { type: "object", properties: {} }, strict: true },
      { name: "g", input_schema: { type: "object", properties: {} }, cache_control: { type: "ephemeral" } },
      search,
    ]);
  });

  it.each([
    ["auto", undefined, { type: "auto" }],
    ["none", undefined, { type: "none" }],
    ["required", false, { type: "any", disable_parallel_tool_use: true }],
    [{ type: "function", function: { name: "f" } }, true, { type: "tool", name: "f" }],
    [undefined, false, { type: "auto", disable_parallel_tool_use: true }],
    [undefined, undefined, undefined],
  ])("translates tool_choice %j with parallel_tool_calls %j", (tool_choice, parallel_tool_calls, expected) => {
    expect(canonical({ tools, tool_choice, parallel_tool_calls })["tool_choice"]).toEqual(expected);
  });

  it("offers only the allowed tools", () => {
    const both = [...tools, { type: "function", function: { name: "g" } }];
    const allowed_tools = { mode: "required", tools: [{ type: "function", function: { name: "g" } }] };
    const out = canonical({ tools: both, tool_choice: { type: "allowed_tools", allowed_tools } });
    expect(out).toMatchObject({ tools: [{ name: "g" }], tool_choice: { type: "any" } });
  });

  it("makes a tool of web_search_options", () => {
    const user_location = { type: "approximate", approximate: { country: "DE" } };
    expect(canonical({ web_search_options: { user_location } })["tools"]).toEqual([
      { type: "web_search_20250305", name: "web_search", user_location: { type: "approximate", country: "DE" } },
    ]);
  });
});

describe("answers of a given form", () => {
  it("translates json_schema and turns json_object into an instruction", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const format = { type: "json_schema", json_schema: { name: "n", schema, strict: true } };
    expect(canonical({ response_format: format })["output_config"]).toEqual({
      format: { type: "json_schema", schema },
    });
    const loose = { response_format: { type: "json_object" } };
    expect(canonical(loose)).toMatchObject({ system: [{ text: expect.stringContaining("JSON object") }] });
    expect(warned(loose)).toEqual(["response_format"]);
    expect(canonical({ response_format: { type: "text" } })).toEqual({});
  });
});

describe("thinking", () => {
  it.each([
    ["claude-opus-4-5", "high", { thinking: { type: "enabled", budget_tokens: 25_600 } }],
    ["claude-opus-4-5", "low", { thinking: { type: "enabled", budget_tokens: 4000 } }],
    ["claude-opus-4-5", "none", {}],
    ["claude-opus-5", "max", { thinking: { type: "adaptive" }, output_config: { effort: "max" } }],
    ["claude-opus-5", "none", { thinking: { type: "disabled" } }],
    ["claude-sonnet-5-5", "none", { thinking: { type: "between_tools" } }],
    ["claude-opus-5-5", "none", { output_config: { effort: "low" } }],
    ["claude-opus-4-6", "xhigh", { thinking: { type: "adaptive" }, output_config: { effort: "high" } }],
    ["my-alias", "medium", { thinking: { type: "adaptive" }, output_config: { effort: "medium" } }],
  ])("asks %s for effort %s", (model, reasoning_effort, fields) => {
    expect(canonical({ model, reasoning_effort, max_tokens: 32_000 })).toEqual(fields);
  });

  it("takes a thinking object as it is, before reasoning_effort", () => {
    const thinking = { type: "enabled", budget_tokens: 2000 };
    expect(canonical({ thinking, reasoning_effort: "high" })).toEqual({ thinking });
    expect(warned({ thinking, reasoning_effort: "high" })).toEqual(["reasoning_effort"]);
  });

  it("does not let a model think that must use a tool, where the two exclude each other", () => {
    const tools = [{ type: "function", function: { name: "f" } }];
    const body = { tools, tool_choice: "required", reasoning_effort: "high" };
    expect(canonical(body)["thinking"]).toBeUndefined();
    expect(warned(body)).toEqual(["reasoning_effort"]);
    expect(canonical({ ...body, model: "claude-opus-5" })).toMatchObject({ output_config: { effort: "high" } });
  });

  it("leaves out sampling that a thinking or a newer model does not take, and says so", () => {
    expect(canonical({ temperature: 0.2, reasoning_effort: "low" })["temperature"]).toBeUndefined();
    expect(canonical({ model: "claude-opus-4-8", temperature: 0.2 })).toEqual({});
    expect(warned({ model: "claude-opus-4-8", temperature: 0.2, top_p: 0.5 })).toEqual(["temperature", "top_p"]);
    expect(warned({ model: "claude-opus-4-8", temperature: 1 })).toEqual([]);
    expect(canonical({ temperature: 1.7 })["temperature"]).toBe(1);
    expect(warned({ temperature: 1.7, top_p: 0.5 })).toEqual(["temperature", "top_p"]);
  });
});

describe("what Messages cannot do", () => {
  it.each([
    [{ n: 2 }, "n: "],
    [{ logprobs: true }, "logprobs: "],
    [{ top_logprobs: 2 }, "logprobs: "],
    [{ logit_bias: { "50256": -100 } }, "logit_bias: "],
    [{ modalities: ["text", "audio"] }, "modalities: "],
    [{ audio: { voice: "ash" } }, "audio: "],
    [{ moderation: { model: "m" } }, "moderation: "],
    [{ stop: ["\n"] }, "stop[0]: "],
    [{ tools: [{ type: "custom", custom: { name: "c" } }] }, "tools[0].type: "],
    [{ messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] }, "messages[0].content[0]: "],
  ])("refuses %j with its name", (body, start) => {
    expect(refusal(body)).toContain(`weir:request:unsupported_feature ${start}`);
  });

  it.each([
    ["seed", 7],
    ["presence_penalty", 0.5],
    ["frequency_penalty", -1],
    ["store", true],
    ["prediction", { type: "content", content: "x" }],
    ["verbosity", "low"],
    ["prompt_cache_key", "k"],
    ["service_tier", "flex"],
  ])("leaves the hint %s out and says so", (field, value) => {
    expect(warned({ [field]: value })).toEqual([field]);
    expect(canonical({ [field]: value })).toEqual({});
  });

  it("says nothing of hints at their defaults", () => {
    const body = { n: 1, logprobs: false, logit_bias: {}, presence_penalty: 0, store: false, seed: null, stop: null };
    expect(warned(body)).toEqual([]);
  });
});

describe("requests that are wrong", () => {
  it.each([
    [{ model: 5 }, "model: expected a string, got a number"],
    [{ messages: "x" }, "messages: expected an array, got a string"],
    [
      { messages: [{ role: "user", content: 5 }] },
      "messages[0].content: expected a string or an array of parts, got a number",
    ],
    [{ messages: [{ role: "robot", content: "" }] }, "messages[0].role: expected developer, system, user, assistant"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id: required, expected a string"],
    [
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages[0].content[0].image_url.url: ",
    ],
    [{ temperature: 3 }, "temperature: expected a number from 0 to 2"],
    [{ max_tokens: 0 }, "max_tokens: expected a whole number of at least 1"],
    [{ reasoning_effort: "much" }, "reasoning_effort: expected one of none, minimal"],
    [{ tools: [{ type: "function" }] }, "tools[0].function: required"],
    [{ response_format: { type: "json_schema" } }, "response_format.json_schema: required"],
  ])("says where and what in %j", (body, message) => {
    expect(refusal(body)).toContain(`weir:request:invalid_field ${message}`);
  });

  it("refuses what is no JSON object", () => {
    const decode = (text: string) =>
      openaiChatClient.decode({
        operation: "messages",
        body: Buffer.from(text),
        pathModel: null,
        pathStream: null,
        maxDepth: 4,
      });
    expect(() => decode("{")).toThrow(/not valid JSON/);
    expect(() => decode("[]")).toThrow(/must be a JSON object/);
    expect(() => decode('{"model":"a","model":"b"}')).toThrow(/twice/);
    expect(() => decode('{"a":[[[[[1]]]]]}')).toThrow(/nested deeper/);
  });
});
