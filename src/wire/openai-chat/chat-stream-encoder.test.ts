import OpenAI from "openai";
import { describe, expect, it } from "vitest";

import { ChatStreamEncoder } from "./chat-stream-encoder.ts";
import { RICH_EVENTS, SEARCH_EVENTS } from "./testing/fixtures.ts";
import { atOnce, dataOf, differingCuts, messagesStream } from "./testing/events.ts";

const CONTEXT = { requestId: "req_1", modelAsked: "sprächmodell", createdAtMs: 1_795_000_000_999 };

function encoder(includeUsage = false): ChatStreamEncoder {
  return new ChatStreamEncoder(CONTEXT, includeUsage);
}

function choicesOf(stream: string): Record<string, unknown>[] {
  return dataOf(stream)
    .filter((data): data is { choices: Record<string, unknown>[] } => typeof data === "object")
    .flatMap(({ choices }) => choices);
}

function deltasOf(stream: string): unknown[] {
  return choicesOf(stream).map(({ delta }) => delta);
}

describe("a Messages stream for a Chat Completions client", () => {
  const rich = messagesStream(RICH_EVENTS);

  it("gives role, reasoning, signed thinking, text and tool calls in their order", () => {
    expect(deltasOf(atOnce(encoder(), rich))).toEqual([
      { role: "assistant", content: "", refusal: null },
      { reasoning_content: 'Let me "see"…\n' },
      { reasoning_content: "Größe 🙂" },
      {
        thinking_blocks: [{ type: "thinking", thinking: 'Let me "see"…\nGröße 🙂', signature: "EqQBCgIYAhIM+/==" }],
      },
      { thinking_blocks: [{ type: "redacted_thinking", data: "EmwKAhgB" }] },
      { content: "Grüße, \\ 世界 " },
      { content: "and 🙂\u0000." },
      {
        tool_calls: [{ index: 0, id: "toolu_01A", type: "function", function: { name: "get_weather", arguments: "" } }],
      },
      { tool_calls: [{ index: 0, function: { arguments: '{"city": "Par' } }] },
      { tool_calls: [{ index: 0, function: { arguments: 'is"}' } }] },
      { tool_calls: [{ index: 1, id: "toolu_01B", type: "function", function: { name: "now", arguments: "" } }] },
      { tool_calls: [{ index: 1, function: { arguments: "{}" } }] },
      {},
    ]);
  });

  it("names the model as the client did, with one id and time for all chunks", () => {
    const chunks = dataOf(atOnce(encoder(), rich)).slice(0, -1);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({
        id: "chatcmpl-01Rich",
        object: "chat.completion.chunk",
        created: 1_795_000_000,
        model: "sprächmodell",
        service_tier: "default",
      });
    }
  });

  it("is the same wherever the stream is cut", () => {
    expect(differingCuts(() => encoder(true), rich)).toEqual([]);
    expect(differingCuts(() => encoder(), messagesStream(SEARCH_EVENTS))).toEqual([]);
  });

  it("tells the finish reason last, then [DONE], and no usage that was not asked for", () => {
    const data = dataOf(atOnce(encoder(), rich));
    expect(data.at(-1)).toBe("[DONE]");
    expect(data.at(-2)).toMatchObject({ choices: [{ delta: {}, finish_reason: "tool_calls" }] });
    expect(JSON.stringify(data)).not.toContain('"usage"');
  });

  it("gives the usage of prompt, cache and thinking in a last chunk when it is asked for", () => {
    const data = dataOf(atOnce(encoder(true), rich));
    expect(data[0]).toMatchObject({ usage: null });
    expect(data.at(-2)).toMatchObject({
      choices: [],
      usage: {
        prompt_tokens: 4312,
        completion_tokens: 89,
        total_tokens: 4401,
        prompt_tokens_details: { cached_tokens: 4000, cache_write_tokens: 300 },
        completion_tokens_details: { reasoning_tokens: 40 },
      },
    });
  });

  it("passes a ping on as a comment", () => {
    expect(atOnce(encoder(), rich)).toContain("\n\n: ping\n\n");
    expect(encoder().ping().toString()).toBe(": ping\n\n");
  });

  it("shows a cut stream as cut: no finish reason, no [DONE]", () => {
    const cut = messagesStream(RICH_EVENTS.slice(0, -1));
    const out = atOnce(encoder(true), cut);
    expect(out).not.toContain("[DONE]");
    expect(choicesOf(out).every(({ finish_reason }) => finish_reason === null)).toBe(true);
  });

  it("ends with the error that came inside the stream", () => {
    const events = [
      ...RICH_EVENTS.slice(0, 4),
      { type: "error", error: { type: "overloaded_error", message: "Überlast" } },
    ];
    const data = dataOf(atOnce(encoder(), messagesStream([...events, ...RICH_EVENTS.slice(4)])));
    expect(data.at(-1)).toEqual({
      error: { message: "Überlast", type: "server_error", param: null, code: "overloaded" },
    });
  });

  it("gives web citations as annotations over the cited text, other citations beside them, server blocks whole", () => {
    const deltas = deltasOf(atOnce(encoder(), messagesStream(SEARCH_EVENTS)));
    expect(deltas[2]).toEqual({
      server_tool_blocks: [{ type: "server_tool_use", id: "srvtoolu_01", name: "web_search", input: { query: "öl" } }],
    });
    expect(deltas[3]).toMatchObject({ server_tool_blocks: [{ type: "web_search_tool_result" }] });
    expect(deltas[5]).toEqual({
      annotations: [
        { type: "url_citation", url_citation: { start_index: 4, end_index: 14, title: "E", url: "https://e.org" } },
      ],
      citations: [{ type: "page_location", cited_text: "p", document_index: 0, start_index: 4, end_index: 14 }],
    });
  });

  it.each([
    ["end_turn", null, { finish_reason: "stop" }],
    ["stop_sequence", "END", { finish_reason: "stop", stop_reason: "stop_sequence", stop_sequence: "END" }],
    ["max_tokens", null, { finish_reason: "length" }],
    ["tool_use", null, { finish_reason: "tool_calls" }],
    ["pause_turn", null, { finish_reason: "stop", stop_reason: "pause_turn" }],
    ["refusal", null, { finish_reason: "content_filter" }],
    ["model_context_window_exceeded", null, { finish_reason: "length", stop_reason: "model_context_window_exceeded" }],
  ])("turns the stop reason %s into its words", (stop_reason, stop_sequence, finish) => {
    const events = [
      RICH_EVENTS[0],
      { type: "message_delta", delta: { stop_reason, stop_sequence } },
      { type: "message_stop" },
    ];
    const last = choicesOf(atOnce(encoder(), messagesStream(events))).at(-1);
    expect(last).toEqual({ index: 0, delta: {}, logprobs: null, ...finish });
  });

  it("reads deltas in other shapes too: spaces, CRLF, padding, other members", () => {
    const start = messagesStream([RICH_EVENTS[0], RICH_EVENTS[9]]).toString();
    const shapes = [
      'event: content_block_delta\ndata: {"type": "content_block_delta", "index": 2, "delta": {"type": "text_delta", "text": "a"}}\n\n',
      'event: content_block_delta\r\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"b"}}\r\n\r\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"c\\"}}"}     }\n\n',
      'event: content_block_delta\ndata: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"d","p":"x"}}\n\n',
      'data: {"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"e"}}\n\n',
    ];
    const out = atOnce(encoder(), Buffer.from(start + shapes.join("")));
    const texts = deltasOf(out).map((delta) => (delta as { content?: string }).content);
    expect(texts.join("")).toBe('abc"}}de');
  });

  it("is read by the official SDK to the same answer", async () => {
    const body = atOnce(encoder(true), rich);
    const client = new OpenAI({
      apiKey: "k",
      fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
    });
    const stream = client.chat.completions.stream({ model: "m", messages: [], stream: true });
    const completion = await stream.finalChatCompletion();
    expect(completion.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "Grüße, \\ 世界 and 🙂\u0000.",
        tool_calls: [
          { id: "toolu_01A", function: { name: "get_weather", arguments: '{"city": "Paris"}' } },
          { id: "toolu_01B", function: { name: "now", arguments: "{}" } },
        ],
      },
    });
    expect(completion.usage?.prompt_tokens).toBe(4312);
  });
});
