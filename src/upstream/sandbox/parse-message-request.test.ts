import { describe, expect, it } from "vitest";

import { parseMessageRequest } from "./parse-message-request.ts";
import { signThinking } from "./thinking-signature.ts";

const VALID = { model: "claude-sonnet-5-5", max_tokens: 100, messages: [{ role: "user", content: "hi" }] };

function messageOf(change: object, apiVersion = "2023-06-01"): string {
  try {
    parseMessageRequest({ ...VALID, ...change }, { needsMaxTokens: true, apiVersion });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return "accepted";
}

const use = (id: string): object => ({ type: "tool_use", id, name: "Bash", input: {} });
const result = (id: string): object => ({ type: "tool_result", tool_use_id: id, content: "ok" });
const mark = (ttl?: string): object => ({
  cache_control: { type: "ephemeral", ...(ttl === undefined ? {} : { ttl }) },
});

describe("parseMessageRequest", () => {
  it.each<[string, object, string]>([
    ["no max_tokens", { max_tokens: undefined }, "max_tokens: Field required"],
    ["max_tokens of another type", { max_tokens: "10" }, "max_tokens: Input should be a valid integer"],
    ["negative max_tokens", { max_tokens: -1 }, "max_tokens: Input should be greater than or equal to 0"],
    ["no model", { model: undefined }, "model: Field required"],
    ["a model of another type", { model: 5 }, "model: Input should be a valid string"],
    ["no messages", { messages: undefined }, "messages: Field required"],
    ["empty messages", { messages: [] }, "messages: at least one message is required"],
    ["messages of another type", { messages: "hi" }, "messages: Input should be a valid list"],
    [
      "a wrong role",
      { messages: [{ role: "tool", content: "x" }] },
      'messages: Unexpected role "tool". Allowed roles are "user" or "assistant"',
    ],
    ["no role", { messages: [{ content: "x" }] }, "messages.0.role: Field required"],
    ["no content", { messages: [{ role: "user" }] }, "messages.0.content: Field required"],
    [
      "an assistant first",
      { messages: [{ role: "assistant", content: "x" }] },
      'messages: first message must use the "user" role',
    ],
    [
      "empty content",
      { messages: [{ role: "user", content: "" }] },
      "messages.0: all messages must have non-empty content except for the optional final assistant message",
    ],
    [
      "an empty text block",
      { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
      "messages: text content blocks must be non-empty",
    ],
    [
      "a block without type",
      { messages: [{ role: "user", content: [{}] }] },
      "messages.0.content.0.type: Field required",
    ],
    ["a temperature out of range", { temperature: 2 }, "temperature: range: 0..1"],
    [
      "a blank stop sequence",
      { stop_sequences: [" "] },
      "stop_sequences: each stop sequence must contain non-whitespace",
    ],
    ["stream of another type", { stream: "yes" }, "stream: Input should be a valid boolean"],
    ["a tool without schema", { tools: [{ name: "a" }] }, "tools.0.custom.input_schema: Field required"],
    [
      "two tools of one name",
      {
        tools: [
          { name: "a", input_schema: { type: "object" } },
          { name: "a", input_schema: { type: "object" } },
        ],
      },
      "tools: Tool names must be unique.",
    ],
    [
      "a forced tool that is not offered",
      { tools: [{ name: "a", input_schema: { type: "object" } }], tool_choice: { type: "tool", name: "b" } },
      "Tool 'b' not found in provided tools",
    ],
    [
      "a tool choice without tools",
      { tool_choice: { type: "any" } },
      "tool_choice may only be specified while providing tools",
    ],
    [
      "a thinking budget that is too small",
      { thinking: { type: "enabled", budget_tokens: 10 } },
      "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024",
    ],
    [
      "a thinking budget not below max_tokens",
      { thinking: { type: "enabled", budget_tokens: 2000 } },
      "`max_tokens` must be greater than `thinking.budget_tokens`.",
    ],
    [
      "thinking with a forced tool",
      {
        thinking: { type: "adaptive" },
        tools: [{ name: "a", input_schema: { type: "object" } }],
        tool_choice: { type: "any" },
      },
      "Thinking may not be enabled when tool_choice forces tool use.",
    ],
    [
      "five breakpoints",
      { system: Array.from({ length: 5 }, () => ({ type: "text", text: "x", ...mark() })) },
      "A maximum of 4 blocks with cache_control may be provided. Found 5.",
    ],
    [
      "a long TTL after a short one",
      {
        system: [
          { type: "text", text: "x", ...mark() },
          { type: "text", text: "y", ...mark("1h") },
        ],
      },
      "system.1.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. " +
        "Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
    ],
    [
      "an unknown TTL",
      { system: [{ type: "text", text: "x", ...mark("2h") }] },
      "system.0.cache_control.ttl: Input should be '5m' or '1h'",
    ],
  ])("refuses %s", (_, change, message) => {
    expect(messageOf(change)).toBe(message);
  });

  it("refuses a tool call without its result", () => {
    const messages = [
      { role: "user", content: "go" },
      { role: "assistant", content: [use("toolu_1")] },
      { role: "user", content: "and?" },
    ];
    expect(messageOf({ messages })).toMatch(
      /^messages\.1: `tool_use` ids were found without `tool_result` blocks immediately after: toolu_1\./,
    );
  });

  it("refuses a result without its tool call", () => {
    const messages = [{ role: "user", content: [result("toolu_9")] }];
    expect(messageOf({ messages })).toMatch(
      /^messages\.0\.content\.0: unexpected `tool_use_id` found in `tool_result` blocks: toolu_9\./,
    );
  });

  it("accepts results spread over consecutive user messages with a system entry between", () => {
    const messages = [
      { role: "user", content: "go" },
      { role: "assistant", content: [use("a"), use("b")] },
      { role: "user", content: [result("a")] },
      { role: "system", content: "a reminder" },
      { role: "user", content: [result("b")] },
    ];
    expect(messageOf({ messages })).toBe("accepted");
  });

  it("refuses a thinking block whose text was changed under the sandbox's signature, and passes foreign signatures", () => {
    const withThinking = (thinking: string, signature: string): object => ({
      messages: [
        { role: "user", content: "hi" },
        {
          role: "assistant",
          content: [
            { type: "thinking", thinking, signature },
            { type: "text", text: "hello" },
          ],
        },
        { role: "user", content: "again" },
      ],
    });
    expect(messageOf(withThinking("as it was", signThinking("as it was")))).toBe("accepted");
    expect(messageOf(withThinking("as it was not", signThinking("as it was")))).toBe(
      "messages.1.content.0: Invalid `signature` in `thinking` block",
    );
    expect(messageOf(withThinking("from elsewhere", "RXNlY3JldA=="))).toBe("accepted");
  });

  it("refuses under API version 2026-10-21 what that version took out, and only there", () => {
    const cited = { type: "text", text: "x", citations: [] };
    const documented = { type: "document", source: { type: "text", data: "x" } };
    const changes = [
      { temperature: 1 },
      { top_k: 5 },
      { messages: [{ role: "user", content: [cited] }] },
      {
        messages: [...VALID.messages, { role: "assistant", content: [documented] }, { role: "user", content: "go on" }],
      },
    ];
    for (const change of changes) {
      expect(messageOf(change)).toBe("accepted");
      expect(messageOf(change, "2026-10-21")).toMatch(/not permitted/);
    }
  });

  it("accepts fields it does not know, and max_tokens 0 to warm the cache", () => {
    expect(messageOf({ brand_new_field: { type: "x" }, max_tokens: 0 })).toBe("accepted");
  });
});
