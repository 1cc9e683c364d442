import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { encodeChatAnswer } from "./chat-answer.ts";
import { openaiChatClient } from "./openai-chat-client.ts";
import { decodeChatAnswer } from "./target-answer.ts";

const CONTEXT = { requestId: "req_1", modelAsked: "asked", createdAtMs: 1_795_000_000_500 };
const USAGE = { input_tokens: 5, cache_creation_input_tokens: 2, cache_read_input_tokens: 3, output_tokens: 7 };

function encode(message: object): Record<string, unknown> {
  const whole = { id: "msg_1", type: "message", role: "assistant", model: "m", usage: USAGE, ...message };
  return JSON.parse(encodeChatAnswer(Buffer.from(JSON.stringify(whole)), CONTEXT).toString());
}

function decode(answer: object): Record<string, unknown> {
  return JSON.parse(decodeChatAnswer(Buffer.from(JSON.stringify(answer))).toString());
}

function completion(message: object, choice: object = { finish_reason: "stop" }): object {
  return { id: "chatcmpl-1", object: "chat.completion", model: "gpt", choices: [{ index: 0, message, ...choice }] };
}

describe("a whole Messages answer for a Chat Completions client", () => {
  it("has text, thinking, tool calls and usage in their places", () => {
    const content = [
      { type: "thinking", thinking: "t", signature: "s" },
      { type: "redacted_thinking", data: "d" },
      { type: "text", text: "a" },
      { type: "text", text: "b" },
      { type: "tool_use", id: "toolu_1", name: "f", input: { a: [1] } },
    ];
    expect(encode({ content, stop_reason: "tool_use", stop_sequence: null })).toEqual({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 1_795_000_000,
      model: "asked",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "ab",
            refusal: null,
            reasoning_content: "t",
            thinking_blocks: content.slice(0, 2),
            tool_calls: [{ id: "toolu_1", type: "function", function: { name: "f", arguments: '{"a":[1]}' } }],
          },
          logprobs: null,
          finish_reason: "tool_calls",
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 7,
        total_tokens: 17,
        prompt_tokens_details: { cached_tokens: 3, cache_write_tokens: 2 },
      },
    });
  });

  it("has no text where there is none, and the reason of a refusal", () => {
    const stop_details = { type: "refusal", category: "bio", explanation: "No." };
    expect(encode({ content: [], stop_reason: "refusal", stop_details })).toMatchObject({
      choices: [{ message: { content: null, refusal: "No." }, finish_reason: "content_filter" }],
    });
  });

  it("is refused when it is something else", () => {
    expect(() => encodeChatAnswer(Buffer.from("<html>"), CONTEXT)).toThrow(WeirError);
    expect(() => encodeChatAnswer(Buffer.from('{"type":"error"}'), CONTEXT)).toThrow(/not a Messages answer/);
  });
});

describe("a whole Chat Completion as a Messages answer", () => {
  it("has its blocks in Messages' order and its usage without what came from the cache", () => {
    const message = {
      role: "assistant",
      content: "a",
      reasoning_content: "r",
      tool_calls: [{ id: "call_1", type: "function", function: { name: "f", arguments: '{"x":1}' } }],
    };
    const usage = { prompt_tokens: 10, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 6 } };
    const answer = { ...completion(message, { finish_reason: "tool_calls" }), usage, service_tier: "default" };
    expect(decode(answer)).toEqual({
      id: "msg_1",
      type: "message",
      role: "assistant",
      model: "gpt",
      content: [
        { type: "thinking", thinking: "r", signature: "weir-unsigned" },
        { type: "text", text: "a" },
        { type: "tool_use", id: "call_1", name: "f", input: { x: 1 } },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      usage: {
        input_tokens: 4,
        cache_read_input_tokens: 6,
        cache_creation_input_tokens: 0,
        output_tokens: 4,
        service_tier: "standard",
      },
    });
  });

  it.each([
    [{ finish_reason: "stop" }, "end_turn", null],
    [{ finish_reason: "length" }, "max_tokens", null],
    [{ finish_reason: "content_filter" }, "refusal", null],
    [{ finish_reason: "stop", stop_reason: "END" }, "stop_sequence", "END"],
    [{ finish_reason: "stop", stop_reason: "pause_turn" }, "pause_turn", null],
    [{ finish_reason: "length", stop_reason: "model_context_window_exceeded" }, "model_context_window_exceeded", null],
    [{ finish_reason: "something_new" }, "end_turn", null],
  ])("understands %j", (choice, stop_reason, stop_sequence) => {
    expect(decode(completion({ content: "a" }, choice))).toMatchObject({ stop_reason, stop_sequence });
  });

  it("keeps arguments that are no JSON object, such as a call that the limit cut", () => {
    const message = { content: null, tool_calls: [{ id: "c", function: { name: "f", arguments: '{"a' } }] };
    expect(decode(completion(message, { finish_reason: "length" }))).toMatchObject({
      content: [{ type: "tool_use", input: { unparsed_arguments: '{"a' } }],
      stop_reason: "max_tokens",
    });
  });

  it("gives a refusal as text and as the reason", () => {
    expect(decode(completion({ content: null, refusal: "No." }))).toMatchObject({
      content: [{ type: "text", text: "No." }],
      stop_reason: "refusal",
      stop_details: { type: "refusal", explanation: "No." },
    });
  });

  it("gives annotations as citations of the text", () => {
    const url_citation = { start_index: 1, end_index: 3, url: "https://e.org", title: "E" };
    const message = { content: "abcd", annotations: [{ type: "url_citation", url_citation }] };
    expect(decode(completion(message))["content"]).toMatchObject([
      { citations: [{ type: "web_search_result_location", url: "https://e.org", title: "E", cited_text: "bc" }] },
    ]);
  });

  it("is refused when it is something else, in the upstream's words where it has some", () => {
    expect(() => decode({ error: { message: "No credits left" } })).toThrow("No credits left");
    expect(() => decode({ choices: [] })).toThrow(/no choices/);
    expect(() => decodeChatAnswer(Buffer.from("oops"))).toThrow(/not JSON/);
  });
});

describe("errors for a Chat Completions client", () => {
  it("have Weir's code, its remedy and the field", () => {
    const error = new WeirError("weir:request:invalid_field", "messages[2].content: expected a string, got a number");
    const { status, body, headers } = openaiChatClient.encodeError(error, "req_1");
    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({
      error: {
        message: "messages[2].content: expected a string, got a number",
        type: "invalid_request_error",
        param: "messages[2].content",
        code: "weir:request:invalid_field",
      },
      weir_code: "weir:request:invalid_field",
      remedy: "Correct the named field.",
      request_id: "req_1",
    });
    expect(headers).toEqual({ "x-should-retry": "false", "x-request-id": "req_1" });
  });
});
