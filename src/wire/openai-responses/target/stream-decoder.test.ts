import { describe, expect, it } from "vitest";

import { WeirError } from "../../../core/weir-error.ts";
import type { JsonObject, JsonRecord } from "../../openai/json-reader.ts";
import { carriedReasoning } from "../block-carrier.ts";
import { eventsOf, messageOf, pushAll, pushBytes, responsesStream } from "../testing/stream-tools.ts";
import { decodeAnswer } from "./decode-answer.ts";
import { ResponsesStreamDecoder } from "./stream-decoder.ts";

const USAGE = {
  input_tokens: 1200,
  input_tokens_details: { cached_tokens: 1024 },
  output_tokens: 80,
  output_tokens_details: { reasoning_tokens: 32 },
  total_tokens: 1280,
};

const reasoning = {
  id: "rs_1",
  type: "reasoning",
  summary: [
    { type: "summary_text", text: "**Checking** the weather" },
    { type: "summary_text", text: "über Köln" },
  ],
  encrypted_content: "gAAAAABpX_yz",
};
const message = {
  id: "msg_1",
  type: "message",
  status: "completed",
  role: "assistant",
  content: [
    {
      type: "output_text",
      text: "See (example.org) – grüße.",
      annotations: [
        { type: "url_citation", url: "https://example.org", title: "Example", start_index: 4, end_index: 17 },
      ],
      logprobs: [],
    },
  ],
};
const search = {
  id: "ws_1",
  type: "web_search_call",
  status: "completed",
  action: { type: "search", query: "köln", sources: [{ type: "url", url: "https://example.org" }] },
};
const calls = [
  {
    id: "fc_1",
    type: "function_call",
    status: "completed",
    call_id: "call_1",
    name: "get",
    arguments: '{"city":"Köln"}',
  },
  { id: "fc_2", type: "function_call", status: "completed", call_id: "call_2", name: "now", arguments: "{}" },
];
const mcp = {
  id: "mcp_1",
  type: "mcp_call",
  server_label: "crm",
  name: "find",
  arguments: '{"id":1}',
  output: "Ada",
  error: null,
};
const refusal = {
  ...message,
  content: [{ type: "refusal", refusal: "I can't." }],
};

function response(output: readonly JsonObject[], rest: JsonObject = {}): JsonRecord {
  return {
    id: "resp_68af4030",
    object: "response",
    created_at: 1_795_000_000,
    status: "completed",
    error: null,
    incomplete_details: null,
    model: "gpt-5.4-2026-03-01",
    output,
    service_tier: "default",
    usage: USAGE,
    ...rest,
  };
}

/** The events in which OpenAI sends an item. */
function itemEvents(item: JsonObject, index: number): JsonRecord[] {
  const at = { item_id: item["id"], output_index: index };
  const events: JsonRecord[] = [];
  const begun: JsonRecord = { ...item, status: "in_progress" };
  if (item["type"] === "reasoning") {
    begun["summary"] = [];
    delete begun["encrypted_content"];
    for (const [summary, part] of (item["summary"] as JsonObject[]).entries()) {
      const here = { ...at, summary_index: summary };
      events.push({ type: "response.reasoning_summary_part.added", ...here, part: { type: "summary_text", text: "" } });
      for (const delta of cut(String(part["text"]))) {
        events.push({ type: "response.reasoning_summary_text.delta", ...here, delta });
      }
      events.push({ type: "response.reasoning_summary_text.done", ...here, text: part["text"] });
      events.push({ type: "response.reasoning_summary_part.done", ...here, part });
    }
  }
  if (item["type"] === "message") {
    begun["content"] = [];
    for (const [content, part] of (item["content"] as JsonObject[]).entries()) {
      events.push(...partEvents(part, { ...at, content_index: content }));
    }
  }
  if (item["type"] === "function_call") {
    begun["arguments"] = "";
    for (const delta of cut(String(item["arguments"]))) {
      events.push({ type: "response.function_call_arguments.delta", ...at, delta, obfuscation: "xyz" });
    }
    events.push({ type: "response.function_call_arguments.done", ...at, arguments: item["arguments"] });
  }
  if (item["type"] === "web_search_call") {
    begun["action"] = null;
    for (const state of ["in_progress", "searching", "completed"]) {
      events.push({ type: `response.web_search_call.${state}`, ...at });
    }
  }
  return [
    { type: "response.output_item.added", output_index: index, item: begun },
    ...events,
    { type: "response.output_item.done", output_index: index, item },
  ];
}

function partEvents(part: JsonObject, at: JsonObject): JsonRecord[] {
  const isText = part["type"] === "output_text";
  const key = isText ? "text" : "refusal";
  const name = isText ? "output_text" : "refusal";
  const text = String(part[key]);
  const annotations = (part["annotations"] ?? []) as JsonObject[];
  return [
    { type: "response.content_part.added", ...at, part: { ...part, [key]: "", annotations: [] } },
    ...cut(text).map((delta) => ({ type: `response.${name}.delta`, ...at, delta })),
    ...annotations.map((annotation, index) => ({
      type: "response.output_text.annotation.added",
      ...at,
      annotation_index: index,
      annotation,
    })),
    { type: `response.${name}.done`, ...at, [key]: text },
    { type: "response.content_part.done", ...at, part },
  ];
}

function cut(text: string): string[] {
  return Array.from(text).reduce<string[]>((pieces, character, index) => {
    if (index % 5 === 0) pieces.push("");
    pieces[pieces.length - 1] += character;
    return pieces;
  }, []);
}

function streamOf(whole: JsonRecord): Buffer {
  const output = whole["output"] as JsonObject[];
  const begun = { ...whole, status: "in_progress", output: [], usage: null };
  return responsesStream([
    { type: "response.created", response: begun },
    { type: "response.in_progress", response: begun },
    ...output.flatMap(itemEvents),
    { type: `response.${String(whole["status"])}`, response: whole },
  ]);
}

function decoded(stream: Buffer): string {
  return pushAll(new ResponsesStreamDecoder(), [stream]);
}

function whole(answer: JsonRecord): JsonRecord {
  const bytes = decodeAnswer(Buffer.from(JSON.stringify(answer)), "messages");
  return JSON.parse(bytes.toString("utf8")) as JsonRecord; // a message is an object
}

const incomplete = (reason: string): JsonObject => ({ status: "incomplete", incomplete_details: { reason } });

const RESPONSES: readonly (readonly [string, JsonRecord])[] = [
  ["reasoning, text and parallel calls", response([reasoning, message, ...calls])],
  ["a search", response([search, message])],
  ["an MCP call", response([mcp, message])],
  ["a refusal", response([refusal])],
  ["an answer that was cut", response([message], incomplete("max_output_tokens"))],
];

describe("a Response as a Messages answer", () => {
  it("has thinking, text, tool uses, stop reason and usage", () => {
    const answer = whole(response([reasoning, message, ...calls]));
    expect(answer).toMatchObject({
      id: "msg_68af4030",
      type: "message",
      role: "assistant",
      model: "gpt-5.4-2026-03-01",
      content: [
        { type: "thinking", thinking: "**Checking** the weather\n\nüber Köln" },
        {
          type: "text",
          text: "See (example.org) – grüße.",
          citations: [{ type: "web_search_result_location", url: "https://example.org", cited_text: "(example.org)" }],
        },
        { type: "tool_use", id: "call_1", name: "get", input: { city: "Köln" } },
        { type: "tool_use", id: "call_2", name: "now", input: {} },
      ],
      stop_reason: "tool_use",
      stop_sequence: null,
      usage: {
        input_tokens: 176,
        cache_read_input_tokens: 1024,
        output_tokens: 80,
        output_tokens_details: { thinking_tokens: 32 },
        service_tier: "standard",
      },
    });
    const [thinking] = answer["content"] as JsonRecord[];
    expect(carriedReasoning(String(thinking?.["signature"]))).toBe("gAAAAABpX_yz");
  });

  it("has a search with the addresses found, and counts it", () => {
    expect(whole(response([search, message]))).toMatchObject({
      content: [
        { type: "server_tool_use", name: "web_search", input: { query: "köln" } },
        { type: "web_search_tool_result", content: [{ type: "web_search_result", url: "https://example.org" }] },
        { type: "text" },
      ],
      stop_reason: "end_turn",
      usage: { server_tool_use: { web_search_requests: 1 } },
    });
  });

  it.each([
    ["end_turn", [message], {}],
    ["tool_use", calls, {}],
    ["refusal", [refusal], {}],
    ["max_tokens", [message], incomplete("max_output_tokens")],
    ["refusal", [message], incomplete("content_filter")],
    ["pause_turn", [message], incomplete("max_messages")],
  ])("ends with %s", (stopReason, output, rest) => {
    expect(whole(response(output, rest))["stop_reason"]).toBe(stopReason);
  });

  it("tells why the model declined", () => {
    expect(whole(response([refusal]))).toMatchObject({
      content: [],
      stop_details: { type: "refusal", explanation: "I can't." },
    });
  });

  it("leaves out reasoning that says nothing and cannot be given back", () => {
    expect(whole(response([{ type: "reasoning", id: "rs", summary: [] }, message]))["content"]).toHaveLength(1);
  });

  it("may be a count of tokens", () => {
    const body = Buffer.from('{"object":"response.input_tokens","input_tokens":42}');
    expect(decodeAnswer(body, "count_tokens").toString()).toBe('{"input_tokens":42}');
  });

  it.each([
    ["nothing", ""],
    ["no object", "[]"],
    ["another format", '{"choices":[]}'],
    ["one that is not complete", JSON.stringify(response([], { status: "in_progress" }))],
    ["one that failed", JSON.stringify(response([], { status: "failed", error: { message: "boom" } }))],
  ])("is refused when it is %s", (_, text) => {
    expect(() => decodeAnswer(Buffer.from(text), "messages")).toThrow(WeirError);
  });
});

describe("a Responses stream as a Messages stream", () => {
  it.each(RESPONSES)("comes to the same message as the whole answer: %s", (_, answer) => {
    expect(messageOf(decoded(streamOf(answer)))).toEqual(whole(answer));
  });

  it.each(RESPONSES)(
    "is the same wherever its bytes are cut: %s",
    (_, answer) => {
      const bytes = streamOf(answer);
      const expected = decoded(bytes);
      expect(pushBytes(new ResponsesStreamDecoder(), bytes)).toBe(expected);
      for (let at = 1; at < bytes.length; at++) {
        const chunks = [bytes.subarray(0, at), bytes.subarray(at)];
        if (pushAll(new ResponsesStreamDecoder(), chunks) !== expected) expect.fail(`differs when cut at ${at}`);
      }
    },
    60_000,
  );

  it("begins and ends each block before the next", () => {
    const events = eventsOf(decoded(streamOf(response([reasoning, search, message, ...calls]))));
    let open: unknown = null;
    let next = 0;
    for (const { type, index } of events) {
      if (type === "content_block_start") {
        expect(open).toBeNull();
        expect(index).toBe(next++);
        open = index;
      } else if (type === "content_block_delta") expect(index).toBe(open);
      else if (type === "content_block_stop") {
        expect(index).toBe(open);
        open = null;
      }
    }
    expect(events.slice(-2).map(({ type }) => type)).toEqual(["message_delta", "message_stop"]);
  });

  it("takes items that come whole, from servers that do not cut them", () => {
    const answer = response([reasoning, message, ...calls]);
    const items = (answer["output"] as JsonObject[]).flatMap((item, index) => [
      { type: "response.output_item.done", output_index: index, item },
    ]);
    const stream = responsesStream([
      { type: "response.created", response: answer },
      ...items,
      { type: "response.completed", response: answer },
    ]);
    const { content } = messageOf(decoded(stream)) as { content: JsonRecord[] }; // a message has one
    expect(content.map(({ type }) => type)).toEqual(["thinking", "text", "tool_use", "tool_use"]);
    expect(content[2]).toMatchObject({ input: { city: "Köln" } });
  });

  it("has no end when the upstream's stream has none", () => {
    const bytes = streamOf(response([message, ...calls]));
    for (const at of [bytes.indexOf("event: response.completed"), Math.floor(bytes.length / 2)]) {
      const types = eventsOf(decoded(bytes.subarray(0, at))).map(({ type }) => type);
      expect(types).not.toContain("message_stop");
      expect(types).not.toContain("message_delta");
      expect(types).not.toContain("error");
    }
  });

  it.each([
    ["an error event", [{ type: "error", code: "rate_limit_exceeded", message: "Slow – down", param: null }]],
    [
      "a failed response",
      [{ type: "response.failed", response: { error: { code: "rate_limit_exceeded", message: "Slow – down" } } }],
    ],
    [
      "both",
      [
        { type: "error", error: { type: "too_many_requests", code: "rate_limit_exceeded", message: "Slow – down" } },
        { type: "response.failed", response: { error: { code: "rate_limit_exceeded", message: "Slow – down" } } },
      ],
    ],
  ])("tells once of an error, word for word: %s", (_, events) => {
    const begun = { type: "response.created", response: response([]) };
    const out = eventsOf(decoded(responsesStream([begun, ...events])));
    expect(out.map(({ type }) => type)).toEqual(["message_start", "error"]);
    expect(out[1]?.["error"]).toMatchObject({ type: "rate_limit_error", message: "Slow – down" });
  });

  it("passes over comments, [DONE] and events of later versions", () => {
    const extra = Buffer.from(': keepalive\n\ndata: [DONE]\n\nevent: response.new\ndata: {"type":"response.new"}\n\n');
    expect(pushAll(new ResponsesStreamDecoder(), [extra])).toBe("");
  });

  it("is refused when it is no such stream", () => {
    const decoder = new ResponsesStreamDecoder();
    expect(() => decoder.push(Buffer.from("data: <html>\n\n"))).toThrow(WeirError);
  });
});
