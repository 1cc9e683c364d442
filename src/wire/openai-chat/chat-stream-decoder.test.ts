import Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ChatStreamDecoder } from "./chat-stream-decoder.ts";
import { ChatStreamEncoder } from "./chat-stream-encoder.ts";
import { RICH_CHUNKS, RICH_EVENTS, SEARCH_EVENTS, chunk, usageChunk } from "./testing/fixtures.ts";
import { atOnce, chatStream, dataOf, differingCuts, messagesStream } from "./testing/events.ts";

async function messageOf(stream: Buffer): Promise<Anthropic.Message> {
  const body = atOnce(new ChatStreamDecoder(), stream);
  const client = new Anthropic({
    apiKey: "k",
    fetch: async () => new Response(body, { headers: { "content-type": "text/event-stream" } }),
  });
  return client.messages.stream({ model: "m", max_tokens: 1, messages: [] }).finalMessage();
}

function typesOf(stream: Buffer): unknown[] {
  return dataOf(atOnce(new ChatStreamDecoder(), stream)).map((event) => (event as { type: string }).type);
}

describe("a Chat Completions stream as Messages events", () => {
  const rich = chatStream(RICH_CHUNKS);

  it("is read by the official SDK: thinking, text and parallel tool calls whose pieces came mixed", async () => {
    const message = await messageOf(rich);
    expect(message.content).toEqual([
      { type: "thinking", thinking: "Größe 🙂", signature: "weir-unsigned" },
      { type: "text", text: 'Let me "look"\n世界' },
      { type: "tool_use", id: "call_a", name: "get_weather", input: { city: "Paris" } },
      { type: "tool_use", id: "call_b", name: "now", input: {} },
    ]);
    expect(message).toMatchObject({ id: "msg_9x", model: "gpt-6-sol", stop_reason: "tool_use" });
    expect(message.usage).toMatchObject({
      input_tokens: 300,
      cache_read_input_tokens: 600,
      cache_creation_input_tokens: 100,
      output_tokens: 50,
    });
  });

  it("nests blocks well: each one ends before the next begins, with indexes from 0", () => {
    const events = dataOf(atOnce(new ChatStreamDecoder(), rich)) as { type: string; index?: number }[];
    let open = -1;
    let next = 0;
    for (const { type, index } of events) {
      if (type === "content_block_start") {
        expect([open, index]).toEqual([-1, next++]);
        open = index ?? -1;
      } else if (type === "content_block_delta") expect(index).toBe(open);
      else if (type === "content_block_stop") {
        expect(index).toBe(open);
        open = -1;
      }
    }
    expect([open, next]).toEqual([-1, 4]);
  });

  it("is the same wherever the stream is cut", () => {
    expect(differingCuts(() => new ChatStreamDecoder(), rich)).toEqual([]);
  });

  it("relays text at once, before the chunk after it came", () => {
    const decoder = new ChatStreamDecoder();
    const out = decoder.push(chatStream([chunk({ role: "assistant", content: "Hi" })], "")).toString();
    expect(dataOf(out).map((event) => (event as { type: string }).type)).toEqual([
      "message_start",
      "content_block_start",
      "content_block_delta",
    ]);
  });

  it("shows a cut stream as cut", () => {
    for (const end of [5, 8, RICH_CHUNKS.length - 1]) {
      expect(typesOf(chatStream(RICH_CHUNKS.slice(0, end), ""))).not.toContain("message_stop");
    }
  });

  it("ends with the usage chunk where a server sends no [DONE]", () => {
    expect(typesOf(chatStream(RICH_CHUNKS, "")).at(-1)).toBe("message_stop");
  });

  it("ends with [DONE] where a server gives no finish reason, and once only", () => {
    const types = typesOf(chatStream([chunk({ content: "a" })], "data: [DONE]\n\ndata: [DONE]\n\n"));
    expect(types.filter((type) => type === "message_stop")).toHaveLength(1);
  });

  it("takes usage from the finish chunk, where some servers put it", async () => {
    const usage = { prompt_tokens: 9, completion_tokens: 2 };
    const message = await messageOf(
      chatStream([chunk({ content: "a" }), chunk({}, { finish_reason: "length", usage })]),
    );
    expect(message).toMatchObject({ stop_reason: "max_tokens", usage: { input_tokens: 9, output_tokens: 2 } });
  });

  it("passes Azure's filter chunk and servers' comments over", async () => {
    const azure = { id: "", object: "", model: "", choices: [], prompt_filter_results: [{ prompt_index: 0 }] };
    const stream = Buffer.concat([
      Buffer.from(": OPENROUTER PROCESSING\n\n"),
      chatStream([
        azure,
        chunk({ content: "a" }),
        chunk({}, { finish_reason: "stop" }),
        usageChunk({ prompt_tokens: 1 }),
      ]),
    ]);
    expect(await messageOf(stream)).toMatchObject({ id: "msg_9x", content: [{ type: "text", text: "a" }] });
  });

  it("turns an error inside the stream into an error event and says nothing after it", () => {
    const error = { error: { message: "Rate limit reached for gpt-6", type: "tokens", code: "rate_limit_exceeded" } };
    const events = dataOf(atOnce(new ChatStreamDecoder(), chatStream([chunk({ content: "a" }), error, chunk({})])));
    expect(events.at(-1)).toEqual({
      type: "error",
      error: { type: "rate_limit_error", message: "Rate limit reached for gpt-6", code: "rate_limit_exceeded" },
    });
  });

  it("throws for what is no chunk", () => {
    expect(() => new ChatStreamDecoder().push(Buffer.from("data: <html>\n\n"))).toThrow(/no Chat Completion chunk/);
  });

  it("takes the model's words of refusal as text and as the reason", async () => {
    const chunks = [chunk({ refusal: "I can" }), chunk({ refusal: "not." }), chunk({}, { finish_reason: "stop" })];
    expect(await messageOf(chatStream(chunks))).toMatchObject({
      content: [{ type: "text", text: "I cannot." }],
      stop_reason: "refusal",
      stop_details: { type: "refusal", explanation: "I cannot." },
    });
  });

  it("tells apart calls that a server counts all as 0, and calls without a count", async () => {
    const call = (id: string) => ({ index: 0, id, function: { name: "f", arguments: "{}" } });
    const uncounted = { id: "c", function: { name: "g", arguments: '{"x":1}' } };
    const chunks = [chunk({ tool_calls: [call("a"), call("b")] }), chunk({ tool_calls: [uncounted] })];
    const message = await messageOf(chatStream([...chunks, chunk({}, { finish_reason: "stop" })]));
    expect(message.content).toMatchObject([{ id: "a" }, { id: "b" }, { id: "c", input: { x: 1 } }]);
    expect(message.stop_reason).toBe("tool_use");
  });

  it("takes signed thinking in pieces beside the reasoning, as other gateways send it", async () => {
    const piece = (thinking: string, signature?: string) =>
      chunk({ reasoning_content: thinking, thinking_blocks: [{ type: "thinking", thinking, signature }] });
    const signed = chunk({ thinking_blocks: [{ type: "thinking", thinking: "", signature: "Sig=" }] });
    const chunks = [piece("Let "), piece("me"), signed, chunk({ content: "a" }), chunk({}, { finish_reason: "stop" })];
    expect((await messageOf(chatStream(chunks))).content).toEqual([
      { type: "thinking", thinking: "Let me", signature: "Sig=" },
      { type: "text", text: "a" },
    ]);
  });

  it.each([
    ["everything", RICH_EVENTS],
    ["a web search", SEARCH_EVENTS],
  ])("gives back what the encoder made of an answer with %s", async (_name, events) => {
    const context = { requestId: "r", modelAsked: "m", createdAtMs: 0 };
    const chat = new ChatStreamEncoder(context, true).push(messagesStream(events));
    const back = await messageOf(chat);
    const canonical = messagesStream(events);
    const client = new Anthropic({
      apiKey: "k",
      fetch: async () => new Response(canonical, { headers: { "content-type": "text/event-stream" } }),
    });
    const original = await client.messages.stream({ model: "m", max_tokens: 1, messages: [] }).finalMessage();
    const withoutCitations = original.content.map((block) => (block.type === "text" ? { text: block.text } : block));
    expect(back.content).toMatchObject(withoutCitations);
    expect(back).toMatchObject({ id: original.id, stop_reason: original.stop_reason });
    expect(back.usage.output_tokens).toBe(original.usage.output_tokens);
  });
});
