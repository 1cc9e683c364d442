import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { ANSWER, canonicalRequest, FULL_REQUEST } from "../cloud/testing/messages.ts";
import type { TargetCall } from "../codec.ts";
import { vertexTarget } from "./vertex-target.ts";

const MODEL = "claude-haiku-4-5@20251001";

function encode(
  body: object | string,
  options: Parameters<typeof canonicalRequest>[1] = {},
): { call: TargetCall; sent: Record<string, unknown>; warned: string[] } {
  const call = vertexTarget.encode(canonicalRequest(body, { upstreamModel: MODEL, ...options }));
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

describe("vertexTarget.encode", () => {
  it("sends everything but the model, and the version that Vertex asks for", () => {
    const { sent, call, warned } = encode(FULL_REQUEST);

    const { model: _model, ...rest } = FULL_REQUEST;
    expect(sent).toEqual({ anthropic_version: "vertex-2023-10-16", ...rest });
    expect(warned).toEqual([]);
    expect(call.headers).toEqual(["content-type", "application/json"]);
  });

  it("cuts the body out of the bytes that came", () => {
    const { call } = encode(
      '{ "stream" : true, "model":"m","max_tokens":5, "messages":[{"role":"user","content":"\\u00e9"}] }',
    );

    expect(call.body.toString()).toBe(
      '{"anthropic_version":"vertex-2023-10-16", "stream" : true,"max_tokens":5, "messages":[{"role":"user","content":"\\u00e9"}] }',
    );
  });

  it("sends betas where Vertex reads them: in the header and in the body", () => {
    const betas = ["claude-code-20250219", "advanced-tool-use-2025-11-20", "web-search-2025-03-05", "new-2027-01-01"];

    const { sent, call } = encode(MINIMAL, { betas });

    const expected = ["claude-code-20250219", "tool-search-tool-2025-10-19", "web-search-2025-03-05", "new-2027-01-01"];
    expect(sent["anthropic_beta"]).toEqual(expected);
    expect(call.headers).toEqual(["content-type", "application/json", "anthropic-beta", expected.join()]);
  });

  it("passes on what it has never heard of, and web search", () => {
    const body = { ...MINIMAL, a_field_of_2027: 1, tools: [{ type: "web_search_20250305", name: "web_search" }] };

    expect(encode(body).sent).toMatchObject({ a_field_of_2027: 1, tools: body.tools });
  });

  it.each([
    ["speed", "fast", "fast-mode-2026-02-01"],
    ["service_tier", "auto", ""],
    ["fallbacks", [{ model: "x" }], "server-side-fallback-2026-06-01"],
  ])("drops %s and its beta together, with a warning", (field, value, beta) => {
    const { sent, warned, call } = encode({ ...MINIMAL, [field]: value }, { betas: [beta] });

    expect(sent).not.toHaveProperty(field);
    expect(call.headers).toHaveLength(2);
    expect(warned).toEqual([field]);
  });

  it.each([
    ["mcp_servers", [{ type: "url" }]],
    ["container", "c"],
    ["inference_geo", "us"],
    ["tools", [{ type: "code_execution_20250825", name: "c" }]],
    ["tools", [{ type: "web_fetch_20250910", name: "c" }]],
  ])("refuses %s by name: %j", (field, value) => {
    const refusal = refusalOf(() => encode({ ...MINIMAL, [field]: value }));

    expect(refusal.code).toBe("weir:request:unsupported_feature");
    expect(refusal.message).toMatch(new RegExp(`^${field}.* is not taken by Vertex AI`));
  });

  it("counts tokens with the model in the body", () => {
    const betas = ["claude-code-20250219", "tool-search-tool-2025-10-19"];
    const { max_tokens: _max, ...body } = MINIMAL;

    const { sent, call } = encode(
      { ...body, tools: [{ name: "t", defer_loading: true }] },
      { betas, operation: "count_tokens" },
    );

    expect(sent).toEqual({
      model: MODEL,
      anthropic_version: "vertex-2023-10-16",
      anthropic_beta: ["claude-code-20250219"],
      messages: MINIMAL.messages,
      tools: [{ name: "t" }],
    });
    expect(call.decodeAnswer(Buffer.from('{"input_tokens":14}')).toString()).toBe('{"input_tokens":14}');
    expect(refusalOf(() => call.decodeAnswer(Buffer.from("{}"))).code).toBe("weir:upstream:bad_answer");
  });
});

describe("vertexTarget.forward", () => {
  it("sends a Vertex client's bytes as they are, its betas in the header", () => {
    const body = Buffer.from('{"anthropic_version":"vertex-2023-10-16" ,"stream":true}');

    const call = vertexTarget.forward(body, canonicalRequest(MINIMAL, { betas: ["a", "b"] }));

    expect(call.body).toBe(body);
    expect(call.headers).toEqual(["content-type", "application/json", "anthropic-beta", "a,b"]);
    expect(call.streamFilter()).toBeNull();
  });

  it("replaces the model of a token count, which is in the body, and nothing else", () => {
    const body = Buffer.from('{ "messages":[], "model" : "claude-haiku-4-5", "x":"\\u0041" }');
    const request = canonicalRequest({ model: "m", messages: [] }, { operation: "count_tokens", upstreamModel: MODEL });

    expect(vertexTarget.forward(body, request).body.toString()).toBe(
      `{ "messages":[], "model" : "${MODEL}", "x":"\\u0041" }`,
    );
  });
});

describe("vertexTarget on answers", () => {
  const { call } = encode(MINIMAL);

  it("gives an answer as it is, and needs no decoder for streams", () => {
    const answer = Buffer.from(JSON.stringify(ANSWER));

    expect(call.decodeAnswer(answer)).toBe(answer);
    expect(call.streamDecoder()).toBeNull();
    expect(refusalOf(() => call.decodeAnswer(Buffer.from('{"predictions":[]}'))).code).toBe("weir:upstream:bad_answer");
  });

  it("leaves the model's own errors as they are, byte for byte", () => {
    const body = Buffer.from(
      '{"type":"error", "error":{"type":"invalid_request_error","message":"prompt is too long"}}',
    );

    expect(call.decodeError(400, body, {})).toBe(body);
  });

  it.each([
    [400, "INVALID_ARGUMENT", "invalid_request_error"],
    [400, "FAILED_PRECONDITION", "invalid_request_error"],
    [401, "UNAUTHENTICATED", "authentication_error"],
    [403, "PERMISSION_DENIED", "permission_error"],
    [404, "NOT_FOUND", "not_found_error"],
    [429, "RESOURCE_EXHAUSTED", "rate_limit_error"],
    [500, "INTERNAL", "api_error"],
    [503, "UNAVAILABLE", "overloaded_error"],
    [504, "DEADLINE_EXCEEDED", "timeout_error"],
    [429, "SOMETHING_NEW", "rate_limit_error"],
  ])("gives Google's %i %s the type %s, and the message word for word", (code, status, type) => {
    const message = "Quota exceeded for aiplatform.googleapis.com/…";
    const error = { error: { code, message, status, details: [] } };

    for (const body of [error, [error]]) {
      const envelope: unknown = JSON.parse(call.decodeError(code, Buffer.from(JSON.stringify(body)), {}).toString());
      expect(envelope).toEqual({ type: "error", error: { type, message } });
    }
  });

  it.each(["<html>", "", "[]", '{"error":"text"}'])("makes do with an error of another shape: %j", (body) => {
    expect(JSON.parse(call.decodeError(502, Buffer.from(body), {}).toString())).toMatchObject({
      type: "error",
      error: { type: "api_error" },
    });
  });
});
