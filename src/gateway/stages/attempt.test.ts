import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream, type Reply } from "../../../test/harness/fake-upstream.ts";
import { startTestGateway, type TestGateway, type TestGatewayOptions } from "../../../test/harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../../../test/harness/http-answer.ts";
import { messageBody, messageHeaders } from "../../../test/harness/message-request.ts";

let first: FakeUpstream;
let second: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  [first, second] = await Promise.all([FakeUpstream.start(), FakeUpstream.start()]);
});

afterAll(async () => {
  await Promise.all([first.stop(), second.stop()]);
});

beforeEach(() => {
  first.reset();
  second.reset();
});

afterEach(async () => {
  await gateway.stop();
});

async function start(options: Partial<TestGatewayOptions> = {}): Promise<void> {
  const upstreams = [
    { name: "first", baseUrl: first.url, headersTimeoutMs: 200 },
    { name: "second", baseUrl: second.url, headersTimeoutMs: 200 },
  ];
  gateway = await startTestGateway({ upstreams, ...options });
}

function post(changes: Record<string, unknown> = {}): Promise<HttpAnswer> {
  return ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key), body: messageBody(changes) });
}

describe("an attempt that fails before a byte was relayed", () => {
  it.each<[string, Reply]>([
    ["a 500", { kind: "whole", status: 500 }],
    ["a 529", { kind: "whole", status: 529 }],
    ["a 429", { kind: "whole", status: 429 }],
    ["a 401", { kind: "whole", status: 401 }],
    ["a 403", { kind: "whole", status: 403 }],
    ["a 404", { kind: "whole", status: 404 }],
    ["a redirect", { kind: "whole", status: 307, headers: { location: "http://127.0.0.1:1/" } }],
    ["a broken connection", { kind: "reset" }],
    ["silence", { kind: "silent" }],
  ])("of %s is followed by one on the next upstream", async (_, reply) => {
    await start();
    first.reply(reply);
    const answer = await post({ stream: true });

    expect(answer.status).toBe(200);
    expect(answer.headers["x-weir-upstream"]).toBe("second");
    expect([first.requests.length, second.requests.length]).toEqual([1, 1]);
    expect(second.requests[0]?.body).toEqual(first.requests[0]?.body);
    expect(gateway.journal.opens).toHaveLength(1);
    expect(gateway.journal.entries).toMatchObject([
      { target: "second", attempt: 2, attempts: 2, outcome: "complete", status: 200 },
    ]);
  });

  it("is not repeated when it concerns the request, whose error the client gets as it is", async () => {
    await start();
    const body = '{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long: 1 > 0"}}';
    first.reply({ kind: "whole", status: 400, body });
    const answer = await post();

    expect([answer.status, answer.body.toString()]).toEqual([400, body]);
    expect(second.requests).toEqual([]);
    expect(gateway.journal.entries).toMatchObject([
      { target: "first", attempts: 1, outcome: "upstream_error", status: 400, costMicroUsd: 0 },
    ]);
  });

  it("gives the last upstream's own error when there is no other left", async () => {
    await start();
    first.reply({ kind: "whole", status: 500 });
    second.reply({
      kind: "whole",
      status: 529,
      body: '{"type":"error","error":{"type":"overloaded_error"}}',
      headers: { "retry-after": "7" },
    });
    const answer = await post();

    expect(answer.status).toBe(529);
    expect(answer.headers["retry-after"]).toBe("7");
    expect(gateway.journal.entries).toMatchObject([{ target: "second", attempts: 2, status: 529 }]);
  });

  it("names all that were tried when none has answered", async () => {
    await start();
    first.reply({ kind: "reset" });
    second.reply({ kind: "whole", status: 401 });
    const answer = await post();

    expect(answer.status).toBe(502);
    expect(jsonOf(answer)).toMatchObject({
      error: {
        type: "api_error",
        message: "No upstream answered (tried first, second; last: the upstream refused Weir's own credential (401)).",
      },
    });
    expect(gateway.journal.entries).toMatchObject([
      { target: "second", attempts: 2, status: 502, outcome: "upstream_error", costMicroUsd: 0 },
    ]);
  });

  it("is a 504 when the last one was silent", async () => {
    await start();
    first.otherwise({ kind: "silent" });
    second.otherwise({ kind: "silent" });
    const answer = await post();

    expect(answer.status).toBe(504);
    expect(gateway.journal.entries).toMatchObject([{ outcome: "timeout", status: 504 }]);
  });
});

describe("an answer that has begun", () => {
  it("is never begun again elsewhere", async () => {
    await start();
    first.reply({ kind: "stream", cut: { afterEvents: 1, how: "destroy" } });
    const answer = await post({ stream: true });

    expect(answer.isWhole).toBe(false);
    expect(second.requests).toEqual([]);
    expect(gateway.journal.entries).toMatchObject([
      { target: "first", attempts: 1, outcome: "upstream_cut", usageSource: "partial" },
    ]);
  });
});

describe("the request to an upstream", () => {
  it("carries the model's name there, and not one other byte changed", async () => {
    const models = [{ id: "claude-opus-5", label: null, description: null, upstreamModel: { second: 'eu.opus "5"' } }];
    await start({ models });
    first.reply({ kind: "whole", status: 500 });
    const text = `{ "max_tokens" : 5,\n "messages":[ {"role":"user","content":"claude-opus-5 é"} ] , "model"\t:"claude-\\u006fpus-5" }`;
    await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key), body: text });

    expect(first.requests[0]?.body.toString()).toBe(text);
    expect(second.requests[0]?.body.toString()).toBe(
      text.replace(String.raw`"claude-\u006fpus-5"`, String.raw`"eu.opus \"5\""`),
    );
  });

  it("says who asks only to upstreams that are meant to know", async () => {
    const upstreams = [
      { name: "first", baseUrl: first.url },
      { name: "second", baseUrl: second.url, forwardUserIdentity: true },
    ];
    await start({ upstreams });
    first.reply({ kind: "whole", status: 500 });
    await post();
    const names = (upstream: FakeUpstream): string[] =>
      Object.keys(upstream.requests[0]?.headers ?? {}).filter(
        (name) => /user|litellm/.test(name) && name !== "user-agent",
      );

    expect(names(first)).toEqual([]);
    expect(second.requests[0]?.headers).toMatchObject({
      "x-claude-gateway-user-id": "usr_1",
      "x-claude-gateway-user-email": "ada@example.com",
    });
  });
});
