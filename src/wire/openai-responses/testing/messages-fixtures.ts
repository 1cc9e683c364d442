import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";

/** Answers of the Messages API as Claude gives them, for tests. */

const USAGE = {
  input_tokens: 412,
  cache_creation_input_tokens: 2048,
  cache_read_input_tokens: 18_176,
  cache_creation: { ephemeral_5m_input_tokens: 2048, ephemeral_1h_input_tokens: 0 },
  output_tokens: 389,
  output_tokens_details: { thinking_tokens: 121 },
  service_tier: "standard",
};

function message(content: readonly JsonObject[], rest: JsonObject): JsonRecord {
  return {
    id: "msg_01Ku7mXqP3vYb2HnRtLw9sDe",
    type: "message",
    role: "assistant",
    model: "claude-sonnet-5-5",
    content,
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: USAGE,
    ...rest,
  };
}

const thinking = {
  type: "thinking",
  thinking: "The user wants two cities. I can ask for both at once.\nüber – “quotes” 🌦",
  signature: "EqQBCkgIARABGAIiQL2UoU0b1OHYi+yCHpBY7U6FQW8/J+opaque==",
};

export const toolUseAnswer = message(
  [
    thinking,
    { type: "text", text: "Ich sehe nach — beide Städte zugleich." },
    { type: "tool_use", id: "toolu_01A", name: "get_weather", input: { city: "Köln", unit: "celsius" } },
    { type: "tool_use", id: "toolu_01B", name: "get_weather", input: { city: "São Paulo", note: 'say "hi"\n' } },
    { type: "tool_use", id: "toolu_01C", name: "now", input: {} },
  ],
  { stop_reason: "tool_use" },
);

export const searchAnswer = message(
  [
    { type: "redacted_thinking", data: "EmwKAhgBEgy3va3pzix/LafPsn4aDFIT2Xlxh0L5L8rLVyIwxtE3rAFBa8cr3qpP" },
    { type: "text", text: "I'll look that up." },
    { type: "server_tool_use", id: "srvtoolu_01S", name: "web_search", input: { query: "weir hydrology" } },
    {
      type: "web_search_tool_result",
      tool_use_id: "srvtoolu_01S",
      content: [
        {
          type: "web_search_result",
          url: "https://example.org/weirs",
          title: "Weirs",
          encrypted_content: "EqgfCioIARgBIiQ3YTAwMjY1Mi1m",
          page_age: "May 2, 2026",
        },
      ],
    },
    { type: "text", text: "A weir " },
    {
      type: "text",
      text: "raises the level of a river",
      citations: [
        {
          type: "web_search_result_location",
          url: "https://example.org/weirs",
          title: "Weirs",
          cited_text: "A weir raises the water level",
          encrypted_index: "Eo8BCioIAhgBIiQyYjQ0OWJmZi1lNm",
        },
      ],
    },
    { type: "text", text: "." },
  ],
  { usage: { ...USAGE, server_tool_use: { web_search_requests: 1 } } },
);

export const mcpAnswer = message(
  [
    { type: "mcp_tool_use", id: "mcptoolu_01", name: "lookup", server_name: "crm", input: { id: 7 } },
    { type: "mcp_tool_result", tool_use_id: "mcptoolu_01", is_error: false, content: [{ type: "text", text: "Ada" }] },
    { type: "text", text: "It is Ada." },
  ],
  {},
);

export const documentAnswer = message(
  [
    {
      type: "text",
      text: "The fee is 4 %.",
      citations: [
        {
          type: "page_location",
          cited_text: "a fee of 4 %",
          document_index: 0,
          document_title: "contract.pdf",
          file_id: null,
          start_page_number: 3,
          end_page_number: 4,
        },
      ],
    },
  ],
  {},
);

export const textAnswer = message([{ type: "text", text: "Hello, wörld." }], {});
const cutAnswer = message([{ type: "text", text: "It begins" }], { stop_reason: "max_tokens" });
export const refusedAnswer = message([{ type: "text", text: "Well" }], {
  stop_reason: "refusal",
  stop_details: { type: "refusal", category: "bio", explanation: "I can't help with that." },
});

export const allAnswers: readonly JsonRecord[] = [
  toolUseAnswer,
  searchAnswer,
  mcpAnswer,
  documentAnswer,
  textAnswer,
  cutAnswer,
  refusedAnswer,
];

/** The stream in which the Messages API would send an answer: texts and JSON cut into odd pieces, with a ping. */
export function messagesStream(answer: JsonObject, pieceLength = 7): Buffer {
  const { content, stop_reason, stop_sequence, stop_details, usage, ...start } = answer;
  const out: string[] = [];
  const send = (type: string, fields: JsonObject): void => {
    out.push(`event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`);
  };
  const first = { ...(usage as JsonRecord), output_tokens: 1 }; // fixtures have one
  send("message_start", {
    message: { ...start, content: [], stop_reason: null, stop_sequence: null, usage: first },
  });
  send("ping", {});
  for (const [index, block] of (content as JsonObject[]).entries()) sendBlock(send, index, { block, pieceLength });
  const end = { stop_reason, stop_sequence, ...(stop_details === undefined ? {} : { stop_details }) };
  send("message_delta", { delta: end, usage });
  send("message_stop", {});
  return Buffer.from(out.join(""));
}

type Send = (type: string, fields: JsonObject) => void;

function sendBlock(
  send: Send,
  index: number,
  { block, pieceLength }: { block: JsonObject; pieceLength: number },
): void {
  const deltas: JsonRecord[] = [];
  const start: JsonRecord = { ...block };
  const cut = (type: string, key: string, text: string): void => {
    for (const piece of pieces(text, pieceLength)) deltas.push({ type, [key]: piece });
  };
  if (block["type"] === "text") {
    start["text"] = "";
    delete start["citations"];
    cut("text_delta", "text", String(block["text"]));
    for (const citation of (block["citations"] ?? []) as JsonObject[])
      deltas.push({ type: "citations_delta", citation });
  }
  if (block["type"] === "thinking") {
    start["thinking"] = "";
    start["signature"] = "";
    cut("thinking_delta", "thinking", String(block["thinking"]));
    deltas.push({ type: "signature_delta", signature: block["signature"] });
  }
  if (block["input"] !== undefined) {
    start["input"] = {};
    if (Object.keys(block["input"] as JsonObject).length > 0) {
      cut("input_json_delta", "partial_json", JSON.stringify(block["input"]));
    }
  }
  send("content_block_start", { index, content_block: start });
  for (const delta of deltas) send("content_block_delta", { index, delta });
  send("content_block_stop", { index });
}

function pieces(text: string, length: number): string[] {
  const characters = Array.from(text);
  const out: string[] = [];
  for (let at = 0; at < characters.length; at += length) out.push(characters.slice(at, at + length).join(""));
  return out;
}
