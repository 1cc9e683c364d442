import { describe, expect, it } from "vitest";

import { WeirError } from "../../../core/weir-error.ts";
import { scanRequest } from "../../anthropic/request-scan.ts";
import type { CanonicalRequest, Operation, TargetCall } from "../../codec.ts";
import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import { carryReasoning } from "../block-carrier.ts";
import { openaiResponsesTarget } from "../target-wire.ts";

const HELLO = { messages: [{ role: "user", content: "Hello" }], max_tokens: 100 };

const CITED_DOCUMENT = {
  type: "document",
  source: { type: "text", media_type: "text/plain", data: "a" },
  citations: { enabled: true },
};

function requestOf(fields: JsonObject, { operation = "messages", model = "gpt-5.4" }: Asked = {}): CanonicalRequest {
  const body = Buffer.from(JSON.stringify({ model: "claude", ...HELLO, ...fields }));
  const scan = scanRequest(body, { maxDepth: 64, requireMaxTokens: operation === "messages" });
  return { operation, body, scan, betas: [], upstreamModel: model };
}

interface Asked {
  readonly operation?: Operation;
  readonly model?: string;
}

function encode(fields: JsonObject, asked: Asked = {}): TargetCall {
  return openaiResponsesTarget.encode(requestOf(fields, asked));
}

function sent(fields: JsonObject, asked: Asked = {}): JsonRecord {
  return JSON.parse(encode(fields, asked).body.toString("utf8")) as JsonRecord; // it is an object
}

function input(content: unknown, role = "user"): unknown {
  const messages =
    role === "user"
      ? [{ role, content }]
      : [
          { role, content },
          { role: "user", content: "go on" },
        ];
  return sent({ messages })["input"];
}

function refusal(fields: JsonObject): string {
  try {
    encode(fields);
  } catch (error) {
    if (error instanceof WeirError && error.code === "weir:request:unsupported_feature") return error.message;
    throw error;
  }
  throw new Error("was not refused");
}

function warned(fields: JsonObject, asked: Asked = {}): string[] {
  return encode(fields, asked).warnings.map(({ field }) => field);
}

describe("a Messages request as a Responses request", () => {
  it("has model, instructions, input and limit, and is not to be stored", () => {
    expect(
      sent({
        system: [
          { type: "text", text: "A" },
          { type: "text", text: "B" },
        ],
        stream: true,
      }),
    ).toEqual({
      model: "gpt-5.4",
      instructions: "A\n\nB",
      input: [{ type: "message", role: "user", content: [{ type: "input_text", text: "Hello" }] }],
      max_output_tokens: 100,
      store: false,
      stream: true,
    });
  });

  it("says what it is", () => {
    expect(encode({}).headers).toEqual(["content-type", "application/json"]);
  });

  it("has the conversation's calls, results and texts in their order", () => {
    const messages = [
      { role: "user", content: "weather?" },
      {
        role: "assistant",
        content: [
          { type: "text", text: "Let me see." },
          { type: "tool_use", id: "toolu_1", name: "get", input: { city: "Ulm" } },
          { type: "tool_use", id: "toolu_2", name: "get", input: {} },
        ],
      },
      {
        role: "user",
        content: [
          { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "sun" }] },
          { type: "tool_result", tool_use_id: "toolu_2", content: "no such city", is_error: true },
          { type: "text", text: "Well?" },
        ],
      },
      { role: "system", content: "Be brief." },
    ];
    expect(sent({ messages })["input"]).toEqual([
      { type: "message", role: "user", content: [{ type: "input_text", text: "weather?" }] },
      { type: "message", role: "assistant", content: [{ type: "output_text", text: "Let me see." }] },
      { type: "function_call", call_id: "toolu_1", name: "get", arguments: '{"city":"Ulm"}' },
      { type: "function_call", call_id: "toolu_2", name: "get", arguments: "{}" },
      { type: "function_call_output", call_id: "toolu_1", output: "sun" },
      { type: "function_call_output", call_id: "toolu_2", output: "Error: no such city" },
      { type: "message", role: "user", content: [{ type: "input_text", text: "Well?" }] },
      { type: "message", role: "developer", content: [{ type: "input_text", text: "Be brief." }] },
    ]);
  });

  it("has images and documents, also in the results of tools", () => {
    const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } };
    const pdf = { type: "base64", media_type: "application/pdf", data: "JVBE" };
    const content = [
      { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "see" }, image] },
      { type: "image", source: { type: "url", url: "https://example.org/a.png" } },
      { type: "document", title: "a.pdf", source: pdf },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "plain" } },
      { type: "document", source: { type: "url", url: "https://example.org/b.pdf" } },
    ];
    expect(input(content)).toEqual([
      {
        type: "function_call_output",
        call_id: "t",
        output: [
          { type: "input_text", text: "see" },
          { type: "input_image", detail: "auto", image_url: "data:image/png;base64,iVBO" },
        ],
      },
      {
        type: "message",
        role: "user",
        content: [
          { type: "input_image", detail: "auto", image_url: "https://example.org/a.png" },
          { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" },
          { type: "input_text", text: "plain" },
          { type: "input_file", file_url: "https://example.org/b.pdf" },
        ],
      },
    ]);
  });

  it("gives the upstream's own reasoning back, without an id", () => {
    const thinking = { type: "thinking", thinking: "Hm.", signature: carryReasoning("gAAAAAB") };
    const use = { type: "tool_use", id: "t", name: "get", input: {} };
    expect(input([thinking, use], "assistant")).toMatchObject([
      { type: "reasoning", summary: [{ type: "summary_text", text: "Hm." }], encrypted_content: "gAAAAAB" },
      { type: "function_call" },
      {},
    ]);
  });

  it("leaves Claude's thinking out, and says so once", () => {
    const thinking = { type: "thinking", thinking: "Hm.", signature: "EqQB" };
    const content = [thinking, thinking, { type: "redacted_thinking", data: "x" }, { type: "text", text: "a" }];
    const messages = [
      { role: "assistant", content },
      { role: "user", content: "b" },
    ];
    expect(sent({ messages })["input"]).toHaveLength(2);
    expect(warned({ messages })).toEqual(["messages[0].content[0]", "messages[0].content[2]"]);
  });

  it("keeps what a document's context says of it, and says that citations of earlier answers were left out", () => {
    const document = { ...CITED_DOCUMENT, citations: { enabled: false }, context: "From the wiki." };
    expect(input([document])).toMatchObject([{ content: [{ text: "From the wiki." }, { text: "a" }] }]);
    const cited = { type: "text", text: "a", citations: [{ type: "char_location", cited_text: "a" }] };
    const messages = [
      { role: "assistant", content: [cited, cited] },
      { role: "user", content: "b" },
    ];
    expect(warned({ messages })).toEqual(["messages[0].content[0].citations"]);
  });

  it("has tools as functions whose schema is not taken for a strict one", () => {
    const tools = [
      { name: "a", description: "D", input_schema: { type: "object" } },
      { name: "b", input_schema: { type: "object" }, strict: true },
      { type: "web_search_20250305", name: "web_search", max_uses: 2, allowed_domains: ["example.org"] },
    ];
    expect(sent({ tools, tool_choice: { type: "tool", name: "a", disable_parallel_tool_use: true } })).toMatchObject({
      tools: [
        { type: "function", name: "a", description: "D", parameters: { type: "object" }, strict: false },
        { type: "function", name: "b", strict: true },
        { type: "web_search", filters: { allowed_domains: ["example.org"] } },
      ],
      max_tool_calls: 2,
      tool_choice: { type: "function", name: "a" },
      parallel_tool_calls: false,
      include: ["web_search_call.action.sources"],
    });
  });

  it("has MCP servers as tools", () => {
    const fields = {
      mcp_servers: [{ type: "url", name: "crm", url: "https://crm.example", authorization_token: "t" }],
      tools: [
        {
          type: "mcp_toolset",
          mcp_server_name: "crm",
          default_config: { enabled: false },
          configs: { find: { enabled: true } },
        },
      ],
    };
    expect(sent(fields)["tools"]).toEqual([
      {
        type: "mcp",
        server_label: "crm",
        server_url: "https://crm.example",
        authorization: "t",
        require_approval: "never",
        allowed_tools: ["find"],
      },
    ]);
  });

  it.each([
    [
      { thinking: { type: "adaptive" }, output_config: { effort: "high" } },
      { effort: "high", summary: "auto" },
    ],
    [{ thinking: { type: "enabled", budget_tokens: 4000 } }, { effort: "low", summary: "auto" }],
    [{ thinking: { type: "adaptive", display: "omitted" }, output_config: { effort: "low" } }, { effort: "low" }],
    [{ thinking: { type: "disabled" } }, { effort: "none" }],
    [{ output_config: { effort: "medium" } }, { effort: "medium" }],
  ])("asks for reasoning by %j", (fields, reasoning) => {
    expect(sent(fields)).toMatchObject({ reasoning, include: ["reasoning.encrypted_content"] });
  });

  it("says nothing about reasoning when nothing is asked, nor to models that refuse it", () => {
    expect(sent({})).not.toHaveProperty("reasoning");
    expect(sent({})).not.toHaveProperty("include");
    const asked = { thinking: { type: "adaptive" }, output_config: { effort: "high" } };
    expect(sent(asked, { model: "gpt-4.1" })).not.toHaveProperty("reasoning");
    expect(warned(asked, { model: "gpt-4.1" })).toEqual(["thinking"]);
    expect(warned({ thinking: { type: "disabled" } }, { model: "gpt-4.1" })).toEqual([]);
  });

  it("asks for the effort that comes nearest, and says so", () => {
    const asked = { output_config: { effort: "xhigh" } };
    expect(sent(asked, { model: "o3" })["reasoning"]).toEqual({ effort: "high" });
    expect(warned(asked, { model: "o3" })).toEqual(["output_config.effort"]);
    expect(sent(asked, { model: "our-deployment" })["reasoning"]).toEqual({ effort: "xhigh" });
  });

  it("asks for an answer by a schema, enforced where OpenAI does", () => {
    const closed = { type: "object", properties: { a: {} }, required: ["a"], additionalProperties: false };
    const open = { ...closed, required: [] };
    const format = (schema: JsonObject): JsonObject => ({ output_config: { format: { type: "json_schema", schema } } });
    expect(sent(format(closed))["text"]).toMatchObject({
      format: { type: "json_schema", schema: closed, strict: true },
    });
    expect(sent({ output_format: { type: "json_schema", schema: closed } })["text"]).toEqual(
      sent(format(closed))["text"],
    );
    expect(sent(format(open))["text"]).toMatchObject({ format: { strict: false } });
    expect(warned(format(open))).toEqual(["output_config.format.schema"]);
  });

  it("names the end user in at most 64 characters", () => {
    expect(sent({ metadata: { user_id: "u1" } })["safety_identifier"]).toBe("u1");
    expect(sent({ metadata: { user_id: "u".repeat(200) } })["safety_identifier"]).toMatch(/^[0-9a-f]{64}$/);
  });

  it.each([
    [{ service_tier: "standard_only" }, "default"],
    [{ service_tier: "auto" }, "auto"],
    [{ speed: "fast" }, "priority"],
  ])("asks for capacity by %j", (fields, tier) => {
    expect(sent(fields)["service_tier"]).toBe(tier);
  });

  it("counts the same input without the options", () => {
    const tools = [{ name: "a", input_schema: { type: "object" } }];
    const counted = sent({ system: "S", tools, max_tokens: undefined, stream: true }, { operation: "count_tokens" });
    expect(Object.keys(counted).sort()).toEqual(["input", "instructions", "model", "tools"]);
  });

  it.each([
    ["cache_control", { system: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] }],
    [
      "cache_control",
      {
        messages: [
          { role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }] },
        ],
      },
    ],
    ["context_management", { context_management: { edits: [] } }],
    ["top_k", { top_k: 4 }],
    ["max_tokens", { max_tokens: 5 }],
    ["temperature", { temperature: 0.5 }],
    ["tools[0].input_examples", { tools: [{ name: "a", input_schema: { type: "object" }, input_examples: [{}] }] }],
    ["output_config.task_budget", { output_config: { task_budget: { type: "tokens", total: 1 } } }],
  ])("warns of %s, which is left out or changed", (field, fields) => {
    expect(warned(fields)).toEqual([field]);
  });

  it.each([
    ["stop_sequences", { stop_sequences: ["END"] }],
    ["inference_geo", { inference_geo: "us" }],
    ["container", { container: "c" }],
    ["tools[0]", { tools: [{ type: "code_execution_20250825", name: "code_execution" }] }],
    ["tools[0]", { tools: [{ type: "bash_20250124", name: "bash" }] }],
    [
      "tools[0].blocked_domains",
      { tools: [{ type: "web_search_20250305", name: "web_search", blocked_domains: ["a"] }] },
    ],
    ["mcp_servers", { mcp_servers: [{ type: "url", name: "crm", url: "https://crm.example" }] }],
    ["max_tokens", { max_tokens: 0 }],
    ["messages[1]", { messages: [HELLO.messages[0], { role: "assistant", content: "Once" }] }],
    ["messages[0].content[0]", { messages: [{ role: "user", content: [{ type: "container_upload", file_id: "f" }] }] }],
    [
      "messages[0].content[0]",
      { messages: [{ role: "assistant", content: [{ type: "fallback" }] }, HELLO.messages[0]] },
    ],
    ["messages[0].content[0].citations", { messages: [{ role: "user", content: [CITED_DOCUMENT] }] }],
  ])("refuses %s by name", (path, fields) => {
    expect(refusal(fields).startsWith(`${path}: `)).toBe(true);
  });
});

describe("a client's own Responses request", () => {
  it("goes over byte for byte but for the model", () => {
    const own = Buffer.from('{ "input" : "Hi ü",\n "model": "ours" , "store":true, "x": {"model":"a"} }');
    const { body, warnings } = openaiResponsesTarget.forward(own, requestOf({}));
    expect(body.toString()).toBe('{ "input" : "Hi ü",\n "model": "gpt-5.4" , "store":true, "x": {"model":"a"} }');
    expect(warnings).toEqual([]);
  });

  it("has nothing taken out of its stream", () => {
    expect(openaiResponsesTarget.forward(Buffer.from('{"model":"a"}'), requestOf({})).streamFilter()).toBeNull();
  });
});
