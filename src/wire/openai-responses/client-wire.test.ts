import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { ClientCall } from "../codec.ts";
import type { JsonObject, JsonRecord } from "../openai/json-reader.ts";
import { openaiResponsesClient } from "./client-wire.ts";
import {
  allAnswers,
  documentAnswer,
  mcpAnswer,
  messagesStream,
  refusedAnswer,
  searchAnswer,
  textAnswer,
  toolUseAnswer,
} from "./testing/messages-fixtures.ts";
import { eventsOf, pushAll, pushBytes } from "./testing/stream-tools.ts";

const CONTEXT = { requestId: "req_01", modelAsked: "claude-sonnet-5-5", createdAtMs: 1_795_000_000_123 };

function call(fields: JsonObject = {}): ClientCall {
  const body = Buffer.from(JSON.stringify({ model: "claude-sonnet-5-5", input: "Hi", ...fields }));
  return openaiResponsesClient.decode({
    operation: "messages",
    body,
    pathModel: null,
    pathStream: null,
    maxDepth: 64,
  });
}

const READING = { reasoning: { summary: "auto" }, include: ["web_search_call.action.sources"] };

function answer(message: JsonObject, request: JsonObject = READING): JsonRecord {
  const bytes = call(request).encodeAnswer(Buffer.from(JSON.stringify(message)), CONTEXT);
  return JSON.parse(bytes.toString("utf8")) as JsonRecord; // a Response is an object
}

function outputOf(response: JsonRecord): JsonRecord[] {
  return response["output"] as JsonRecord[]; // a Response has one
}

describe("a whole answer as a Response", () => {
  it("has id, time, model, state and the request's parameters", () => {
    const response = answer(textAnswer, { instructions: "Be kind.", temperature: 0.5, metadata: { a: "b" } });
    expect(response).toMatchObject({
      id: "resp_01Ku7mXqP3vYb2HnRtLw9sDe",
      object: "response",
      created_at: 1_795_000_000,
      model: "claude-sonnet-5-5",
      status: "completed",
      error: null,
      incomplete_details: null,
      instructions: "Be kind.",
      temperature: 0.5,
      metadata: { a: "b" },
      store: false,
      tool_choice: "auto",
      tools: [],
    });
  });

  it("counts the cache's tokens as part of the input, and thinking as part of the output", () => {
    expect(answer(textAnswer)["usage"]).toEqual({
      input_tokens: 412 + 2048 + 18_176,
      input_tokens_details: { cached_tokens: 18_176, cache_write_tokens: 2048 },
      output_tokens: 389,
      output_tokens_details: { reasoning_tokens: 121 },
      total_tokens: 412 + 2048 + 18_176 + 389,
    });
  });

  it("has thinking as reasoning, text as a message, and each tool use as a call", () => {
    const output = outputOf(answer(toolUseAnswer));
    expect(output.map(({ type }) => type)).toEqual([
      "reasoning",
      "message",
      "function_call",
      "function_call",
      "function_call",
    ]);
    expect(output[0]).toMatchObject({
      summary: [{ type: "summary_text", text: expect.stringContaining("both at once") }],
    });
    expect(output[2]).toMatchObject({
      call_id: "toolu_01A",
      name: "get_weather",
      arguments: '{"city":"Köln","unit":"celsius"}',
      status: "completed",
    });
    expect(output[4]).toMatchObject({ name: "now", arguments: "{}" });
  });

  it("keeps thinking to itself when no summary was asked for, but gives it back to be sent again", () => {
    const [reasoning] = outputOf(answer(toolUseAnswer, {}));
    expect(reasoning).toMatchObject({ summary: [], encrypted_content: expect.stringMatching(/^weir:/) });
  });

  it("has the pages that a search found, and the citations of the text as annotations", () => {
    const output = outputOf(answer(searchAnswer));
    expect(output.map(({ type }) => type)).toEqual(["reasoning", "message", "web_search_call", "reasoning", "message"]);
    expect(output[2]).toMatchObject({
      id: "ws_srvtoolu_01S",
      status: "completed",
      action: {
        type: "search",
        query: "weir hydrology",
        sources: [{ type: "url", url: "https://example.org/weirs" }],
      },
    });
    const { content } = output[4] as { content: JsonRecord[] }; // a message has one
    expect(content[1]).toMatchObject({
      text: "raises the level of a river",
      annotations: [{ type: "url_citation", url: "https://example.org/weirs", start_index: 0, end_index: 27 }],
    });
  });

  it("names the document that a text is taken from", () => {
    const [item] = outputOf(answer(documentAnswer)) as { content: JsonRecord[] }[]; // a message has parts
    expect(item?.content[0]?.["annotations"]).toEqual([
      { type: "file_citation", file_id: "document_0", filename: "contract.pdf", index: 15 },
    ]);
  });

  it("has the call of an MCP server's tool with its result", () => {
    expect(outputOf(answer(mcpAnswer))[0]).toMatchObject({
      type: "mcp_call",
      server_label: "crm",
      name: "lookup",
      arguments: '{"id":7}',
      output: "Ada",
      error: null,
      status: "completed",
    });
  });

  it("gives free text to a tool that takes it", () => {
    const tools = [
      { type: "custom", name: "patch", format: { type: "grammar", syntax: "lark", definition: "start: x" } },
    ];
    const use = { type: "tool_use", id: "toolu_1", name: "patch", input: { input: "*** Begin" } };
    const [item] = outputOf(answer({ ...textAnswer, content: [use] }, { tools }));
    expect(item).toMatchObject({ type: "custom_tool_call", call_id: "toolu_1", name: "patch", input: "*** Begin" });
  });

  it.each([
    ["end_turn", "completed", null],
    ["stop_sequence", "completed", null],
    ["tool_use", "completed", null],
    ["max_tokens", "incomplete", "max_output_tokens"],
    ["model_context_window_exceeded", "incomplete", "max_output_tokens"],
    ["refusal", "incomplete", "content_filter"],
    ["pause_turn", "incomplete", "max_messages"],
  ])("that ended with %s is %s", (stopReason, status, reason) => {
    const response = answer({ ...textAnswer, stop_reason: stopReason });
    expect(response["status"]).toBe(status);
    expect(response["incomplete_details"]).toEqual(reason === null ? null : { reason });
    expect(outputOf(response).at(-1)).toMatchObject({ status });
  });

  it("says why the model declined", () => {
    expect(outputOf(answer(refusedAnswer))[0]).toMatchObject({
      content: [{ type: "output_text" }, { type: "refusal", refusal: "I can't help with that." }],
    });
  });

  it("keeps blocks that are not known, to be sent back", () => {
    const block = { type: "compaction", content: "Before, …", signature: "c2ln" };
    const [item] = outputOf(answer({ ...textAnswer, content: [block] }));
    const next = call({ input: [item!, { role: "user", content: "go on" }] });
    expect(JSON.parse(next.canonical.toString())["messages"][0]).toEqual({ role: "assistant", content: [block] });
  });

  it("does not repeat what gives access to an MCP server", () => {
    const tool = { type: "mcp", server_label: "a", server_url: "https://a.example", require_approval: "never" };
    const response = answer(textAnswer, { tools: [{ ...tool, authorization: "secret-token" }] });
    expect(JSON.stringify(response)).not.toContain("secret-token");
    expect(response["tools"]).toEqual([tool]);
  });

  it.each(["not JSON", "[]", '{"type":"error"}'])("is refused when it is none: %s", (text) => {
    expect(() => call().encodeAnswer(Buffer.from(text), CONTEXT)).toThrow(WeirError);
  });
});

describe("a stream of Responses events", () => {
  it.each(allAnswers.map((message, index) => [index, message] as const))(
    "ends with the Response that the whole answer gives (%i)",
    (_, message) => {
      const events = eventsOf(pushAll(call(READING).streamEncoder(CONTEXT), [messagesStream(message)]));
      const last = events.at(-1)!;
      expect(last["type"]).toBe(
        message["stop_reason"] === "end_turn" || message["stop_reason"] === "tool_use"
          ? "response.completed"
          : "response.incomplete",
      );
      expect(last["response"]).toEqual(answer(message));
    },
  );

  it.each(allAnswers.map((message, index) => [index, message] as const))(
    "is the same wherever its bytes are cut (%i)",
    (_, message) => {
      const bytes = messagesStream(message);
      const whole = pushAll(call(READING).streamEncoder(CONTEXT), [bytes]);
      expect(pushBytes(call(READING).streamEncoder(CONTEXT), bytes)).toBe(whole);
      for (let at = 1; at < bytes.length; at++) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
        if (pushAll(call(READING).streamEncoder(CONTEXT), chunks) !== whole) expect.fail(`differs when cut at ${at}`);
      }
    },
    60_000,
  );

  it("numbers its events without a gap", () => {
    const events = eventsOf(pushAll(call(READING).streamEncoder(CONTEXT), [messagesStream(searchAnswer)]));
    expect(events.map((event) => event["sequence_number"])).toEqual(events.map((_, index) => index));
  });

  it("goes through every step of a message and of a call", () => {
    const events = eventsOf(pushAll(call(READING).streamEncoder(CONTEXT), [messagesStream(toolUseAnswer, 1000)]));
    expect(events.map(({ type }) => type).slice(0, 18)).toEqual([
      "response.created",
      "response.in_progress",
      "response.output_item.added",
      "response.reasoning_summary_part.added",
      "response.reasoning_summary_text.delta",
      "response.reasoning_summary_text.done",
      "response.reasoning_summary_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.content_part.added",
      "response.output_text.delta",
      "response.output_text.done",
      "response.content_part.done",
      "response.output_item.done",
      "response.output_item.added",
      "response.function_call_arguments.delta",
      "response.function_call_arguments.done",
      "response.output_item.done",
    ]);
  });

  it("tells of a search while it runs", () => {
    const events = eventsOf(pushAll(call(READING).streamEncoder(CONTEXT), [messagesStream(searchAnswer)]));
    const types = events.map(({ type }) => String(type)).filter((type) => type.includes("web_search"));
    expect(types).toEqual([
      "response.web_search_call.in_progress",
      "response.web_search_call.searching",
      "response.web_search_call.completed",
    ]);
  });

  it("is the same whether its deltas are passed on or parsed", () => {
    const bytes = messagesStream(toolUseAnswer);
    // Anthropic writes no spaces; with them the deltas are parsed.
    const spaced = Buffer.from(bytes.toString().replaceAll('"delta":{"type"', '"delta": {"type"'));
    const passed = pushAll(call(READING).streamEncoder(CONTEXT), [bytes]);
    expect(pushAll(call(READING).streamEncoder(CONTEXT), [spaced])).toBe(passed);
  });

  it("is refused when a text in it is no JSON", () => {
    const bytes = messagesStream(textAnswer).toString().replace('"text":"Hello', '"text":"\\qello');
    expect(() => pushAll(call().streamEncoder(CONTEXT), [Buffer.from(bytes)])).toThrow(WeirError);
  });

  it("passes a ping as a comment, and has one of its own", () => {
    const encoder = call().streamEncoder(CONTEXT);
    expect(pushAll(encoder, [Buffer.from('event: ping\ndata: {"type":"ping"}\n\n')])).toBe(": ping\n\n");
    expect(encoder.ping().toString()).toBe(": ping\n\n");
  });

  it("has no end when the upstream's stream has none", () => {
    const bytes = messagesStream(toolUseAnswer);
    const cut = bytes.subarray(0, bytes.indexOf("event: message_delta"));
    const types = eventsOf(pushAll(call().streamEncoder(CONTEXT), [cut])).map(({ type }) => type);
    expect(types).not.toContain("response.completed");
    expect(types).not.toContain("response.incomplete");
    expect(types).not.toContain("response.failed");
  });

  it.each([
    ["after it began", messagesStream(textAnswer).subarray(0, messagesStream(textAnswer).indexOf("event: ping"))],
    ["before it began", Buffer.alloc(0)],
  ])("tells of an error %s, word for word, and ends", (_, start) => {
    const error = { type: "overloaded_error", message: "Overloaded – try again" };
    const event = Buffer.from(`event: error\ndata: ${JSON.stringify({ type: "error", error })}\n\n`);
    const events = eventsOf(pushAll(call().streamEncoder(CONTEXT), [start, event, messagesStream(textAnswer)]));
    expect(events.at(-2)).toMatchObject({ type: "error", message: "Overloaded – try again" });
    expect(events.at(-1)).toMatchObject({
      type: "response.failed",
      response: { status: "failed", error: { message: "Overloaded – try again" } },
    });
  });
});

describe("a count of tokens", () => {
  it("has the words of the Responses API", () => {
    const body = Buffer.from('{"model":"claude-sonnet-5-5","input":"Hi"}');
    const request = { operation: "count_tokens" as const, body, pathModel: null, pathStream: null, maxDepth: 64 };
    const counted = openaiResponsesClient.decode(request).encodeAnswer(Buffer.from('{"input_tokens":9}'), CONTEXT);
    expect(JSON.parse(counted.toString())).toEqual({ object: "response.input_tokens", input_tokens: 9 });
  });
});

describe("errors", () => {
  it("of Weir's own have OpenAI's shape and name the field", () => {
    const error = new WeirError("weir:request:unsupported_feature", "input[2].type: is not supported");
    const encoded = openaiResponsesClient.encodeError(error, "req_01");
    expect(encoded.status).toBe(400);
    expect(JSON.parse(encoded.body)["error"]).toMatchObject({
      type: "invalid_request_error",
      param: "input[2].type",
      message: "input[2].type: is not supported",
    });
  });

  it("of an upstream keep their message", () => {
    const envelope = { type: "error", error: { type: "rate_limit_error", message: "Slow down, please." } };
    const encoded = call().encodeUpstreamError(429, Buffer.from(JSON.stringify(envelope)), CONTEXT);
    expect(encoded.status).toBe(429);
    expect(JSON.parse(encoded.body)["error"]).toMatchObject({
      message: "Slow down, please.",
      code: "rate_limit_exceeded",
    });
  });
});
