import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { ANSWER, answerEvents, canonicalRequest, eventStream, FULL_REQUEST } from "../cloud/testing/messages.ts";
import { bedrockTarget } from "./bedrock-target.ts";
import { awsChunk } from "./testing/bedrock-stream.ts";

type Options = Parameters<typeof canonicalRequest>[1];

function encode(body: object | string, options?: Options) {
  const call = bedrockTarget.encode(canonicalRequest(body, options));
  const sent = JSON.parse(call.body.toString()) as Record<string, unknown>;
  return { call, sent, warned: call.warnings.map(({ field }) => field) };
}

function refusalOf(action: () => unknown): WeirError {
  try {
    action();
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("expected a WeirError");
}

const MINIMAL = { model: "m", max_tokens: 5, messages: [{ role: "user", content: "hi" }] };
/** What Claude Code 2.1 sends to a gateway in its Messages mode. */
const CLAUDE_CODE_BETAS = [
  "claude-code-20250219",
  "interleaved-thinking-2025-05-14",
  "context-management-2025-06-27",
  "per-turn-control-2026-07-01",
  "mid-conversation-tool-changes-2026-07-01",
  "thinking-token-count-2026-05-13",
  "advanced-tool-use-2025-11-20",
  "effort-2025-11-24",
];

describe("bedrockTarget.encode", () => {
  it("sends everything but model and stream, and the version that Bedrock asks for", () => {
    const { sent, call, warned } = encode(FULL_REQUEST);

    const { model: _model, stream: _stream, ...rest } = FULL_REQUEST;
    expect(sent).toEqual({ anthropic_version: "bedrock-2023-05-31", ...rest });
    expect(warned).toEqual([]);
    expect(call.headers).toEqual(["content-type", "application/json", "accept", "application/json"]);
  });

  it("cuts the body out of the bytes that came: spelling, numbers and spaces stay", () => {
    const json =
      '{ "model":"m", "temperature" : 0.70, "messages": [ {"role":"user","content":"\\u00e9 {\\"model\\":1}"} ],\n "stream":true, "max_tokens":1e3 }';

    const { call } = encode(json.replace("1e3", "1000"));

    expect(call.body.toString()).toBe(
      '{"anthropic_version":"bedrock-2023-05-31", "temperature" : 0.70, "messages": [ {"role":"user","content":"\\u00e9 {\\"model\\":1}"} ], "max_tokens":1000 }',
    );
  });

  it("replaces an envelope that the body brings along, and takes its betas over", () => {
    const { sent } = encode(
      { ...MINIMAL, anthropic_version: "vertex-2023-10-16", anthropic_beta: ["context-1m-2025-08-07", " a "] },
      { betas: ["a", "b"] },
    );

    expect(sent).toEqual({
      anthropic_version: "bedrock-2023-05-31",
      anthropic_beta: ["a", "b", "context-1m-2025-08-07"],
      max_tokens: 5,
      messages: MINIMAL.messages,
    });
  });

  it("passes betas and fields on that it has never heard of", () => {
    const { sent, warned } = encode({ ...MINIMAL, a_field_of_2027: { x: 1 } }, { betas: ["a-beta-2027-01-01"] });

    expect(sent).toMatchObject({ a_field_of_2027: { x: 1 }, anthropic_beta: ["a-beta-2027-01-01"] });
    expect(warned).toEqual([]);
  });

  it("makes of Claude Code's request one that Bedrock takes", () => {
    const messages = [
      { role: "user", content: [{ type: "text", text: "hi" }] },
      { role: "system", content: [{ type: "text", text: "now" }], output_config: { effort: "low" } },
    ];
    const body = { ...FULL_REQUEST, messages };

    const { sent, warned } = encode(body, { betas: CLAUDE_CODE_BETAS });

    expect(sent["anthropic_beta"]).toEqual([
      "claude-code-20250219",
      "interleaved-thinking-2025-05-14",
      "context-management-2025-06-27",
      "mid-conversation-tool-changes-2026-07-01",
      "thinking-token-count-2026-05-13",
      "tool-search-tool-2025-10-19",
      "tool-examples-2025-10-29",
      "effort-2025-11-24",
    ]);
    expect(sent["messages"]).toEqual([messages[0], { role: "system", content: [{ type: "text", text: "now" }] }]);
    expect(sent["output_config"]).toEqual(FULL_REQUEST.output_config);
    expect(sent["context_management"]).toEqual(FULL_REQUEST.context_management);
    expect(warned).toEqual(["messages[1].output_config"]);
  });

  it("leaves a turn's own settings in where their public beta comes along", () => {
    const messages = [{ role: "system", content: "x", output_config: { effort: "low" } }];
    const betas = ["per-turn-control-2026-07-01", "mid-conversation-output-config-2026-07-01"];

    const { sent } = encode({ ...MINIMAL, messages }, { betas });

    expect(sent["messages"]).toEqual(messages);
    expect(sent["anthropic_beta"]).toEqual(["mid-conversation-output-config-2026-07-01"]);
  });

  it.each([
    ["speed", "fast", "fast-mode-2026-02-01"],
    ["fallbacks", [{ model: "x" }], "server-side-fallback-2026-06-01"],
    ["diagnostics", { previous_message_id: null }, "cache-diagnosis-2026-04-07"],
    ["tags", { team: "a" }, "request-tags-2026-08-21"],
    ["user_profile_id", "u", "user-profiles-2026-03-24"],
  ])("drops %s and its beta together, and says so once", (field, value, beta) => {
    const { sent, call } = encode({ ...MINIMAL, [field]: value }, { betas: [beta, "kept-2026"] });

    expect(sent).not.toHaveProperty(field);
    expect(sent["anthropic_beta"]).toEqual(["kept-2026"]);
    expect(call.warnings).toHaveLength(1);
    expect(call.warnings[0]?.field).toBe(field);
    expect(call.warnings[0]?.message).toMatch(/^is not taken by Amazon Bedrock and was left out\. .+\.$/);
  });

  it.each(["fast-mode-2026-02-01", "oauth-2025-04-20", "web-search-2025-03-05", "mcp-client-2025-11-20"])(
    "leaves the beta %s out, which Bedrock refuses, and says so",
    (beta) => {
      const { sent, warned } = encode(MINIMAL, { betas: [beta] });

      expect(sent).not.toHaveProperty("anthropic_beta");
      expect(warned).toEqual([`anthropic-beta: ${beta}`]);
    },
  );

  it.each([
    ["speed", "standard"],
    ["speed", null],
    ["service_tier", "standard_only"],
    ["container", null],
    ["mcp_servers", []],
    ["inference_geo", "global"],
    ["inference_geo", "us"],
    ["cache_control", null],
    ["output_format", null],
  ])("leaves %s %j out without a word: it asks for what is anyway", (field, value) => {
    const { sent, warned } = encode({ ...MINIMAL, [field]: value });

    expect(sent).not.toHaveProperty(field);
    expect(warned).toEqual([]);
  });

  it.each([
    ["mcp_servers", [{ type: "url", url: "https://mcp.example", name: "x" }], "mcp_servers"],
    ["container", "container_01", "container"],
    ["container", { skills: [] }, "container"],
    ["thread", { id: "t" }, "thread"],
    ["inference_geo", "eu", "inference_geo"],
    [
      "tools",
      [{ name: "a" }, { type: "web_search_20260209", name: "web_search" }],
      "tools[1].type: web_search_20260209",
    ],
    ["tools", [{ type: "code_execution_20250825", name: "c" }], "tools[0].type: code_execution_20250825"],
    ["tools", [{ type: "mcp_toolset", mcp_server_name: "c" }], "tools[0].type: mcp_toolset"],
  ])("refuses %s, without which the answer would be another: %j", (field, value, named) => {
    const refusal = refusalOf(() => encode({ ...MINIMAL, [field]: value }));

    expect(refusal.code).toBe("weir:request:unsupported_feature");
    expect(refusal.message).toMatch(/ is not taken by Amazon Bedrock\. /);
    expect(refusal.message.startsWith(named)).toBe(true);
  });

  it.each([
    ["us.anthropic.claude-opus-5-5", true],
    ["us-gov.anthropic.claude-opus-5-5", true],
    ["arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-5-5", true],
    ["global.anthropic.claude-opus-5-5", false],
    ["arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc", false],
  ])("takes inference_geo us for the profile %s: %s", (upstreamModel, taken) => {
    const body = { ...MINIMAL, inference_geo: "us" };

    if (taken) expect(encode(body, { upstreamModel }).sent).not.toHaveProperty("inference_geo");
    else expect(refusalOf(() => encode(body, { upstreamModel })).message).toMatch(/^inference_geo is not taken/);
  });

  it("refuses an uploaded file, naming where it stands", () => {
    const content = [
      { type: "text", text: "x" },
      { type: "document", source: { type: "file", file_id: "file_01" } },
    ];
    const body = { ...MINIMAL, messages: [{ role: "user", content }] };

    const refusal = refusalOf(() => encode(body, { betas: ["files-api-2025-04-14"] }));

    expect(refusal.message).toMatch(/^messages\[0\]\.content\[1\]\.source\.file_id is not taken by Amazon Bedrock/);
  });

  it("does not take a tool's description for a server tool", () => {
    const tools = [{ name: "t", description: "like web_search_20250305", input_schema: { type: "object" } }];

    expect(encode({ ...MINIMAL, tools }).sent["tools"]).toEqual(tools);
  });

  it("takes the scope out of every cache breakpoint when its beta comes along", () => {
    const scoped = { type: "ephemeral", scope: "global", ttl: "1h" };
    const body = {
      ...MINIMAL,
      system: [{ type: "text", text: "s", cache_control: scoped }],
      tools: [{ name: "t", input_schema: { properties: { scope: { type: "string" } } }, cache_control: scoped }],
      messages: [
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "t", content: [{ type: "text", text: "r", cache_control: scoped }] },
          ],
        },
      ],
    };

    const { sent, warned } = encode(body, { betas: ["prompt-caching-scope-2026-01-05"] });

    const expected = JSON.stringify(body).replaceAll('"scope":"global",', "");
    const { model: _model, ...rest } = JSON.parse(expected) as Record<string, unknown>;
    expect(sent).toEqual({ anthropic_version: "bedrock-2023-05-31", ...rest });
    expect(warned).toEqual([
      "system[0].cache_control.scope",
      "tools[0].cache_control.scope",
      "messages[0].content[0].content[0].cache_control.scope",
    ]);
  });

  it("renames output_format, and refuses both names at once", () => {
    const format = { type: "json_schema", schema: { type: "object" } };

    expect(encode({ ...MINIMAL, output_format: format }).sent).toMatchObject({ output_config: { format } });
    expect(
      refusalOf(() => encode({ ...MINIMAL, output_format: format, output_config: { effort: "low" } })).message,
    ).toMatch(/^output_format is not taken/);
  });

  it.each([
    [
      [{ role: "user", content: "hi" }],
      [{ role: "user", content: [{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }] }],
    ],
    [
      [
        { role: "user", content: "first" },
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", text: "b" },
          ],
        },
      ],
      [
        { role: "user", content: "first" },
        {
          role: "user",
          content: [
            { type: "text", text: "a" },
            { type: "text", cache_control: { type: "ephemeral" }, text: "b" },
          ],
        },
      ],
    ],
    [
      [{ role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }] }],
      [{ role: "user", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral", ttl: "1h" } }] }],
    ],
    [
      [
        {
          role: "assistant",
          content: [
            { type: "text", text: "a" },
            { type: "thinking", thinking: "", signature: "s" },
          ],
        },
      ],
      [
        {
          role: "assistant",
          content: [
            { type: "text", text: "a", cache_control: { type: "ephemeral" } },
            { type: "thinking", thinking: "", signature: "s" },
          ],
        },
      ],
    ],
    [[], []],
  ])("puts the automatic cache breakpoint where the Messages API would: %j", (messages, expected) => {
    const { sent, warned } = encode({ ...MINIMAL, messages, cache_control: { type: "ephemeral" } });

    expect(sent["messages"]).toEqual(expected);
    expect(sent).not.toHaveProperty("cache_control");
    expect(warned).toEqual([]);
  });
});

describe("bedrockTarget on token counts", () => {
  const counted = (body: object, options?: Options): Record<string, unknown> => {
    const { sent } = encode(body, { ...options, operation: "count_tokens" });
    const { input } = sent as { input: { invokeModel: { body: string } } };
    return JSON.parse(Buffer.from(input.invokeModel.body, "base64").toString()) as Record<string, unknown>;
  };

  it("wraps the InvokeModel body in base64, with a max_tokens, which it must have", () => {
    const { max_tokens: _max, ...body } = MINIMAL;

    expect(counted(body)).toEqual({
      max_tokens: 1,
      anthropic_version: "bedrock-2023-05-31",
      messages: MINIMAL.messages,
    });
  });

  it("puts max_tokens above the thinking budget, and leaves one that is there", () => {
    const thinking = { type: "enabled", budget_tokens: 4096 };
    const { max_tokens: _max, ...body } = MINIMAL;

    expect(counted({ ...body, thinking })["max_tokens"]).toBe(4097);
    expect(counted({ ...body, thinking, max_tokens: 9000 })["max_tokens"]).toBe(9000);
  });

  it("leaves out the betas that counting does not take with what they bring, and an empty list of tools", () => {
    const tools = [{ name: "t", defer_loading: true, input_schema: {}, eager_input_streaming: true }];

    const body = counted({ ...MINIMAL, tools }, { betas: CLAUDE_CODE_BETAS });

    expect(body["anthropic_beta"]).toEqual(["claude-code-20250219", "context-management-2025-06-27"]);
    expect(body["tools"]).toEqual([{ name: "t", input_schema: {} }]);
    expect(counted({ ...MINIMAL, tools: [] })).not.toHaveProperty("tools");
  });

  it("names each kind of what it left out of tools once", () => {
    const tool = { name: "t", defer_loading: true };
    const request = canonicalRequest({ ...MINIMAL, tools: [tool, tool] }, { operation: "count_tokens" });

    expect(bedrockTarget.encode(request).warnings.map(({ field }) => field)).toEqual(["tools[].defer_loading"]);
  });

  it("reads the count", () => {
    const call = bedrockTarget.encode(canonicalRequest(MINIMAL, { operation: "count_tokens" }));

    expect(call.decodeAnswer(Buffer.from('{"inputTokens":1234}')).toString()).toBe('{"input_tokens":1234}');
    expect(call.decodeAnswer(Buffer.from('{"input_tokens":0}')).toString()).toBe('{"input_tokens":0}');
    for (const answer of ["{}", "", '{"inputTokens":"1"}', '{"inputTokens":-1}', "[1]"]) {
      expect(refusalOf(() => call.decodeAnswer(Buffer.from(answer))).code).toBe("weir:upstream:bad_answer");
    }
  });
});

describe("bedrockTarget on answers", () => {
  const call = bedrockTarget.encode(canonicalRequest(MINIMAL));

  it("gives a whole answer as it is", () => {
    const answer = Buffer.from(JSON.stringify(ANSWER));

    expect(call.decodeAnswer(answer)).toBe(answer);
  });

  it.each(["", "<html>", "[]", '{"message":"x"}'])("refuses an answer that is no message: %j", (answer) => {
    expect(refusalOf(() => call.decodeAnswer(Buffer.from(answer))).code).toBe("weir:upstream:bad_answer");
  });

  it("decodes a stream, each one on its own", () => {
    const events = answerEvents();
    const stream = Buffer.concat(events.map((event) => awsChunk(JSON.stringify(event))));

    for (let i = 0; i < 2; i++) {
      expect(call.streamDecoder()?.push(stream).toString()).toBe(eventStream(events).toString());
    }
  });
});

describe("bedrockTarget.decodeError", () => {
  const call = bedrockTarget.encode(canonicalRequest(MINIMAL));
  const decode = (status: number, body: string, headers: Record<string, unknown> = {}): unknown =>
    JSON.parse(call.decodeError(status, Buffer.from(body), headers).toString());

  it.each([
    [400, "ValidationException", "invalid_request_error"],
    [403, "AccessDeniedException", "permission_error"],
    [403, "ExpiredTokenException", "authentication_error"],
    [403, "UnrecognizedClientException", "authentication_error"],
    [404, "ResourceNotFoundException", "not_found_error"],
    [408, "ModelTimeoutException", "timeout_error"],
    [424, "ModelErrorException", "api_error"],
    [429, "ThrottlingException", "rate_limit_error"],
    [429, "ModelNotReadyException", "overloaded_error"],
    [400, "ServiceQuotaExceededException", "rate_limit_error"],
    [500, "InternalServerException", "api_error"],
    [503, "ServiceUnavailableException", "overloaded_error"],
    [413, "", "request_too_large"],
    [401, "", "authentication_error"],
    [402, "", "billing_error"],
    [418, "", "invalid_request_error"],
    [529, "", "overloaded_error"],
  ])("gives %i %s the type %s, and the message word for word", (status, exception, type) => {
    const message = "Input is too long for requested model.";
    const headers = { "x-amzn-errortype": `${exception}:http://internal.amazon.com/x`, "x-amzn-requestid": "r-1" };

    expect(decode(status, JSON.stringify({ message }), headers)).toEqual({
      type: "error",
      error: { type, message },
      request_id: "r-1",
    });
  });

  it("reads the exception's name in the body where the header is missing, and the message in either case", () => {
    const body = '{"__type":"com.amazon.coral.service#ThrottlingException","Message":"Slow down"}';

    expect(decode(400, body)).toEqual({ type: "error", error: { type: "rate_limit_error", message: "Slow down" } });
  });

  it("gives the status that the model itself answered with", () => {
    const body = '{"message":"m","originalStatusCode":529,"resourceName":"x"}';

    expect(decode(424, body, { "x-amzn-errortype": "ModelErrorException" })).toMatchObject({
      error: { type: "overloaded_error" },
    });
  });

  it("leaves an envelope of the Messages API as it is, byte for byte", () => {
    const body = Buffer.from('{"type":"error", "error":{"type":"invalid_request_error","message":"x","more":1}}');

    expect(call.decodeError(400, body, {})).toBe(body);
  });

  it.each([
    ["<html>Bad gateway</html>", "<html>Bad gateway</html>"],
    ["", "The upstream answered 502 without a message."],
    [`x${"y".repeat(5_000)}`, `x${"y".repeat(999)}`],
  ])("makes do with what is no JSON", (body, message) => {
    expect(decode(502, body)).toEqual({ type: "error", error: { type: "api_error", message } });
  });
});

describe("bedrockTarget.forward", () => {
  it("sends a Bedrock client's bytes as they are, and decodes as ever", () => {
    const body = Buffer.from('{"anthropic_version":"bedrock-2023-05-31" , "anthropic_beta":["x"],"max_tokens":1}');

    const call = bedrockTarget.forward(body, canonicalRequest(MINIMAL, { betas: ["y"] }));

    expect(call.body).toBe(body);
    expect(call.headers).not.toContain("anthropic-beta");
    expect(call.streamFilter()).toBeNull();
    expect(call.streamDecoder()?.push(awsChunk('{"type":"ping"}')).toString()).toContain("event: ping");
  });

  it("lets the guardrail's and the tier's headers through", () => {
    expect(bedrockTarget.forwards).toContain("x-amzn-bedrock-guardrailidentifier");
    expect(bedrockTarget.forwards).toContain("x-amzn-bedrock-service-tier");
  });
});
