import type { CanonicalRequest, Operation } from "../../codec.ts";
import { scanRequest } from "../../anthropic/request-scan.ts";

const SIGNATURE = "EqoBCkgIARABGAIiQL3vYy0hbW9jay1zaWduYXR1cmUtdGhhdC1pcy1sb25nZXI+Zw==";

const USAGE = {
  input_tokens: 412,
  cache_creation_input_tokens: 2048,
  cache_read_input_tokens: 18_432,
  cache_creation: { ephemeral_5m_input_tokens: 1024, ephemeral_1h_input_tokens: 1024 },
  output_tokens: 3,
  service_tier: "standard",
};

/** A long conversation's next turn, with about everything that a request may hold and both clouds take. */
export const FULL_REQUEST = {
  model: "claude-opus-5-5",
  max_tokens: 32_000,
  stream: true,
  system: [
    { type: "text", text: "x-anthropic-billing-header: cc_version=2.1.329" },
    {
      type: "text",
      text: "You are “helpful” – naïve, too: 日本語 🦀",
      cache_control: { type: "ephemeral", ttl: "1h" },
    },
  ],
  thinking: { type: "adaptive", display: "omitted" },
  output_config: { effort: "medium" },
  context_management: { edits: [{ type: "clear_thinking_20251015", keep: "all" }] },
  metadata: { user_id: '{"device_id":"d","session_id":"s"}' },
  tools: [
    { name: "Bash", description: "Runs a command", input_schema: { type: "object", properties: {} } },
    { name: "Rare", defer_loading: true, input_schema: { type: "object" }, cache_control: { type: "ephemeral" } },
  ],
  tool_choice: { type: "auto", disable_parallel_tool_use: false },
  stop_sequences: ["\n\nHuman:"],
  messages: [
    {
      role: "user",
      content: [
        { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBORw0KGgo=" } },
        {
          type: "document",
          source: { type: "text", media_type: "text/plain", data: "The quick brown fox." },
          citations: { enabled: true },
        },
        { type: "text", text: 'What "model" is this?', cache_control: { type: "ephemeral" } },
      ],
    },
    {
      role: "assistant",
      content: [
        { type: "thinking", thinking: "", signature: SIGNATURE },
        { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix/LafPsn4a" },
        { type: "tool_use", id: "toolu_01", name: "Bash", input: { command: 'echo {"model":1}' } },
        { type: "tool_use", id: "toolu_02", name: "Bash", input: {} },
      ],
    },
    {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "toolu_01", content: [{ type: "text", text: "ok" }] },
        { type: "tool_result", tool_use_id: "toolu_02", content: "done", is_error: true },
      ],
    },
    { role: "system", content: [{ type: "text", text: "Be brief." }] },
  ],
};

type StopReason =
  | "end_turn"
  | "max_tokens"
  | "stop_sequence"
  | "tool_use"
  | "pause_turn"
  | "refusal"
  | "model_context_window_exceeded";

export const STOP_REASONS: readonly StopReason[] = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
];

interface StreamEvent {
  readonly type: string;
  readonly [member: string]: unknown;
}

/** The events of an answer: thinking with its signature, citations, two tools at once with split JSON, a server tool. */
export function answerEvents(stopReason: StopReason = "tool_use"): StreamEvent[] {
  const delta = (index: number, delta: object): StreamEvent => ({ type: "content_block_delta", index, delta });
  return [
    {
      type: "message_start",
      message: {
        id: "msg_bdrk_01",
        type: "message",
        role: "assistant",
        model: "claude-opus-5-5",
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: USAGE,
      },
    },
    { type: "ping" },
    { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
    delta(0, { type: "thinking_delta", thinking: "Zuerst “prüfen” 🧪 …\nthen act" }),
    delta(0, { type: "signature_delta", signature: SIGNATURE }),
    { type: "content_block_stop", index: 0 },
    { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "EmwKAhgBEgy3va3p" } },
    { type: "content_block_stop", index: 1 },
    { type: "content_block_start", index: 2, content_block: { type: "text", text: "", citations: [] } },
    delta(2, { type: "text_delta", text: "The fox is brown" }),
    delta(2, {
      type: "citations_delta",
      citation: { type: "char_location", cited_text: "brown fox", document_index: 0, start_char_index: 10 },
    }),
    { type: "content_block_stop", index: 2 },
    {
      type: "content_block_start",
      index: 3,
      content_block: { type: "tool_use", id: "toolu_03", name: "Bash", input: {} },
    },
    delta(3, { type: "input_json_delta", partial_json: "" }),
    delta(3, { type: "input_json_delta", partial_json: '{"command": "ec' }),
    delta(3, { type: "input_json_delta", partial_json: 'ho \\"hi\\""}' }),
    { type: "content_block_stop", index: 3 },
    {
      type: "content_block_start",
      index: 4,
      content_block: { type: "tool_use", id: "toolu_04", name: "Bash", input: {} },
    },
    delta(4, { type: "input_json_delta", partial_json: "{}" }),
    { type: "content_block_stop", index: 4 },
    {
      type: "content_block_start",
      index: 5,
      content_block: { type: "server_tool_use", id: "srvtoolu_01", name: "web_search", input: {} },
    },
    { type: "content_block_stop", index: 5 },
    // A kind of event that does not exist yet.
    { type: "content_block_annotation", index: 5, annotation: { kind: "future" } },
    {
      type: "message_delta",
      delta: { stop_reason: stopReason, stop_sequence: stopReason === "stop_sequence" ? "\n\nHuman:" : null },
      usage: { ...USAGE, output_tokens: 181 },
    },
    { type: "message_stop" },
  ];
}

/** Events as the Messages API streams them. */
export function eventStream(events: readonly { readonly type: string }[]): Buffer {
  return Buffer.from(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""));
}

/** A whole answer. */
export const ANSWER = {
  id: "msg_bdrk_02",
  type: "message",
  role: "assistant",
  model: "claude-opus-5-5",
  content: [
    { type: "thinking", thinking: "short", signature: SIGNATURE },
    { type: "text", text: "done" },
  ],
  stop_reason: "end_turn",
  stop_sequence: null,
  usage: { ...USAGE, output_tokens: 12 },
};

/** A canonical request as the gateway hands it over. */
export function canonicalRequest(
  body: object | string,
  { betas = [], upstreamModel = "us.anthropic.claude-opus-5-5", operation = "messages" }: RequestOptions = {},
): CanonicalRequest {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const scan = scanRequest(bytes, { maxDepth: 200, requireMaxTokens: operation === "messages" });
  return { operation, body: bytes, scan, betas, upstreamModel };
}

interface RequestOptions {
  readonly betas?: readonly string[];
  readonly upstreamModel?: string;
  readonly operation?: Operation;
}
