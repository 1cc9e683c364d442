import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { anthropicErrorOf, decodeOpenaiError, encodeUpstreamError, encodeWeirError } from "./error-shape.ts";

function decode(status: number, body: unknown): { error: Record<string, unknown> } {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  return JSON.parse(decodeOpenaiError(status, Buffer.from(text)).toString());
}

function encode(status: number, canonical: unknown): { status: number; error: unknown } {
  const text = typeof canonical === "string" ? canonical : JSON.stringify(canonical);
  const encoded = encodeUpstreamError(status, Buffer.from(text), "req_1");
  return { status: encoded.status, error: JSON.parse(encoded.body).error };
}

describe("an OpenAI error as a Messages error", () => {
  it.each([
    [400, "invalid_request_error"],
    [401, "authentication_error"],
    [402, "billing_error"],
    [403, "permission_error"],
    [404, "not_found_error"],
    [408, "timeout_error"],
    [413, "request_too_large"],
    [422, "invalid_request_error"],
    [429, "rate_limit_error"],
    [500, "api_error"],
    [503, "overloaded_error"],
    [504, "timeout_error"],
  ])("has, for status %d, the type %s and the message word for word", (status, type) => {
    const error = { message: "Ünly this.", type: "whatever", param: "n", code: "c" };
    expect(decode(status, { error })).toEqual({
      type: "error",
      error: { type, message: "Ünly this.", param: "n", code: "c" },
    });
  });

  it("tells an empty account from a rate limit", () => {
    expect(decode(429, { error: { message: "m", code: "insufficient_quota" } }).error["type"]).toBe("billing_error");
  });

  it.each([
    [{ error: "text" }, "text"],
    [{ message: "m" }, "m"],
    [{ detail: [{ loc: ["body"] }] }, '[{"loc":["body"]}]'],
    ["<html>Bad Gateway</html>", "<html>Bad Gateway</html>"],
    ["", "The upstream answered 502 without a message."],
  ])("takes the message out of %j", (body, message) => {
    expect(decode(502, body).error["message"]).toBe(message);
  });

  it("adds the word that Claude Code's recovery looks for when the prompt is too long", () => {
    const message = "This model's maximum context length is 128000 tokens.";
    const { error } = decode(400, { error: { message, code: "context_length_exceeded" } });
    expect(error["message"]).toBe(`${message} (capability_rejected: prompt_too_long)`);
    expect(encode(400, { type: "error", error }).error).toMatchObject({ message, code: "context_length_exceeded" });
  });

  it.each([
    [{ code: 429 }, "rate_limit_error"],
    [{ type: "invalid_request_error" }, "invalid_request_error"],
    [{ type: "server_error" }, "api_error"],
  ])("reads %j, which came inside a stream", (error, type) => {
    expect(anthropicErrorOf({ message: "m", ...error }, 0)["type"]).toBe(type);
  });
});

describe("a Messages error for a client of an OpenAI format", () => {
  it.each([
    ["invalid_request_error", { type: "invalid_request_error", code: null }],
    ["authentication_error", { type: "invalid_request_error", code: "invalid_api_key" }],
    ["rate_limit_error", { type: "rate_limit_error", code: "rate_limit_exceeded" }],
    ["billing_error", { type: "insufficient_quota", code: "insufficient_quota" }],
    ["a_later_type", { type: "a_later_type", code: null }],
  ])("translates %s", (type, expected) => {
    expect(encode(400, { type: "error", error: { type, message: "m" } }).error).toMatchObject({
      ...expected,
      message: "m",
    });
  });

  it("knows a prompt that is too long by Anthropic's words", () => {
    const message = "prompt is too long: 200001 tokens > 200000 maximum";
    expect(encode(400, { error: { type: "invalid_request_error", message } }).error).toMatchObject({
      code: "context_length_exceeded",
    });
  });

  it("gives back code and param of an OpenAI upstream", () => {
    const error = { message: "m", type: "invalid_request_error", param: "tools[0]", code: "invalid_function" };
    expect(encode(400, decode(400, { error })).error).toEqual(error);
  });

  it("says 503 for 529, and the plain text of what is no envelope", () => {
    expect(encode(529, { error: { type: "overloaded_error", message: "m" } }).status).toBe(503);
    expect(encode(502, "oops").error).toMatchObject({ message: "oops", type: "server_error" });
  });
});

describe("Weir's own errors", () => {
  it.each([
    ["weir:request:unsupported_feature", "logit_bias: no", "logit_bias"],
    ["weir:request:invalid_field", "model is required", "model"],
    ["weir:request:invalid_field", "The request is nested deeper than 5 levels.", null],
    ["weir:model:unknown", "gpt-9: no such model", null],
  ] as const)("%s (%s) name the parameter %s", (code, message, param) => {
    expect(JSON.parse(encodeWeirError(new WeirError(code, message), "r").body).error.param).toBe(param);
  });

  it("has OpenAI's code where clients know one, and when to try again", () => {
    const limit = encodeWeirError(new WeirError("weir:limit:requests", "m", { retryAfterSeconds: 1.2 }), "r");
    expect(JSON.parse(limit.body)).toMatchObject({
      error: { code: "rate_limit_exceeded", type: "rate_limit_error" },
      weir_code: "weir:limit:requests",
    });
    expect(limit.headers).toMatchObject({ "retry-after": "2" });
    expect(JSON.parse(encodeWeirError(new WeirError("weir:model:unknown", "m"), "r").body).error.code).toBe(
      "model_not_found",
    );
  });
});
