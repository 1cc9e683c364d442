import { describe, expect, it } from "vitest";

import { WeirError } from "../../../core/weir-error.ts";
import type { Operation } from "../../codec.ts";
import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import { carryBlocks, carryReasoning } from "../block-carrier.ts";
import { decodeRequest, type DecodedRequest } from "./decode-request.ts";

const MODEL = "claude-sonnet-5-5";

function decode(fields: JsonObject, operation: Operation = "messages"): DecodedRequest {
  const body = Buffer.from(JSON.stringify({ model: MODEL, input: "Hi", ...fields }));
  return decodeRequest({ operation, body, pathModel: null, pathStream: null, maxDepth: 32 });
}

function canonical(fields: JsonObject, operation: Operation = "messages"): JsonRecord {
  return JSON.parse(decode(fields, operation).canonical.toString("utf8")) as JsonRecord; // it is an object
}

function messages(input: unknown): unknown {
  return canonical({ input })["messages"];
}

function refusal(fields: JsonObject): { code: string; message: string } {
  try {
    decode(fields);
  } catch (error) {
    if (error instanceof WeirError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("was not refused");
}

function warnedFields(fields: JsonObject): string[] {
  return decode(fields).warnings.map(({ field }) => field);
}

const user = (content: unknown): JsonRecord => ({ type: "message", role: "user", content });
const text = (value: string): JsonRecord => ({ type: "text", text: value });

describe("input", () => {
  it("as a text is one message of a user", () => {
    expect(messages("Hi")).toEqual([{ role: "user", content: [text("Hi")] }]);
  });

  it("has messages with and without a type, their texts as strings or parts", () => {
    expect(
      messages([
        { role: "user", content: "one" },
        { type: "message", role: "assistant", content: [{ type: "output_text", text: "two", annotations: [] }] },
        user([{ type: "input_text", text: "three" }]),
      ]),
    ).toEqual([
      { role: "user", content: [text("one")] },
      { role: "assistant", content: [text("two")] },
      { role: "user", content: [text("three")] },
    ]);
  });

  it("has images by address, as data and by file id", () => {
    const parts = [
      { type: "input_image", detail: "auto", image_url: "https://example.org/a.png" },
      { type: "input_image", detail: "auto", image_url: "data:image/png;base64,iVBORw0KGgo=" },
      { type: "input_image", detail: "auto", file_id: "file_1" },
    ];
    expect(messages([user(parts)])).toEqual([
      {
        role: "user",
        content: [
          { type: "image", source: { type: "url", url: "https://example.org/a.png" } },
          { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
          { type: "image", source: { type: "file", file_id: "file_1" } },
        ],
      },
    ]);
  });

  it("has files as documents", () => {
    const parts = [
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0xLjQ=" },
      { type: "input_file", file_url: "https://example.org/b.pdf" },
    ];
    expect(messages([user(parts)])).toMatchObject([
      {
        content: [
          { type: "document", title: "a.pdf", source: { type: "base64", media_type: "application/pdf" } },
          { type: "document", source: { type: "url", url: "https://example.org/b.pdf" } },
        ],
      },
    ]);
  });

  it("has calls and their results, results first in the user's turn", () => {
    expect(
      messages([
        user("weather?"),
        { type: "function_call", call_id: "call_1", name: "get", arguments: '{"city":"Ulm"}' },
        { type: "custom_tool_call", call_id: "call_2", name: "patch", input: "*** Begin" },
        user("and hurry"),
        { type: "function_call_output", call_id: "call_1", output: "sun" },
        { type: "custom_tool_call_output", call_id: "call_2", output: [{ type: "input_text", text: "done" }] },
      ]),
    ).toEqual([
      { role: "user", content: [text("weather?")] },
      {
        role: "assistant",
        content: [
          { type: "tool_use", id: "call_1", name: "get", input: { city: "Ulm" } },
          { type: "tool_use", id: "call_2", name: "patch", input: { input: "*** Begin" } },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "call_1", content: "sun" },
          { type: "tool_result", tool_use_id: "call_2", content: [text("done")] },
          text("and hurry"),
        ],
      },
    ]);
  });

  it("keeps arguments that are no JSON object, and says so", () => {
    const input = [user("a"), { type: "function_call", call_id: "c", name: "n", arguments: '{"cut' }];
    expect(messages(input)).toMatchObject([{}, { content: [{ input: { unparsed_arguments: '{"cut' } }] }]);
    expect(warnedFields({ input })).toEqual(["input[1].arguments"]);
  });

  it("gives Claude's thinking back with its signature, in front of the call that it led to", () => {
    const thinking = { type: "thinking", thinking: "Hm.", signature: "EqQB" };
    const items = [
      user("weather?"),
      { type: "reasoning", id: "rs_1", summary: [], encrypted_content: carryBlocks([thinking]) },
      { type: "function_call", call_id: "call_1", name: "get", arguments: "{}" },
    ];
    expect(messages(items)).toMatchObject([{}, { role: "assistant", content: [thinking, { type: "tool_use" }] }]);
  });

  it("keeps another provider's reasoning for that provider, and leaves reasoning without content out with a warning", () => {
    const summary = [{ type: "summary_text", text: "Hm." }];
    const foreign = [user("a"), { type: "reasoning", id: "rs_1", summary, encrypted_content: "gAAAAABo" }];
    const signature = carryReasoning("gAAAAABo");
    expect(messages(foreign)).toMatchObject([{}, { content: [{ type: "thinking", thinking: "Hm.", signature }] }]);
    expect(warnedFields({ input: [user("a"), { type: "reasoning", id: "rs_1", summary: [] }] })).toEqual(["input[1]"]);
  });

  it("says of its own reasoning that cannot be read that it is damaged or newer", () => {
    const item = { type: "reasoning", id: "rs_1", summary: [], encrypted_content: "weir:messages-blocks:v9:e30" };
    expect(refusal({ input: [user("a"), item] }).message).toMatch(/damaged, or was written by a newer version/);
  });

  it("warns of a search that comes back without what it found", () => {
    const search = { type: "web_search_call", id: "ws_srvtoolu_1", status: "completed", action: { type: "search" } };
    expect(warnedFields({ input: [user("a"), search] })).toEqual(["input[1]"]);
    const use = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} };
    const carrier = { type: "reasoning", id: "rs", summary: [], encrypted_content: carryBlocks([use]) };
    expect(warnedFields({ input: [user("a"), search, carrier] })).toEqual([]);
  });

  it("has an MCP call with its result as Messages' two blocks", () => {
    const item = { type: "mcp_call", id: "mcp_x1", server_label: "crm", name: "find", arguments: "{}", output: "Ada" };
    expect(messages([user("a"), item])).toMatchObject([
      {},
      {
        content: [
          { type: "mcp_tool_use", id: "x1", server_name: "crm", name: "find", input: {} },
          { type: "mcp_tool_result", tool_use_id: "x1", is_error: false, content: [text("Ada")] },
        ],
      },
    ]);
  });

  it("gathers instructions of every kind at the beginning, and says so of later ones", () => {
    const input = [{ role: "developer", content: "B" }, user("hi"), { role: "system", content: "C" }];
    const decoded = decode({ instructions: "A", input });
    expect(JSON.parse(decoded.canonical.toString())["system"]).toEqual([text("A"), text("B"), text("C")]);
    expect(decoded.warnings).toEqual([{ field: "input[2]", message: expect.stringContaining("moved") }]);
  });

  it.each([
    ["item_reference", { type: "item_reference", id: "msg_1" }, "input[1]: Weir stores no items"],
    ["a bare id", { id: "msg_1" }, "input[1]: Weir stores no items"],
    ["computer_call", { type: "computer_call" }, "items of type computer_call"],
    ["a namespace", { type: "function_call", call_id: "c", name: "n", arguments: "{}", namespace: "crm" }, "namespace"],
    ["audio", user([{ type: "input_audio" }]), "input[1].content[0]"],
    [
      "an image for an assistant",
      { role: "assistant", content: [{ type: "input_image", image_url: "https://a.b/c.png" }] },
      "input[1].content",
    ],
  ])("refuses %s by name", (_, item, expected) => {
    const { code, message } = refusal({ input: [user("a"), item] });
    expect(code).toBe("weir:request:unsupported_feature");
    expect(message).toContain(expected);
  });

  it("names the field that is wrong", () => {
    expect(refusal({ input: 7 }).message).toMatch(/^input: expected a string or an array/);
    expect(refusal({ input: [{ role: "robot", content: "a" }] }).message).toMatch(/^input\[0\]\.role/);
    expect(refusal({ input: [{ type: "function_call", name: "n" }] }).message).toMatch(/^input\[0\]\.arguments/);
    expect(refusal({ input: [] }).message).toMatch(/^input: .*at least one/);
  });
});

describe("options", () => {
  it("without a limit have one that the model takes", () => {
    expect(canonical({})["max_tokens"]).toBe(32_000);
    expect(canonical({ max_output_tokens: 99 })["max_tokens"]).toBe(99);
  });

  it("ask for thinking by effort, and for its text by summary", () => {
    expect(canonical({ reasoning: { effort: "high", summary: "auto" } })).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "high" },
    });
    expect(canonical({ reasoning: { effort: "low" } })["thinking"]).toEqual({ type: "adaptive" });
    expect(canonical({ reasoning: { summary: "detailed" } })).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
    });
    expect(canonical({ model: "claude-haiku-4-5", reasoning: { summary: "auto" } })["thinking"]).toMatchObject({
      type: "enabled",
      display: "summarized",
    });
    expect(canonical({ reasoning: { effort: null } })).not.toHaveProperty("thinking");
  });

  it("ask for an answer by a schema", () => {
    const schema = { type: "object", properties: {}, additionalProperties: false };
    const format = { type: "json_schema", name: "x", schema, strict: true };
    expect(canonical({ text: { format } })["output_config"]).toEqual({ format: { type: "json_schema", schema } });
  });

  it("ask for a JSON object in words, and say so", () => {
    const decoded = decode({ text: { format: { type: "json_object" } } });
    expect(JSON.parse(decoded.canonical.toString())["system"][0]["text"]).toContain("one JSON object");
    expect(decoded.warnings[0]?.field).toBe("text.format");
  });

  it("name the end user by either field", () => {
    expect(canonical({ user: "u1" })["metadata"]).toEqual({ user_id: "u1" });
    expect(canonical({ user: "u1", safety_identifier: "s1" })["metadata"]).toEqual({ user_id: "s1" });
  });

  it("pass on what is Messages' own", () => {
    const context = { edits: [{ type: "clear_tool_uses_20250919" }] };
    expect(canonical({ top_k: 5, stop_sequences: ["END"], context_management: context })).toMatchObject({
      top_k: 5,
      stop_sequences: ["END"],
      context_management: context,
    });
    expect(decode({ anthropic_beta: "a-1, b-2" }).betas).toEqual(["a-1", "b-2"]);
  });

  it("say so where a member of Messages' own loses to one of Responses", () => {
    const said = { max_tokens: 7, messages: [], top_k: 5 };
    expect(canonical({ ...said, max_output_tokens: 9 })).toMatchObject({ max_tokens: 9, top_k: 5 });
    expect(decode(said).warnings.map(({ field }) => field)).toEqual(["max_tokens", "messages"]);
  });

  it("count without what says nothing about the input", () => {
    const counted = canonical({ max_output_tokens: 9, stream: true, temperature: 0.1, user: "u" }, "count_tokens");
    expect(Object.keys(counted).sort()).toEqual(["messages", "model"]);
  });

  it.each([
    ["store", { store: true }],
    ["truncation", { truncation: "auto" }],
    ["text.verbosity", { text: { verbosity: "low" } }],
    ["service_tier", { service_tier: "flex" }],
    ["stream_options.include_obfuscation", { stream_options: { include_obfuscation: true } }],
    ["include[0]", { include: ["web_search_call.results"] }],
    ["reasoning.mode", { reasoning: { mode: "pro" } }],
    ["temperature", { temperature: 0.2 }],
  ])("warn of %s, which is left out", (field, fields) => {
    expect(warnedFields(fields)).toEqual([field]);
  });

  it.each([
    ["nothing", {}],
    ["what has no effect", { store: false, truncation: "disabled", background: false, text: { verbosity: "medium" } }],
    ["what is there anyway", { include: ["reasoning.encrypted_content"], metadata: { a: "b" } }],
  ])("do not warn of %s", (_, fields) => {
    expect(warnedFields(fields)).toEqual([]);
  });

  it.each([
    ["previous_response_id", { previous_response_id: "resp_1" }],
    ["conversation", { conversation: { id: "conv_1" } }],
    ["prompt", { prompt: { id: "pmpt_1" } }],
    ["background", { background: true }],
    ["top_logprobs", { top_logprobs: 2 }],
    ["include[0]", { include: ["message.output_text.logprobs"] }],
    ["moderation", { moderation: { model: "omni" } }],
    ["prompt_cache_options.prewarm", { prompt_cache_options: { prewarm: true } }],
  ])("refuse %s by name", (field, fields) => {
    const { code, message } = refusal(fields);
    expect(code).toBe("weir:request:unsupported_feature");
    expect(message.startsWith(`${field}: `)).toBe(true);
  });
});

describe("caching", () => {
  it("marks what the client marks, for as long as can be had", () => {
    const parts = [
      { type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } },
      { type: "input_text", text: "b", prompt_cache_breakpoint: { mode: "explicit", ttl: "12h" } },
      { type: "input_text", text: "c", cache_control: { type: "ephemeral", ttl: "1h" } },
    ];
    const decoded = decode({ input: [user(parts)] });
    expect(JSON.parse(decoded.canonical.toString())["messages"][0]["content"]).toEqual([
      { ...text("a"), cache_control: { type: "ephemeral" } },
      { ...text("b"), cache_control: { type: "ephemeral", ttl: "1h" } },
      { ...text("c"), cache_control: { type: "ephemeral", ttl: "1h" } },
    ]);
    expect(decoded.warnings[0]?.field).toBe("input[0].content[1].prompt_cache_breakpoint.ttl");
  });

  it("marks the end of instructions and conversation for a prompt_cache_key", () => {
    const marked = canonical({ instructions: "Long.", prompt_cache_key: "session-1" });
    expect(marked["system"]).toEqual([{ ...text("Long."), cache_control: { type: "ephemeral" } }]);
    expect(marked["messages"]).toMatchObject([{ content: [{ cache_control: { type: "ephemeral" } }] }]);
  });

  it("never marks more than four places", () => {
    const parts = Array.from({ length: 4 }, (_, index) => ({
      type: "input_text",
      text: `part ${index}`,
      ...(index < 3 ? { prompt_cache_breakpoint: { mode: "explicit" } } : {}),
    }));
    const bytes = decode({ instructions: "A", prompt_cache_key: "k", input: [user(parts)] }).canonical.toString();
    expect(bytes.split("cache_control").length - 1).toBe(4);
  });

  it("marks nothing by itself when the client marks explicitly", () => {
    const fields = { prompt_cache_key: "k", prompt_cache_options: { mode: "explicit" } };
    expect(decode(fields).canonical.toString()).not.toContain("cache_control");
  });
});

describe("tools", () => {
  const fn = { type: "function", name: "get", parameters: { type: "object", properties: {} }, strict: true };

  it("are functions, strict or not", () => {
    expect(canonical({ tools: [fn, { ...fn, name: "b", strict: null, parameters: null }] })["tools"]).toEqual([
      { name: "get", input_schema: { type: "object", properties: {} }, strict: true },
      { name: "b", input_schema: { type: "object", properties: {} } },
    ]);
  });

  it("are searches of the web", () => {
    const search = {
      type: "web_search",
      filters: { allowed_domains: ["example.org"] },
      user_location: { type: "approximate", country: "DE" },
    };
    expect(canonical({ tools: [search], max_tool_calls: 3 })["tools"]).toEqual([
      {
        type: "web_search_20250305",
        name: "web_search",
        allowed_domains: ["example.org"],
        user_location: { type: "approximate", country: "DE" },
        max_uses: 3,
      },
    ]);
  });

  it("are MCP servers, with the beta that they need", () => {
    const tool = {
      type: "mcp",
      server_label: "crm",
      server_url: "https://crm.example/mcp",
      authorization: "t",
      require_approval: "never",
      allowed_tools: ["find"],
    };
    const decoded = decode({ tools: [tool] });
    expect(JSON.parse(decoded.canonical.toString())).toMatchObject({
      mcp_servers: [{ type: "url", name: "crm", url: "https://crm.example/mcp", authorization_token: "t" }],
      tools: [
        {
          type: "mcp_toolset",
          mcp_server_name: "crm",
          default_config: { enabled: false },
          configs: { find: { enabled: true } },
        },
      ],
    });
    expect(decoded.betas).toEqual(["mcp-client-2025-11-20"]);
  });

  it("take free text as a member of an object, their grammar in words", () => {
    const tool = {
      type: "custom",
      name: "patch",
      description: "D",
      format: { type: "grammar", syntax: "lark", definition: "start: x" },
    };
    const decoded = decode({ tools: [tool] });
    const [made] = JSON.parse(decoded.canonical.toString())["tools"];
    expect(made).toMatchObject({ name: "patch", input_schema: { required: ["input"] } });
    expect(made["description"]).toBe("D\n\nThe input must match this lark grammar:\nstart: x");
    expect(decoded.warnings.map(({ field }) => field)).toEqual(["tools[0].format"]);
  });

  it("may be Messages' own", () => {
    const tools = [
      { type: "bash_20250124", name: "bash" },
      { name: "x", input_schema: { type: "object" } },
    ];
    expect(canonical({ tools })["tools"]).toEqual(tools);
  });

  it.each([
    ["auto", { type: "auto" }],
    ["required", { type: "any" }],
    ["none", { type: "none" }],
    [
      { type: "function", name: "get" },
      { type: "tool", name: "get" },
    ],
    [{ type: "web_search_preview" }, { type: "tool", name: "web_search" }],
    [{ type: "allowed_tools", mode: "required", tools: [{ type: "function", name: "get" }] }, { type: "any" }],
  ])("are chosen by %j", (choice, expected) => {
    expect(canonical({ tools: [fn], tool_choice: choice })["tool_choice"]).toEqual(expected);
  });

  it("that are not allowed are not offered", () => {
    const choice = { type: "allowed_tools", mode: "auto", tools: [{ type: "function", name: "b" }] };
    const offered = canonical({ tools: [fn, { ...fn, name: "b" }], tool_choice: choice })["tools"];
    expect(offered).toMatchObject([{ name: "b" }]);
  });

  it("are used one at a time when asked", () => {
    expect(canonical({ tools: [fn], parallel_tool_calls: false })["tool_choice"]).toEqual({
      type: "auto",
      disable_parallel_tool_use: true,
    });
  });

  it.each([
    ["file_search", { type: "file_search", vector_store_ids: [] }],
    ["computer", { type: "computer" }],
    ["code_interpreter", { type: "code_interpreter", container: { type: "auto" } }],
    ["image_generation", { type: "image_generation" }],
    ["namespace", { type: "namespace", name: "a", tools: [] }],
    ["local_shell", { type: "local_shell" }],
    ["apply_patch", { type: "apply_patch" }],
  ])("of type %s are refused by name", (type, tool) => {
    const { code, message } = refusal({ tools: [tool] });
    expect(code).toBe("weir:request:unsupported_feature");
    expect(message).toBe(`tools[0]: tools of type ${type} have no counterpart in Messages`);
  });

  it.each([
    ["approval", { server_url: "https://a.example" }, "tools[0].require_approval"],
    ["a connector", { require_approval: "never", connector_id: "connector_gmail" }, "tools[0]"],
    [
      "headers",
      { server_url: "https://a.example", require_approval: "never", headers: { a: "b" } },
      "tools[0].headers",
    ],
  ])("of an MCP server with %s are refused by name", (_, fields, path) => {
    const { message } = refusal({ tools: [{ type: "mcp", server_label: "a", ...fields }] });
    expect(message.startsWith(`${path}: `)).toBe(true);
  });

  it("that must not reach the web are refused", () => {
    expect(refusal({ tools: [{ type: "web_search", external_web_access: false }] }).message).toMatch(
      /^tools\[0\]\.external_web_access/,
    );
  });
});
