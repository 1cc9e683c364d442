import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { scanRequest } from "../anthropic/request-scan.ts";
import type { WireWarning } from "../codec.ts";
import type { JsonObject } from "../openai/json-reader.ts";
import type { FeatureName } from "../features.ts";
import { carryBlocks, carryReasoning } from "./block-carrier.ts";
import { openaiResponsesClient } from "./client-wire.ts";
import { RESPONSES_CLIENT_FEATURES, RESPONSES_TARGET_FEATURES } from "./features.ts";
import { openaiResponsesTarget } from "./target-wire.ts";

type Samples = Readonly<Partial<Record<FeatureName, JsonObject>>>;

const image = (source: JsonObject): JsonObject => ({ type: "image", source });
const document = (source: JsonObject): JsonObject => ({ type: "document", source });
const user = (...content: unknown[]): JsonObject => ({ messages: [{ role: "user", content }] });
const assistant = (...content: unknown[]): JsonObject => ({
  messages: [
    { role: "assistant", content },
    { role: "user", content: "go on" },
  ],
});
const text = (ttl: string): JsonObject => ({ type: "text", text: "a", cache_control: { type: "ephemeral", ttl } });
const schema = { type: "object", properties: {}, required: [], additionalProperties: false };
const tool = { name: "get", input_schema: schema };

/** A Messages request that uses the feature. Features that are seen in answers alone have none. */
const MESSAGES: Samples = {
  text: user({ type: "text", text: "a" }),
  streaming: { stream: true },
  thinking: { thinking: { type: "adaptive" } },
  thinking_signatures: assistant({ type: "thinking", thinking: "a", signature: carryReasoning("gAAAA") }),
  redacted_thinking: assistant({ type: "redacted_thinking", data: "x" }),
  tool_use: { tools: [tool] },
  parallel_tools: { tools: [tool], tool_choice: { type: "auto", disable_parallel_tool_use: true } },
  tool_choice: { tools: [tool], tool_choice: { type: "tool", name: "get" } },
  cache_control_5m: user(text("5m")),
  cache_control_1h: user(text("1h")),
  images_base64: user(image({ type: "base64", media_type: "image/png", data: "iVBO" })),
  images_url: user(image({ type: "url", url: "https://example.org/a.png" })),
  documents_pdf: user(document({ type: "base64", media_type: "application/pdf", data: "JVBE" })),
  documents_text: user(document({ type: "text", media_type: "text/plain", data: "a" })),
  server_tools_web_search: { tools: [{ type: "web_search_20250305", name: "web_search" }] },
  server_tools_code_execution: { tools: [{ type: "code_execution_20250825", name: "code_execution" }] },
  mcp_servers: {
    mcp_servers: [{ type: "url", name: "a", url: "https://a.example" }],
    tools: [{ type: "mcp_toolset", mcp_server_name: "a" }],
  },
  stop_sequences: { stop_sequences: ["END"] },
  structured_outputs: { output_config: { format: { type: "json_schema", schema } } },
  context_management: { context_management: { edits: [] } },
  fast_mode: { speed: "fast" },
  service_tier: { service_tier: "auto" },
  inference_geo: { inference_geo: "us" },
  metadata_user_id: { metadata: { user_id: "u" } },
};

const fn = { type: "function", name: "get", parameters: schema, strict: true };
const message = (...content: unknown[]): JsonObject => ({ input: [{ role: "user", content }] });
const reasoning = (block: JsonObject): JsonObject => ({
  input: [
    { role: "user", content: "a" },
    { type: "reasoning", id: "rs_1", summary: [], encrypted_content: carryBlocks([block]) },
  ],
});

/** A Responses request that uses the feature. */
const RESPONSES: Samples = {
  text: message({ type: "input_text", text: "a" }),
  streaming: { stream: true },
  thinking: { reasoning: { effort: "high", summary: "auto" } },
  thinking_signatures: reasoning({ type: "thinking", thinking: "a", signature: "x" }),
  redacted_thinking: reasoning({ type: "redacted_thinking", data: "x" }),
  tool_use: { tools: [fn] },
  parallel_tools: { tools: [fn], parallel_tool_calls: false },
  tool_choice: { tools: [fn], tool_choice: { type: "function", name: "get" } },
  cache_control_5m: message({ type: "input_text", text: "a", prompt_cache_breakpoint: { mode: "explicit" } }),
  cache_control_1h: message({
    type: "input_text",
    text: "a",
    prompt_cache_breakpoint: { mode: "explicit", ttl: "30m" },
  }),
  images_base64: message({ type: "input_image", detail: "auto", image_url: "data:image/png;base64,iVBO" }),
  images_url: message({ type: "input_image", detail: "auto", image_url: "https://example.org/a.png" }),
  documents_pdf: message({ type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,JVBE" }),
  documents_text: message({ type: "input_file", filename: "a.txt", file_data: "data:text/plain;base64,YQ==" }),
  server_tools_web_search: { tools: [{ type: "web_search" }] },
  server_tools_code_execution: { tools: [{ type: "code_interpreter", container: { type: "auto" } }] },
  mcp_servers: {
    tools: [{ type: "mcp", server_label: "a", server_url: "https://a.example", require_approval: "never" }],
  },
  stop_sequences: { stop_sequences: ["END"] },
  structured_outputs: { text: { format: { type: "json_schema", name: "a", schema } } },
  context_management: { context_management: { edits: [] } },
  fast_mode: { speed: "fast" },
  service_tier: { service_tier: "default" },
  inference_geo: { inference_geo: "us" },
  metadata_user_id: { safety_identifier: "u" },
};

/** What becomes of a request, in the words of the table. */
function outcome(translate: () => readonly WireWarning[]): string {
  try {
    return translate().length > 0 ? "warning" : "yes";
  } catch (error) {
    if (error instanceof WeirError && error.code === "weir:request:unsupported_feature") return "refused";
    throw error;
  }
}

function encode(fields: JsonObject): readonly WireWarning[] {
  const hello = { model: "claude", max_tokens: 100, ...user({ type: "text", text: "a" }) };
  const body = Buffer.from(JSON.stringify({ ...hello, ...fields }));
  const scan = scanRequest(body, { maxDepth: 64, requireMaxTokens: true });
  return openaiResponsesTarget.encode({ operation: "messages", body, scan, betas: [], upstreamModel: "gpt-5.4" })
    .warnings;
}

function decode(fields: JsonObject): readonly WireWarning[] {
  const body = Buffer.from(JSON.stringify({ model: "claude-sonnet-5-5", input: "a", ...fields }));
  return openaiResponsesClient.decode({ operation: "messages", body, pathModel: null, pathStream: null, maxDepth: 64 })
    .warnings;
}

describe("the tables of features", () => {
  it.each([
    ["client", RESPONSES_CLIENT_FEATURES],
    ["target", RESPONSES_TARGET_FEATURES],
  ])("of the %s say why for all that is less than yes", (_side, table) => {
    const unexplained = Object.entries(table).filter(([, { support, why }]) => support !== "yes" && why === "");
    expect(unexplained).toEqual([]);
  });

  it("name the same features on both sides", () => {
    expect(Object.keys(RESPONSES_TARGET_FEATURES)).toEqual(Object.keys(RESPONSES_CLIENT_FEATURES));
  });

  it("say of the target what becomes of a request that uses the feature", () => {
    const found = Object.entries(MESSAGES).map(([name, sample]) => [name, outcome(() => encode(sample))]);
    const said = Object.keys(MESSAGES).map((name) => [name, RESPONSES_TARGET_FEATURES[name as FeatureName].support]);
    expect(found).toEqual(said);
  });

  it("say of the client what becomes of a request that uses the feature", () => {
    const found = Object.entries(RESPONSES).map(([name, sample]) => [name, outcome(() => decode(sample))]);
    const said = Object.keys(RESPONSES).map((name) => [name, RESPONSES_CLIENT_FEATURES[name as FeatureName].support]);
    expect(found).toEqual(said);
  });
});
