import { describe, expect, it } from "vitest";

import { unwrapEndpointError } from "./endpoint-error.ts";

const NO_HEADERS = {};

function unwrapped(status: number, body: unknown, headers: Readonly<Record<string, unknown>> = NO_HEADERS) {
  const bytes = Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const error = unwrapEndpointError(status, bytes, headers);
  return { status: error.status, body: error.body.toString() };
}

describe("an error of a SageMaker endpoint", () => {
  it("is the container's own, status and answer, where that is inside", () => {
    const own = '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 2 > 1"}}';
    const wrapped = {
      ErrorCode: "CLIENT_ERROR_FROM_MODEL",
      OriginalStatusCode: 400,
      OriginalMessage: own,
      message: "…",
    };
    expect(unwrapped(424, wrapped)).toEqual({ status: 400, body: own });
  });

  it.each([
    ["no status of an error", { OriginalStatusCode: 200, OriginalMessage: "{}", message: "odd" }, "odd"],
    ["no answer", { OriginalStatusCode: 500, OriginalMessage: "", message: "It died." }, "It died."],
  ])("is SageMaker's where the container gave %s", (_, body, message) => {
    expect(unwrapped(424, body)).toMatchObject({
      status: 424,
      body: expect.stringContaining(`"message":"${message}"`),
    });
  });

  it("of SageMaker itself becomes an envelope with its words", () => {
    const headers = { "x-amzn-errortype": "ThrottlingException", "x-amzn-requestid": "r-1" };
    expect(unwrapped(429, { message: "Rate exceeded" }, headers)).toEqual({
      status: 429,
      body: '{"type":"error","error":{"type":"rate_limit_error","message":"Rate exceeded"},"request_id":"r-1"}',
    });
  });

  it("that is no JSON keeps its text", () => {
    expect(unwrapped(503, "<html>busy</html>").body).toContain("<html>busy</html>");
  });
});
