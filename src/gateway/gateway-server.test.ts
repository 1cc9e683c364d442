import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../test/harness/http-answer.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }] });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

const MESSAGE = expect.stringContaining("takes POST");

describe("a method that an endpoint does not take", () => {
  it.each([
    ["Messages", "/v1/messages", { type: "error", error: { type: "invalid_request_error", message: MESSAGE } }],
    ["Bedrock", "/model/m/invoke", { message: MESSAGE }],
    [
      "Vertex",
      "/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict",
      { error: { message: MESSAGE, status: "INVALID_ARGUMENT" } },
    ],
    ["Chat Completions", "/v1/chat/completions", { error: { message: MESSAGE, param: null } }],
    ["Responses", "/v1/responses", { error: { message: MESSAGE, param: null } }],
  ])("is refused in the format of %s", async (_, path, body) => {
    const answer = await ask(gateway.url + path, { method: "PUT" });

    expect([answer.status, answer.headers["allow"]]).toEqual([405, "POST"]);
    expect(jsonOf(answer)).toMatchObject(body);
    expect(upstream.requests).toEqual([]);
  });
});

describe("a path at which nothing is", () => {
  it.each([
    ["Messages", "/v1/messages/m/unknown", { type: "error", error: { type: "not_found_error" } }, 404],
    ["Bedrock", "/model/anthropic.claude-opus-5/converse", { message: expect.stringContaining("/converse") }, 404],
    ["Bedrock", "/team/model/m/invoke-async", { message: expect.stringContaining("/invoke-async") }, 404],
    ["Responses", "/v1/responses/resp_1/cancel", { error: { message: expect.any(String), param: null } }, 404],
    ["Chat Completions", "/v1/chat/other", { error: { message: expect.any(String), param: null } }, 404],
    [
      "Vertex",
      "/v1/projects/p/locations/l/publishers/google/models/gemini:generateContent",
      { error: { message: expect.any(String), status: "NOT_FOUND" } },
      404,
    ],
  ])("is answered in the format of %s (%s)", async (_, path, body, status) => {
    const answer = await ask(gateway.url + path, { method: "POST", body: "{}" });

    expect(answer.status).toBe(status);
    expect(jsonOf(answer)).toMatchObject(body);
  });
});
