/** Messages events of an answer with everything that a stream can hold. */
export const RICH_EVENTS = [
  {
    type: "message_start",
    message: {
      id: "msg_01Rich",
      type: "message",
      role: "assistant",
      model: "claude-opus-5-5",
      content: [],
      stop_reason: null,
      stop_sequence: null,
      usage: {
        input_tokens: 12,
        cache_creation_input_tokens: 300,
        cache_read_input_tokens: 4000,
        cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
        output_tokens: 1,
        service_tier: "standard",
      },
    },
  },
  { type: "ping" },
  { type: "content_block_start", index: 0, content_block: { type: "thinking", thinking: "", signature: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: 'Let me "see"…\n' } },
  { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Größe 🙂" } },
  { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "EqQBCgIYAhIM+/==" } },
  { type: "content_block_stop", index: 0 },
  { type: "content_block_start", index: 1, content_block: { type: "redacted_thinking", data: "EmwKAhgB" } },
  { type: "content_block_stop", index: 1 },
  { type: "content_block_start", index: 2, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "Grüße, \\ 世界 " } },
  { type: "content_block_delta", index: 2, delta: { type: "text_delta", text: "and \ud83d\ude42\u0000." } },
  { type: "content_block_stop", index: 2 },
  {
    type: "content_block_start",
    index: 3,
    content_block: { type: "tool_use", id: "toolu_01A", name: "get_weather", input: {} },
  },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: "" } },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: '{"city": "Par' } },
  { type: "content_block_delta", index: 3, delta: { type: "input_json_delta", partial_json: 'is"}' } },
  { type: "content_block_stop", index: 3 },
  {
    type: "content_block_start",
    index: 4,
    content_block: { type: "tool_use", id: "toolu_01B", name: "now", input: {} },
  },
  { type: "content_block_stop", index: 4 },
  {
    type: "message_delta",
    delta: { stop_reason: "tool_use", stop_sequence: null },
    usage: { output_tokens: 89, output_tokens_details: { thinking_tokens: 40 } },
  },
  { type: "message_stop" },
] as const;

/** Messages events of an answer from a web search. */
export const SEARCH_EVENTS = [
  {
    type: "message_start",
    message: {
      id: "msg_01Search",
      type: "message",
      role: "assistant",
      model: "m",
      content: [],
      usage: { input_tokens: 5 },
    },
  },
  { type: "content_block_start", index: 0, content_block: { type: "text", text: "" } },
  { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Öl: " } },
  { type: "content_block_stop", index: 0 },
  {
    type: "content_block_start",
    index: 1,
    content_block: { type: "server_tool_use", id: "srvtoolu_01", name: "web_search", input: {} },
  },
  { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: '{"query":"ö' } },
  { type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: 'l"}' } },
  { type: "content_block_stop", index: 1 },
  {
    type: "content_block_start",
    index: 2,
    content_block: {
      type: "web_search_tool_result",
      tool_use_id: "srvtoolu_01",
      content: [{ type: "web_search_result", url: "https://e.org", title: "E", encrypted_content: "x" }],
    },
  },
  { type: "content_block_stop", index: 2 },
  { type: "content_block_start", index: 3, content_block: { type: "text", text: "", citations: [] } },
  {
    type: "content_block_delta",
    index: 3,
    delta: {
      type: "citations_delta",
      citation: {
        type: "web_search_result_location",
        url: "https://e.org",
        title: "E",
        cited_text: "c",
        encrypted_index: "i",
      },
    },
  },
  {
    type: "content_block_delta",
    index: 3,
    delta: { type: "citations_delta", citation: { type: "page_location", cited_text: "p", document_index: 0 } },
  },
  { type: "content_block_delta", index: 3, delta: { type: "text_delta", text: "80 dollars" } },
  { type: "content_block_stop", index: 3 },
  { type: "message_delta", delta: { stop_reason: "pause_turn", stop_sequence: null }, usage: { output_tokens: 7 } },
  { type: "message_stop" },
] as const;

interface ChunkExtras {
  readonly finish_reason?: string | null;
  readonly usage?: object | null;
}

/** A Chat Completions chunk with one choice. */
export function chunk(delta: object, { finish_reason = null, usage }: ChunkExtras = {}): object {
  const base = { id: "chatcmpl-9x", object: "chat.completion.chunk", created: 1_795_000_000, model: "gpt-6-sol" };
  return { ...base, choices: [{ index: 0, delta, finish_reason }], ...(usage === undefined ? {} : { usage }) };
}

/** The chunk with the usage that comes last. */
export function usageChunk(usage: object): object {
  return { id: "chatcmpl-9x", object: "chat.completion.chunk", created: 1, model: "gpt-6-sol", choices: [], usage };
}

const CALL_A = { index: 0, id: "call_a", type: "function", function: { name: "get_weather", arguments: "" } };
const CALL_B = { index: 1, id: "call_b", type: "function", function: { name: "now", arguments: "" } };

/** Chunks of an answer with reasoning, text and two tool calls whose arguments come mixed. */
export const RICH_CHUNKS = [
  chunk({ role: "assistant", content: "", refusal: null }, { usage: null }),
  chunk({ reasoning_content: "Größe" }, { usage: null }),
  chunk({ reasoning_content: " 🙂" }, { usage: null }),
  chunk({ content: 'Let me "look"\n' }, { usage: null }),
  chunk({ content: "世界" }, { usage: null }),
  chunk({ tool_calls: [CALL_A] }, { usage: null }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }, { usage: null }),
  chunk({ tool_calls: [CALL_B] }, { usage: null }),
  chunk({ tool_calls: [{ index: 1, function: { arguments: "{" } }] }, { usage: null }),
  chunk({ tool_calls: [{ index: 0, function: { arguments: '"Paris"}' } }] }, { usage: null }),
  chunk({ tool_calls: [{ index: 1, function: { arguments: "}" } }] }, { usage: null }),
  chunk({}, { finish_reason: "tool_calls", usage: null }),
  usageChunk({
    prompt_tokens: 1000,
    completion_tokens: 50,
    total_tokens: 1050,
    prompt_tokens_details: { cached_tokens: 600, cache_write_tokens: 100 },
    completion_tokens_details: { reasoning_tokens: 20 },
  }),
];
