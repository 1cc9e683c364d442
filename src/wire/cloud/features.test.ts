import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { bedrockTarget } from "../bedrock/bedrock-target.ts";
import { BEDROCK_FEATURES } from "../bedrock/features.ts";
import { VERTEX_FEATURES } from "../vertex/features.ts";
import { vertexTarget } from "../vertex/vertex-target.ts";
import type { FeatureName } from "../features.ts";
import { canonicalRequest } from "./testing/messages.ts";

const MESSAGES = [{ role: "user", content: "hi" }];
const block = (content: object): object => ({ messages: [{ role: "user", content: [content] }] });
const source = (type: string, rest: object): object => ({ type, ...rest });

/** What asks for each feature of a request. */
const ASKING: readonly (readonly [FeatureName, object])[] = [
  ["text", { messages: MESSAGES }],
  ["streaming", { messages: MESSAGES, stream: true }],
  ["thinking", { messages: MESSAGES, thinking: { type: "adaptive" } }],
  ["thinking_signatures", block({ type: "thinking", thinking: "", signature: "c2ln" })],
  ["redacted_thinking", block({ type: "redacted_thinking", data: "ZGF0YQ==" })],
  ["tool_use", { messages: MESSAGES, tools: [{ name: "t", input_schema: { type: "object" } }] }],
  ["parallel_tools", { messages: MESSAGES, tool_choice: { type: "auto", disable_parallel_tool_use: true } }],
  ["tool_choice", { messages: MESSAGES, tool_choice: { type: "tool", name: "t" } }],
  ["cache_control_5m", block({ type: "text", text: "x", cache_control: { type: "ephemeral" } })],
  ["cache_control_1h", block({ type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } })],
  ["images_base64", block({ type: "image", source: source("base64", { media_type: "image/png", data: "aGk=" }) })],
  ["documents_pdf", block({ type: "document", source: source("base64", { media_type: "application/pdf", data: "" }) })],
  ["documents_text", block({ type: "document", source: source("text", { media_type: "text/plain", data: "x" }) })],
  ["citations", block({ type: "document", source: source("text", { data: "x" }), citations: { enabled: true } })],
  ["server_tools_web_search", { messages: MESSAGES, tools: [{ type: "web_search_20250305", name: "web_search" }] }],
  ["server_tools_code_execution", { messages: MESSAGES, tools: [{ type: "code_execution_20250825", name: "c" }] }],
  ["mcp_servers", { messages: MESSAGES, mcp_servers: [{ type: "url", url: "https://x", name: "x" }] }],
  ["stop_sequences", { messages: MESSAGES, stop_sequences: ["x"] }],
  ["structured_outputs", { messages: MESSAGES, output_config: { format: { type: "json_schema", schema: {} } } }],
  ["context_management", { messages: MESSAGES, context_management: { edits: [] } }],
  ["fast_mode", { messages: MESSAGES, speed: "fast" }],
  ["service_tier", { messages: MESSAGES, service_tier: "auto" }],
  ["inference_geo", { messages: MESSAGES, inference_geo: "eu" }],
  ["metadata_user_id", { messages: MESSAGES, metadata: { user_id: "u" } }],
];

function withoutStream(asking: object): object {
  return Object.fromEntries(Object.entries(asking).filter(([key]) => key !== "stream"));
}

describe.each([
  ["Bedrock", bedrockTarget, BEDROCK_FEATURES],
  ["Vertex", vertexTarget, VERTEX_FEATURES],
] as const)("the feature table of %s", (_name, target, table) => {
  it.each(ASKING)("tells the truth about %s", (feature, asking) => {
    const body = { model: "m", max_tokens: 5, ...asking };

    let outcome: unknown = "yes";
    try {
      const call = target.encode(canonicalRequest(body));
      if (call.warnings.length > 0) outcome = "warning";
      // Passed on as it is, not merely accepted; whether to stream is in the path.
      else expect(JSON.parse(call.body.toString())).toMatchObject(withoutStream(asking));
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      expect(error.code).toBe("weir:request:unsupported_feature");
      outcome = "refused";
    }

    expect(outcome).toBe(table[feature].support);
  });

  it("says why wherever it says no", () => {
    for (const { support, why } of Object.values(table)) expect(support === "yes" || why !== undefined).toBe(true);
  });
});
