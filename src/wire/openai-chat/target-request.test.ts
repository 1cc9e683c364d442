import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { scanRequest } from "../anthropic/request-scan.ts";
import { openaiChatTarget } from "./openai-chat-target.ts";

const USER = { role: "user", content: "Hi" };

function encode(body: object, upstreamModel = "gpt-4o") {
  const bytes = Buffer.from(JSON.stringify({ model: "m", max_tokens: 100, messages: [USER], ...body }));
  const scan = scanRequest(bytes, { maxDepth: 64, requireMaxTokens: true });
  return openaiChatTarget.encode({ operation: "messages", body: bytes, scan, betas: [], upstreamModel });
}

function chat(body: object, model?: string): Record<string, unknown> {
  return JSON.parse(encode(body, model).body.toString());
}

function options(body: object, model?: string): Record<string, unknown> {
  const { model: _model, messages: _messages, max_tokens: _limit, ...rest } = chat(body, model);
  return rest;
}

function warned(body: object, model?: string): string[] {
  return encode(body, model).warnings.map(({ field }) => field);
}

function refusal(body: object, model?: string): string {
  try {
    encode(body, model);
  } catch (error) {
    if (error instanceof WeirError) return `${error.code} ${error.message}`;
    throw error;
  }
  return "was taken";
}

describe("a Messages request as a Chat Completions request", () => {
  it("takes the plainest request", () => {
    expect(chat({})).toEqual({ model: "gpt-4o", messages: [USER], max_tokens: 100 });
  });

  it.each([
    ["gpt-4o", "max_tokens"],
    ["mistral-large", "max_tokens"],
    ["o4-mini", "max_completion_tokens"],
    ["openai/gpt-5.1", "max_completion_tokens"],
    ["gpt-6-sol", "max_completion_tokens"],
    ["gpt-5-chat-latest", "max_completion_tokens"],
  ])("limits the answer of %s by %s", (model, field) => {
    expect(chat({}, model)).toMatchObject({ [field]: 100 });
  });

  it("limits an Azure deployment whose name tells no model by what all models there take", () => {
    const bytes = Buffer.from(JSON.stringify({ model: "m", max_tokens: 100, messages: [USER] }));
    const scan = scanRequest(bytes, { maxDepth: 64, requireMaxTokens: true });
    const request = { operation: "messages", body: bytes, scan, betas: [], isDeployment: true } as const;
    const { body } = openaiChatTarget.encode({ ...request, upstreamModel: "team-a-chat" });
    expect(JSON.parse(body.toString())).toMatchObject({ max_completion_tokens: 100 });
    expect(chat({}, "team-a-chat")).toMatchObject({ max_tokens: 100 });
  });

  it("asks for the usage with every stream", () => {
    expect(options({ stream: true })).toEqual({ stream: true, stream_options: { include_usage: true } });
  });

  it("puts system text first, as one string, and keeps its place in between", () => {
    const system = [
      { type: "text", text: "A" },
      { type: "text", text: "B", cache_control: { type: "ephemeral" } },
    ];
    const body = { system, messages: [USER, { role: "system", content: "C" }] };
    expect(chat(body)["messages"]).toEqual([
      { role: "system", content: "A\n\nB" },
      USER,
      { role: "system", content: "C" },
    ]);
    expect(warned(body)).toEqual(["system[1].cache_control"]);
  });

  it("puts tool results before the text of their turn, images after, errors in words", () => {
    const messages = [
      USER,
      {
        role: "assistant",
        content: [
          { type: "thinking", thinking: "t", signature: "signed by Claude" },
          { type: "text", text: "Wait" },
          { type: "tool_use", id: "toolu_1", name: "f", input: { a: 1 } },
          { type: "tool_use", id: "toolu_2", name: "g", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          {
            type: "tool_result",
            tool_use_id: "toolu_1",
            content: [
              { type: "text", text: "seen" },
              { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } },
            ],
          },
          { type: "tool_result", tool_use_id: "toolu_2", content: "no such file", is_error: true },
          { type: "text", text: "Well?" },
        ],
      },
    ];
    expect(chat({ messages })["messages"]).toEqual([
      USER,
      {
        role: "assistant",
        content: "Wait",
        tool_calls: [
          { id: "toolu_1", type: "function", function: { name: "f", arguments: '{"a":1}' } },
          { id: "toolu_2", type: "function", function: { name: "g", arguments: "{}" } },
        ],
      },
      { role: "tool", tool_call_id: "toolu_1", content: "seen" },
      { role: "tool", tool_call_id: "toolu_2", content: "Error: no such file" },
      {
        role: "user",
        content: [
          { type: "text", text: "Attached by the result of tool call toolu_1:" },
          { type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } },
          { type: "text", text: "Well?" },
        ],
      },
    ]);
    expect(warned({ messages })).toEqual(["messages[1]", "messages[2].content[0].content"]);
  });

  it("gives a model its own unsigned reasoning back", () => {
    const content = [
      { type: "thinking", thinking: "t", signature: "weir-unsigned" },
      { type: "text", text: "a" },
    ];
    const messages = [USER, { role: "assistant", content }, USER];
    expect(chat({ messages })["messages"]).toMatchObject([USER, { reasoning_content: "t", content: "a" }, USER]);
    expect(warned({ messages })).toEqual([]);
  });

  it("makes parts of images and documents", () => {
    const content = [
      { type: "image", source: { type: "url", url: "https://e.org/a.png" } },
      { type: "document", source: { type: "base64", media_type: "application/pdf", data: "JVBE" }, title: "a.pdf" },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "T" }, title: "Title" },
    ];
    expect(chat({ messages: [{ role: "user", content }] })["messages"]).toEqual([
      {
        role: "user",
        content: [
          { type: "image_url", image_url: { url: "https://e.org/a.png" } },
          { type: "file", file: { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" } },
          { type: "text", text: "Title\n\nT" },
        ],
      },
    ]);
  });

  it("translates tools and the choice among them", () => {
    const tools = [{ name: "f", description: "d", input_schema: { type: "object" }, eager_input_streaming: true }];
    const tool_choice = { type: "tool", name: "f", disable_parallel_tool_use: true };
    expect(options({ tools, tool_choice })).toEqual({
      tools: [{ type: "function", function: { name: "f", description: "d", parameters: { type: "object" } } }],
      tool_choice: { type: "function", function: { name: "f" } },
      parallel_tool_calls: false,
    });
    expect(options({ tools, tool_choice: { type: "any" } })["tool_choice"]).toBe("required");
    expect(warned({ tools })).toEqual(["tools[0].eager_input_streaming"]);
  });

  it.each([
    ["gpt-6-sol", { thinking: { type: "adaptive" }, output_config: { effort: "xhigh" } }, "xhigh", []],
    ["o4-mini", { thinking: { type: "adaptive" }, output_config: { effort: "max" } }, "high", ["thinking"]],
    ["o4-mini", { thinking: { type: "enabled", budget_tokens: 4000 } }, "low", []],
    ["gpt-5", { thinking: { type: "disabled" } }, "minimal", ["thinking"]],
    ["gpt-5.1", { thinking: { type: "disabled" } }, "none", []],
    ["gpt-4o", { thinking: { type: "disabled" } }, undefined, []],
    ["gpt-4o", { thinking: { type: "enabled", budget_tokens: 4000 } }, undefined, ["thinking"]],
  ])("asks %s, given %j, for effort %s", (model, body, effort, warnings) => {
    expect(chat(body, model)["reasoning_effort"]).toBe(effort);
    expect(warned(body, model)).toEqual(warnings);
  });

  it("asks for a schema strictly where it fits OpenAI's strict mode", () => {
    const open = { type: "object", properties: { a: { type: "string" } }, additionalProperties: false };
    const closed = { ...open, required: ["a"] };
    const body = (schema: object) => ({ output_config: { format: { type: "json_schema", schema } } });
    expect(options(body(closed))["response_format"]).toEqual({
      type: "json_schema",
      json_schema: { name: "answer", schema: closed, strict: true },
    });
    expect(options(body(open))).toMatchObject({ response_format: { json_schema: { strict: false } } });
    expect(warned(body(open))).toEqual(["output_config.format.schema"]);
  });

  it("translates the other options", () => {
    const body = { stop_sequences: ["A"], temperature: 0.3, top_p: 0.9, service_tier: "standard_only" };
    expect(options(body)).toEqual({ stop: ["A"], temperature: 0.3, top_p: 0.9, service_tier: "default" });
    expect(options({ metadata: { user_id: "u" } })).toEqual({ user: "u" });
    expect(options({ metadata: { user_id: "u".repeat(65) } })["user"]).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    ["top_k", 5, "gpt-4o"],
    ["temperature", 0.5, "gpt-6-sol"],
    ["context_management", { edits: [] }, "gpt-4o"],
    ["speed", "fast", "gpt-4o"],
    ["some_later_field", 1, "gpt-4o"],
  ])("leaves %s out and says so", (field, value, model) => {
    expect(warned({ [field]: value }, model)).toEqual([field]);
    expect(options({ [field]: value }, model)[field]).toBeUndefined();
  });

  it.each([
    [{ mcp_servers: [{ name: "a" }] }, "mcp_servers: "],
    [{ container: { skills: [] } }, "container: "],
    [{ inference_geo: "us" }, "inference_geo: "],
    [{ max_tokens: 0 }, "max_tokens: "],
    [{ tools: [{ type: "web_search_20250305", name: "web_search" }] }, "tools[0]: the tool type web_search_20250305"],
    [{ tools: [{ type: "code_execution_20260120", name: "code_execution" }] }, "tools[0]: the tool type code_exec"],
    [{ messages: [USER, { role: "assistant", content: "The answer is" }] }, "messages[1]: "],
    [{ stop_sequences: ["1", "2", "3", "4", "5"] }, "stop_sequences: "],
    [
      { messages: [{ role: "user", content: [{ type: "document", source: { type: "url", url: "https://e" } }] }] },
      "messages[0].content[0].source: ",
    ],
    [
      {
        messages: [
          {
            role: "user",
            content: [{ type: "document", source: { type: "text", data: "" }, citations: { enabled: true } }],
          },
        ],
      },
      "messages[0].content[0].citations: ",
    ],
    [
      {
        messages: [
          USER,
          { role: "assistant", content: [{ type: "server_tool_use", id: "s", name: "web_search" }] },
          USER,
        ],
      },
      "messages[1].content[0]: blocks of type server_tool_use",
    ],
  ])("refuses %j with its name", (body, start) => {
    expect(refusal(body)).toContain(`weir:request:unsupported_feature ${start}`);
  });

  it("refuses to count tokens", () => {
    const body = Buffer.from('{"model":"m","messages":[]}');
    const scan = scanRequest(body, { maxDepth: 8, requireMaxTokens: false });
    const request = { operation: "count_tokens", body, scan, betas: [], upstreamModel: "gpt-4o" } as const;
    expect(() => openaiChatTarget.encode(request)).toThrow(/do not count tokens/);
  });
});

describe("Claude behind a compatible proxy", () => {
  it("gets Messages' own members beside Chat's, without a warning", () => {
    const own = {
      thinking: { type: "adaptive" },
      output_config: { effort: "max" },
      top_k: 3,
      mcp_servers: [{ name: "a" }],
      inference_geo: "us",
      some_later_field: 1,
      tools: [{ type: "web_search_20250305", name: "web_search" }],
    };
    const thinking = { type: "thinking", thinking: "t", signature: "s" };
    const messages = [
      { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }] },
      { role: "assistant", content: [thinking, { type: "text", text: "b" }] },
    ];
    expect(chat({ ...own, messages }, "anthropic/claude-opus-5")).toEqual({
      model: "anthropic/claude-opus-5",
      max_tokens: 100,
      ...own,
      messages: [messages[0], { role: "assistant", thinking_blocks: [thinking], content: "b" }],
    });
    expect(warned({ ...own, messages }, "claude-opus-5")).toEqual([]);
  });
});
