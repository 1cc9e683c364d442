import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scanRequest } from "../anthropic/request-scan.ts";
import { encodeChatAnswer } from "./chat-answer.ts";
import { ChatStreamDecoder } from "./chat-stream-decoder.ts";
import { ChatStreamEncoder } from "./chat-stream-encoder.ts";
import { openaiChatClient } from "./openai-chat-client.ts";
import { openaiChatTarget } from "./openai-chat-target.ts";
import { decodeChatAnswer } from "./target-answer.ts";
import { dataOf, inPieces, messagesStream } from "./testing/events.ts";

/** Decoding what was encoded gives the same back: Messages → Chat → Messages, for all that both can express. */

const CONTEXT = { requestId: "r", modelAsked: "m", createdAtMs: 0 };
const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const id = fc.stringMatching(/^[a-zA-Z0-9_-]{1,20}$/);
const input = fc.dictionary(
  fc.stringMatching(/^[a-z]{1,6}$/).filter((key) => key !== "unparsed_arguments"),
  fc.oneof(text, fc.integer(), fc.boolean(), fc.array(text, { maxLength: 2 })),
  { maxKeys: 3, noNullPrototype: true },
);
const signed = fc.record({ type: fc.constant("thinking"), thinking: text, signature: id });
const redacted = fc.record({ type: fc.constant("redacted_thinking"), data: id });
const textBlock = fc.record({ type: fc.constant("text"), text });
const toolUse = fc.record({ type: fc.constant("tool_use"), id, name: id, input });
const tokens = fc.nat({ max: 1_000_000 });

const answer = fc
  .record({
    thinking: fc.array(fc.oneof(signed, redacted), { maxLength: 2 }),
    text: fc.array(textBlock, { maxLength: 1 }),
    tools: fc.uniqueArray(toolUse, { maxLength: 3, selector: ({ id }) => id }),
    id: id.map((tail) => `msg_${tail}`),
    stop: fc.constantFrom("end_turn", "max_tokens", "tool_use", "pause_turn", "stop_sequence", "refusal"),
    usage: fc.record({
      input_tokens: tokens,
      cache_creation_input_tokens: tokens,
      cache_read_input_tokens: tokens,
      output_tokens: tokens,
    }),
  })
  .map(({ thinking, text, tools, id, stop, usage }) => ({
    id,
    type: "message",
    role: "assistant",
    model: "m",
    content: [...thinking, ...text, ...tools],
    stop_reason: stop === "end_turn" && tools.length > 0 ? "tool_use" : stop,
    stop_sequence: stop === "stop_sequence" ? "END" : null,
    usage,
  }));

type Answer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

/** The answer as a stream, strings cut into pieces of `size` characters. */
function eventsOf(message: Answer, size: number): { type: string }[] {
  const start = { ...message, content: [], stop_reason: null, stop_sequence: null, usage: message.usage };
  const events: { type: string }[] = [{ type: "message_start", message: start } as { type: string }];
  for (const [index, block] of message.content.entries()) {
    const add = (type: string, rest: object) => events.push({ type, index, ...rest } as { type: string });
    const deltas = (value: string, make: (piece: string) => object) => {
      const points = Array.from(value);
      for (let at = 0; at < points.length; at += size) {
        add("content_block_delta", { delta: make(points.slice(at, at + size).join("")) });
      }
    };
    if ("text" in block) {
      add("content_block_start", { content_block: { type: "text", text: "" } });
      deltas(block.text, (piece) => ({ type: "text_delta", text: piece }));
    } else if ("thinking" in block) {
      add("content_block_start", { content_block: { type: "thinking", thinking: "", signature: "" } });
      deltas(block.thinking, (thinking) => ({ type: "thinking_delta", thinking }));
      add("content_block_delta", { delta: { type: "signature_delta", signature: block.signature } });
    } else if ("input" in block) {
      add("content_block_start", { content_block: { ...block, input: {} } });
      deltas(JSON.stringify(block.input), (partial_json) => ({ type: "input_json_delta", partial_json }));
    } else add("content_block_start", { content_block: block });
    add("content_block_stop", {});
  }
  const delta = { stop_reason: message.stop_reason, stop_sequence: message.stop_sequence };
  return [
    ...events,
    { type: "message_delta", delta, usage: message.usage } as { type: string },
    { type: "message_stop" },
  ];
}

interface StreamedEvent {
  readonly type: string;
  readonly message?: object;
  readonly content_block?: Record<string, unknown>;
  readonly delta?: Record<string, string>;
  readonly usage?: object;
}

/** Puts a stream's events together again. */
function messageOf(stream: string): object {
  let message: object = {};
  const content: Record<string, unknown>[] = [];
  let json = "";
  for (const event of dataOf(stream) as StreamedEvent[]) {
    const block = content.at(-1) ?? {};
    const delta = event.delta ?? {};
    if (event.type === "message_start") message = { ...event.message };
    else if (event.type === "content_block_start") {
      content.push({ ...event.content_block });
      json = "";
    } else if (event.type === "content_block_delta") {
      if (delta["partial_json"] !== undefined) json += delta["partial_json"];
      for (const key of ["text", "thinking", "signature"]) {
        if (delta[key] !== undefined) block[key] = String(block[key]) + delta[key];
      }
    } else if (event.type === "content_block_stop" && json !== "") block["input"] = JSON.parse(json);
    else if (event.type === "message_delta") Object.assign(message, event.delta, { usage: event.usage });
  }
  return { ...message, content };
}

describe("Messages → Chat Completions → Messages", () => {
  it("gives back a whole answer", () => {
    fc.assert(
      fc.property(answer, (message) => {
        const chat = encodeChatAnswer(Buffer.from(JSON.stringify(message)), CONTEXT);
        expect(JSON.parse(decodeChatAnswer(chat).toString())).toEqual(message);
      }),
      { numRuns: 300 },
    );
  });

  it("gives back a streamed answer, however it is cut into deltas and chunks", () => {
    fc.assert(
      fc.property(answer, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 200 }), (message, size, cut) => {
        const chat = inPieces(new ChatStreamEncoder(CONTEXT, true), messagesStream(eventsOf(message, size)), cut);
        const back = inPieces(new ChatStreamDecoder(), Buffer.from(chat), cut);
        expect(messageOf(back)).toEqual(message);
      }),
      { numRuns: 200 },
    );
  });
});

const ephemeral = fc.constantFrom({ type: "ephemeral" }, { type: "ephemeral", ttl: "1h" });
/** A text that carries something besides its text, so that it is not shortened to a string. */
const markedText = fc.record({ type: fc.constant("text"), text, cache_control: ephemeral });
const image = fc.oneof(
  fc.record({
    type: fc.constant("image"),
    source: fc.record({ type: fc.constant("base64"), media_type: fc.constant("image/png"), data: id }),
  }),
  fc.record({
    type: fc.constant("image"),
    source: fc.record({ type: fc.constant("url"), url: fc.webUrl({ validSchemes: ["https"] }) }),
    cache_control: ephemeral,
  }),
);
const pdf = fc.record({
  type: fc.constant("document"),
  source: fc.record({ type: fc.constant("base64"), media_type: fc.constant("application/pdf"), data: id }),
  title: text,
});
const userContent = fc.oneof(text, fc.array(fc.oneof(markedText, image, pdf), { minLength: 1, maxLength: 4 }));

const request = fc
  .record({
    system: fc.array(markedText, { maxLength: 2 }),
    first: userContent,
    thinking: fc.array(fc.oneof(signed, redacted), { maxLength: 2 }),
    said: fc.array(textBlock, { maxLength: 1 }),
    calls: fc.uniqueArray(toolUse, { minLength: 1, maxLength: 3, selector: ({ id }) => id }),
    results: fc.oneof(text, fc.array(markedText, { minLength: 2, maxLength: 2 })),
    failed: fc.boolean(),
    stop: fc.array(
      text.filter((stop) => stop.trim() !== ""),
      { maxLength: 2 },
    ),
    choice: fc.constantFrom(
      { type: "auto" },
      { type: "any", disable_parallel_tool_use: true },
      { type: "tool", name: "f" },
      { type: "none" },
    ),
    stream: fc.boolean(),
  })
  .map((parts) => ({
    model: "claude-opus-5",
    max_tokens: 1000,
    ...(parts.system.length === 0 ? {} : { system: parts.system }),
    messages: [
      { role: "user", content: parts.first },
      { role: "assistant", content: [...parts.thinking, ...parts.said, ...parts.calls] },
      {
        role: "user",
        content: parts.calls.map(({ id }) => ({
          type: "tool_result",
          tool_use_id: id,
          content: parts.results,
          ...(parts.failed ? { is_error: true } : {}),
        })),
      },
    ],
    tools: [{ name: "f", description: "d", input_schema: { type: "object", properties: {} }, strict: true }],
    tool_choice: parts.choice,
    thinking: { type: "adaptive" },
    output_config: { effort: "high", format: { type: "json_schema", schema: { type: "object" } } },
    metadata: { user_id: "u" },
    ...(parts.stop.length === 0 ? {} : { stop_sequences: parts.stop }),
    ...(parts.stream ? { stream: true } : {}),
  }));

describe("a Messages request for Claude behind a server that speaks Chat Completions as Weir does", () => {
  it("arrives there as it was", () => {
    fc.assert(
      fc.property(request, (messages) => {
        const body = Buffer.from(JSON.stringify(messages));
        const scan = scanRequest(body, { maxDepth: 64, requireMaxTokens: true });
        const upstreamModel = "claude-opus-5";
        const sent = openaiChatTarget.encode({ operation: "messages", body, scan, betas: [], upstreamModel });
        const asked = {
          operation: "messages",
          body: sent.body,
          pathModel: null,
          pathStream: null,
          maxDepth: 64,
        } as const;
        const arrived = openaiChatClient.decode(asked);
        expect(JSON.parse(arrived.canonical.toString())).toEqual(messages);
        expect([...sent.warnings, ...arrived.warnings]).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});
