/** contract.md, "Forwarding" and "Errors and retries": what comes back to the client. */
import { connect } from "node:net";
import { text as readText } from "node:stream/consumers";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({ upstreams: [{ baseUrl: upstream.url, headersTimeoutMs: 300 }] });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

async function send(changes: Readonly<Record<string, unknown>> = {}): Promise<HttpAnswer> {
  return await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key), body: messageBody(changes) });
}

describe("an answer's headers", () => {
  it.each([true, false])("are the upstream's as far as they concern the caller (stream: %s)", async (stream) => {
    const headers = {
      "anthropic-organization-id": "org-upstream",
      "anthropic-unheard-of": "kept",
      "anthropic-hop": "dropped",
      "anthropic-ratelimit-requests-remaining": "7",
      "anthropic-ratelimit-unified-status": "allowed",
      "set-cookie": "upstream=1",
      server: "upstream",
      "x-internal": "1",
      "cf-ray": "1",
      connection: "keep-alive, Anthropic-Hop",
    };
    upstream.reply(stream ? { kind: "stream", headers } : { kind: "whole", headers });
    const answer = await send({ stream });
    expect(answer.status).toBe(200);
    expect(answer.headers["anthropic-organization-id"]).toBe("org-upstream");
    expect(answer.headers["anthropic-unheard-of"]).toBe("kept");
    for (const name of [
      "anthropic-hop",
      "anthropic-ratelimit-requests-remaining",
      "anthropic-ratelimit-unified-status",
      "set-cookie",
      "server",
      "x-internal",
      "cf-ray",
    ]) {
      expect(answer.headers[name], name).toBeUndefined();
    }
    expect(answer.headers["x-weir-upstream"]).toBe("anthropic");
    expect(answer.headers["request-id"]).toMatch(/^req_/);
    expect(answer.headers["request-id"]).not.toBe("req_fake_upstream");
  });
});

describe("an upstream's error", () => {
  it.each([
    [
      400,
      "application/json",
      '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 9 > 8"}}',
    ],
    [
      413,
      "application/json",
      '{ "type" : "error",\n "error":{"type":"request_too_large","message":"Request too large Grüße"}}',
    ],
    [422, "text/html", "<html><body>strange proxy \u00e9</body></html>"],
    [404, "application/json", '{"type":"error","error":{"type":"not_found_error","message":"model: x"}}'],
    [500, "application/json", '{"type":"error","error":{"type":"api_error","message":"Internal server error"}}'],
    [529, "application/json", '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'],
  ])("%s comes through verbatim, for the client's recovery matches its wording", async (status, type, body) => {
    upstream.reply({ kind: "whole", status, body, headers: { "content-type": type } });
    const answer = await send();
    expect(answer.status).toBe(status);
    expect(answer.body.toString("utf8")).toBe(body);
    expect(answer.headers["content-type"]).toBe(type);
    expect(answer.headers["request-id"]).toMatch(/^req_/);
    expect(upstream.requests.length).toBe(1);
  });

  it.each([
    [429, "17"],
    [529, "3"],
    [503, "61"],
  ])("%s keeps its retry-after and x-should-retry", async (status, seconds) => {
    const headers = { "retry-after": seconds, "x-should-retry": "true" };
    upstream.reply({ kind: "whole", status, body: { type: "error" }, headers });
    const answer = await send({ stream: true });
    expect(answer.status).toBe(status);
    expect(answer.headers["retry-after"]).toBe(seconds);
    expect(answer.headers["x-should-retry"]).toBe("true");
  });

  it("401 concerns Weir's own credential: the caller's key is not to blame, and the body stays behind", async () => {
    upstream.reply({ kind: "whole", status: 401, body: { error: { message: "invalid x-api-key sk-upstream" } } });
    const answer = await send();
    expect(answer.status).toBe(502);
    expect(jsonOf(answer)).toMatchObject({ type: "error", error: { type: "api_error" } });
    expect(answer.body.toString("utf8")).not.toContain("sk-upstream");
  });

  it.each([301, 302, 307, 308])("redirect %s is not followed", async (status) => {
    upstream.reply({ kind: "whole", status, body: "", headers: { location: `${upstream.url}/elsewhere` } });
    const answer = await send();
    expect(answer.status).toBe(502);
    expect(answer.headers.location).toBeUndefined();
    expect(upstream.requests.length).toBe(1);
  });

  it("of connection becomes a 502, silence a 504, each in the provider's form with the request's id", async () => {
    upstream.reply({ kind: "reset" });
    const reset = await send();
    upstream.reply({ kind: "silent" });
    const silent = await send();
    expect([reset.status, silent.status]).toEqual([502, 504]);
    for (const answer of [reset, silent]) {
      expect(jsonOf(answer)).toMatchObject({ type: "error", request_id: answer.headers["request-id"] });
    }
  });
});

describe("request-id", () => {
  const json = { "content-type": "application/json" };
  it.each([
    ["a whole answer", "/v1/messages", { body: messageBody() }],
    ["a stream", "/v1/messages", { body: messageBody({ stream: true }) }],
    ["token counting", "/v1/messages/count_tokens", { body: messageBody() }],
    ["the list of models", "/v1/models", {}],
    ["a model that does not exist", "/v1/models/nothing", {}],
    ["an unknown path", "/nothing", {}],
    ["a wrong method", "/v1/messages", { method: "PUT", body: "{}" }],
    ["malformed JSON", "/v1/messages", { body: "{" }],
    ["an unknown model", "/v1/messages", { body: messageBody({ model: "gpt-x" }) }],
    ["liveness", "/healthz", {}],
    ["readiness", "/readyz", {}],
    ["health", "/health", {}],
    ["the connection test", "/api/hello", { method: "HEAD" }],
    ["the root", "/", {}],
  ])("is on %s", async (_, path, options) => {
    const answer = await ask(gateway.url + path, { headers: { ...json, "x-api-key": gateway.key }, ...options });
    expect(answer.headers["request-id"]).toMatch(/^req_[0-9a-z]{26}$/);
  });

  it("is on the refusal of a missing and of an unknown key", async () => {
    for (const headers of [json, { ...json, "x-api-key": `wr-dev-${"a".repeat(43)}` }]) {
      const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
      expect(answer.status).toBe(401);
      expect(answer.headers["x-should-retry"]).toBe("false");
      expect(jsonOf(answer)).toMatchObject({ request_id: answer.headers["request-id"] });
    }
  });

  it("is on the answer to what is no HTTP, and to headers that are too large", async () => {
    for (const request of ["NONSENSE\r\n\r\n", `GET / HTTP/1.1\r\nhost: x\r\na: ${"x".repeat(40_000)}\r\n\r\n`]) {
      const socket = connect(gateway.port, "127.0.0.1");
      socket.write(request);
      const answer = await readText(socket);
      expect(answer).toMatch(/^HTTP\/1\.1 4(00|31) /);
      expect(answer).toMatch(/\r\nrequest-id: req_/);
    }
  });

  it("is on the answer to a request with an expectation that nobody knows", async () => {
    const headers = { ...json, "x-api-key": gateway.key, expect: "the-unexpected" };
    const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
    expect(answer.status).toBe(200);
    expect(answer.headers["request-id"]).toMatch(/^req_/);
  });

  it("differs from one request to the next", async () => {
    const ids = await Promise.all(Array.from({ length: 50 }, async () => (await send()).headers["request-id"]));
    expect(new Set(ids).size).toBe(50);
  });
});
