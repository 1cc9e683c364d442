import { describe, expect, it } from "vitest";
import { describeOtherMeaning, meaningOf } from "./answer-meaning.ts";

const USAGE = { input_tokens: 2, cache_creation_input_tokens: 30, cache_read_input_tokens: 400, output_tokens: 1 };
const MEANING = { text: "Open the gate", inputTokens: 432, outputTokens: 7, ended: true };

const MESSAGE = { content: [{ type: "text", text: "Open the gate" }], usage: { ...USAGE, output_tokens: 7 } };
const EVENTS = [
  { type: "message_start", message: { content: [], usage: USAGE } },
  { type: "content_block_delta", delta: { type: "text_delta", text: "Open " } },
  { type: "content_block_delta", delta: { type: "text_delta", text: "the gate" } },
  { type: "message_delta", delta: { stop_reason: "end_turn" }, usage: { output_tokens: 7 } },
  { type: "message_stop" },
];

const COMPLETION_USAGE = { prompt_tokens: 432, completion_tokens: 7 };
const COMPLETION = { choices: [{ message: { content: "Open the gate" } }], usage: COMPLETION_USAGE };
const CHUNKS = [
  { choices: [{ delta: { role: "assistant", content: "" } }], usage: null },
  { choices: [{ delta: { content: "Open " } }], usage: null },
  { choices: [{ delta: { content: "the gate" } }], usage: null },
  { choices: [], usage: COMPLETION_USAGE },
];

function sse(data: readonly unknown[]): Buffer {
  return Buffer.from(data.map((one) => `data: ${typeof one === "string" ? one : JSON.stringify(one)}\n\n`).join(""));
}

describe("what an answer says", () => {
  it.each([
    ["a message", meaningOf("messages", false, Buffer.from(JSON.stringify(MESSAGE)))],
    ["a message stream", meaningOf("messages", true, sse(EVENTS))],
    ["a chat completion", meaningOf("chat", false, Buffer.from(JSON.stringify(COMPLETION)))],
    ["a chat completion stream", meaningOf("chat", true, sse([...CHUNKS, "[DONE]"]))],
  ])("is read out of %s", (_, meaning) => {
    expect(meaning).toEqual(MEANING);
  });

  it("is not whole where a stream does not say that it has ended", () => {
    expect(meaningOf("messages", true, sse(EVENTS.slice(0, -1))).ended).toBe(false);
    expect(meaningOf("chat", true, sse(CHUNKS)).ended).toBe(false);
  });
});

describe("the comparison of what two answers say", () => {
  it("finds nothing when they say the same", () => {
    expect(describeOtherMeaning(MEANING, { ...MEANING })).toBeNull();
  });

  it.each([
    [{ text: "Open the" }, "text"],
    [{ inputTokens: 2 }, "inputTokens"],
    [{ outputTokens: NaN }, "outputTokens"],
    [{ ended: false }, "ended"],
  ])("notices %j", (change, word) => {
    expect(describeOtherMeaning(MEANING, { ...MEANING, ...change })).toContain(word);
  });
});
