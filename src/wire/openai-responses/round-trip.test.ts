import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { ClientCall } from "../codec.ts";
import type { JsonObject, JsonRecord } from "../openai/json-reader.ts";
import { carriedBlocks, carriedReasoning } from "./block-carrier.ts";
import { openaiResponsesClient } from "./client-wire.ts";
import { decodeAnswer } from "./target/decode-answer.ts";
import { ResponsesStreamDecoder } from "./target/stream-decoder.ts";
import { messagesStream } from "./testing/messages-fixtures.ts";
import { messageOf, pushAll } from "./testing/stream-tools.ts";

const CONTEXT = { requestId: "req_01", modelAsked: "claude-sonnet-5-5", createdAtMs: 1_795_000_000_000 };

function clientCall(input: unknown): ClientCall {
  const body = Buffer.from(JSON.stringify({ model: "claude-sonnet-5-5", input, reasoning: { summary: "auto" } }));
  return openaiResponsesClient.decode({ operation: "messages", body, pathModel: null, pathStream: null, maxDepth: 64 });
}

const anyText = fc.string({ unit: "grapheme", minLength: 1 });
const input = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })).filter((object) => !("__proto__" in object));

const textBlock = fc.record({ type: fc.constant("text"), text: anyText });
const thinkingBlock = fc.record({
  type: fc.constant("thinking"),
  thinking: anyText,
  signature: fc.base64String({ minLength: 4 }),
});
const toolBlock = fc.record({ type: fc.constant("tool_use"), name: fc.constantFrom("get", "put"), input });

const answer = fc
  .record({
    content: fc.array(fc.oneof(textBlock, thinkingBlock, toolBlock), { minLength: 1, maxLength: 6 }),
    pieceLength: fc.integer({ min: 1, max: 9 }),
    cut: fc.boolean(),
    tokens: fc.array(fc.nat(100_000), { minLength: 5, maxLength: 5 }),
  })
  .map(({ content, pieceLength, cut, tokens }) => {
    const blocks = content.map((block, index) =>
      block.type === "tool_use" ? { ...block, id: `toolu_${index}` } : block,
    );
    const usesTools = blocks.some(({ type }) => type === "tool_use");
    const [input_tokens, cache_creation_input_tokens, cache_read_input_tokens, thinking = 0, rest = 0] = tokens;
    return {
      pieceLength,
      message: {
        id: "msg_01",
        type: "message",
        role: "assistant",
        model: "claude-sonnet-5-5",
        content: JSON.parse(JSON.stringify(blocks)) as JsonRecord[], // what JSON can say of them
        stop_reason: cut ? "max_tokens" : usesTools ? "tool_use" : "end_turn",
        stop_sequence: null,
        usage: {
          input_tokens,
          cache_creation_input_tokens,
          cache_read_input_tokens,
          output_tokens: thinking + rest,
          output_tokens_details: { thinking_tokens: thinking },
          service_tier: "standard",
        },
      },
    };
  });

/** Thinking that went out as Claude's comes in as the upstream's: its signature has Claude's block whole. */
function unwrapped(message: JsonRecord): JsonRecord {
  const content = message["content"] as JsonRecord[]; // a message has one
  return {
    ...message,
    content: content.map((block) => {
      if (block["type"] !== "thinking") return block;
      const carried = carriedBlocks(carriedReasoning(String(block["signature"])) ?? "");
      expect(carried?.[0]?.["thinking"]).toBe(block["thinking"]);
      return carried?.[0] ?? block;
    }),
  };
}

describe("an answer that goes out as a Response and comes in as one", () => {
  it("is the same message", () => {
    fc.assert(
      fc.property(answer, ({ message }) => {
        const out = clientCall("Hi").encodeAnswer(Buffer.from(JSON.stringify(message)), CONTEXT);
        expect(unwrapped(JSON.parse(decodeAnswer(out, "messages").toString()) as JsonRecord)).toEqual(message);
      }),
    );
  });

  it("is the same message as a stream", () => {
    fc.assert(
      fc.property(answer, ({ message, pieceLength }) => {
        const out = clientCall("Hi").streamEncoder(CONTEXT).push(messagesStream(message, pieceLength));
        expect(unwrapped(messageOf(pushAll(new ResponsesStreamDecoder(), [out])))).toEqual(message);
      }),
    );
  });

  it("is the same assistant's turn when the client sends it back", () => {
    fc.assert(
      fc.property(answer, ({ message }) => {
        const bytes = clientCall("Hi").encodeAnswer(Buffer.from(JSON.stringify(message)), CONTEXT);
        const { output } = JSON.parse(bytes.toString()) as { output: JsonObject[] }; // a Response has one
        const next = JSON.parse(clientCall(output).canonical.toString()) as JsonRecord;
        expect(next["messages"]).toEqual([{ role: "assistant", content: message.content }]);
      }),
    );
  });
});
