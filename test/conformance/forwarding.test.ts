/** contract.md, "Forwarding": what reaches the upstream, and what must not. */
import { Agent } from "node:http";
import { gzipSync } from "node:zlib";

import * as fc from "fast-check";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream, type SeenRequest } from "../harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

/** What the gateway sends of itself: everything else at the upstream must have come from the client. */
const OWN_HEADERS = ["host", "connection", "content-length", "accept-encoding", "x-api-key"];

let upstream: FakeUpstream;
let gateway: TestGateway;
const agent = new Agent({ keepAlive: true });

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({
    upstreams: [{ baseUrl: `${upstream.url}/base/path` }],
    models: [{ id: "house-model", label: null, description: null, upstreamModel: { anthropic: "claude-opus-5-5" } }],
  });
});
afterEach(() => upstream.reset());
afterAll(async () => {
  agent.destroy();
  await gateway.stop();
  await upstream.stop();
});

async function send(
  body: unknown,
  headers: Readonly<Record<string, string | readonly string[]>> = {},
  path = "/v1/messages",
): Promise<{ answer: HttpAnswer; seen: SeenRequest }> {
  const answer = await ask(gateway.url + path, {
    headers: { ...messageHeaders(gateway.key), ...headers },
    body,
    agent,
  });
  const seen = upstream.requests.at(-1);
  if (seen === undefined) throw new Error(`nothing reached the upstream: ${answer.body.toString("utf8")}`);
  return { answer, seen };
}

/** Values of a header at the upstream, in order, as they came. */
function valuesOf(seen: SeenRequest, name: string): string[] {
  return seen.rawHeaders.filter((_, index) => index % 2 === 1 && seen.rawHeaders[index - 1] === name);
}

describe("a request's body", () => {
  const jsonText = fc
    .record({
      extra: fc.dictionary(
        fc.string().map((name) => `x_${name}`),
        fc.jsonValue(),
      ),
      indent: fc.nat(4),
    })
    .map(({ extra, indent }) => JSON.stringify({ ...extra, ...messageBody() }, null, indent));

  it("reaches the upstream byte for byte, whatever fields it has and however it is written", async () => {
    await fc.assert(
      fc.asyncProperty(jsonText, async (text) => {
        const { seen } = await send(text);
        expect(seen.body.equals(Buffer.from(text))).toBe(true);
      }),
      { numRuns: 150 },
    );
  });

  it.each([
    ["white space around and within", ' \r\n\t{ "model" :\t"claude-sonnet-5-5" , "max_tokens":1,"messages":[ ] }\n '],
    ["escapes that could be written plainly", '{"\\u006dodel":"claude-sonnet-\\u0035-5","max_tokens":1,"messages":[]}'],
    ["numbers in unusual forms", '{"model":"claude-sonnet-5-5","max_tokens":1E1,"temperature":1.0e-0,"messages":[]}'],
    [
      "the same key twice below the top",
      '{"model":"claude-sonnet-5-5","max_tokens":1,"messages":[],"m":{"a":1,"a":2}}',
    ],
    ["a system role within messages", JSON.stringify(messageBody({ messages: [{ role: "system", content: "x" }] }))],
    ["characters of every length", JSON.stringify(messageBody({ metadata: { user_id: "aé世🌊\u0000\u2028" } }))],
  ])("keeps %s", async (_, text) => {
    const { answer, seen } = await send(text);
    expect(answer.status).toBe(200);
    expect(seen.body.toString("utf8")).toBe(text);
  });

  it("that came compressed is passed on plain, without a header that says otherwise", async () => {
    const text = JSON.stringify(messageBody());
    const { answer, seen } = await send(gzipSync(text), { "content-encoding": "gzip" });
    expect(answer.status).toBe(200);
    expect(seen.body.toString("utf8")).toBe(text);
    expect(seen.headers["content-encoding"]).toBeUndefined();
  });

  it("changes in the model's name alone where the upstream knows the model by another", async () => {
    const text = '{"a":"house-model", "model" : "house-model" ,"max_tokens":1,"messages":[],"z":"house-model"}';
    const { seen } = await send(text);
    expect(seen.body.toString("utf8")).toBe(text.replace(' "house-model" ,', ' "claude-opus-5-5" ,'));
  });
});

describe("a request's headers", () => {
  const name = fc.stringMatching(/^anthropic-[a-z0-9!#$%&'*+.^_`|~-]{1,30}$/);
  const value = fc.stringMatching(/^[!-~]([ -~]{0,60}[!-~])?$/);

  it("that begin with anthropic- reach the upstream unchanged, also those that nobody has heard of", async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(name, value, { minKeys: 1, maxKeys: 8 }), async (headers) => {
        const { seen } = await send(messageBody(), headers);
        for (const [name, value] of Object.entries(headers)) expect(valuesOf(seen, name)).toEqual([value]);
      }),
      { numRuns: 150 },
    );
  });

  it("that come several times come through several times, in order", async () => {
    const { seen } = await send(messageBody(), { "anthropic-beta": ["a-2026-01-01", "b-2026-02-02,c-2026-03-03"] });
    expect(valuesOf(seen, "anthropic-beta")).toEqual(["a-2026-01-01", "b-2026-02-02,c-2026-03-03"]);
  });

  it("of Claude Code and of the SDKs reach the upstream", async () => {
    const sent = {
      "x-claude-code-session-id": "session-1",
      "x-claude-code-agent-id": "agent-1",
      "x-stainless-lang": "js",
      "x-app": "cli",
      "user-agent": "claude-cli/2.1",
      accept: "application/json",
    };
    const { seen } = await send(messageBody(), sent);
    expect(seen.headers).toMatchObject(sent);
  });

  it.each([
    ["x-api-key", (key: string) => ({ "x-api-key": key })],
    ["a bearer", (key: string) => ({ authorization: `Bearer ${key}` })],
    ["both", (key: string) => ({ "x-api-key": key, authorization: `Bearer ${key}` })],
    [
      "a foreign bearer beside the key",
      (key: string) => ({ "x-api-key": key, authorization: "Bearer sk-ant-oat-foreign" }),
    ],
  ])("that hold the client's credential (%s) do not: the upstream sees Weir's own", async (_, credential) => {
    const headers = { "content-type": "application/json", ...credential(gateway.key) };
    const answer = await ask(`${gateway.url}/v1/messages`, { headers, body: messageBody() });
    expect(answer.status).toBe(200);
    const seen = upstream.requests.at(-1)!;
    expect(valuesOf(seen, "x-api-key")).toEqual(["sk-upstream-credential"]);
    expect(seen.rawHeaders.join("\n")).not.toContain(gateway.key);
    expect(seen.rawHeaders.join("\n")).not.toContain("foreign");
  });

  it("that concern the connection, the browser or the way here stay behind", async () => {
    const stay = {
      cookie: "session=secret",
      "proxy-authorization": "Basic c2VjcmV0",
      te: "trailers",
      trailer: "x-checksum",
      "keep-alive": "timeout=5",
      "proxy-connection": "keep-alive",
      upgrade: "h2c",
      "x-forwarded-for": "10.1.2.3",
      forwarded: "for=10.1.2.3",
      via: "1.1 proxy",
      origin: "https://example.com",
      referer: "https://example.com/",
      "x-unheard-of": "1",
    };
    const { seen } = await send(messageBody(), stay);
    for (const name of Object.keys(stay)) expect(valuesOf(seen, name), name).toEqual([]);
    expect(seen.headers.host).toBe(new URL(upstream.url).host);
  });

  it("that Connection names are dropped, whatever they are", async () => {
    const { seen } = await send(messageBody(), {
      connection: "keep-alive, Anthropic-Hop , x-claude-code-hop",
      "anthropic-hop": "1",
      "x-claude-code-hop": "1",
      "anthropic-kept": "1",
    });
    expect(seen.headers["anthropic-hop"]).toBeUndefined();
    expect(seen.headers["x-claude-code-hop"]).toBeUndefined();
    expect(seen.headers["anthropic-kept"]).toBe("1");
  });

  it("come alone: Weir adds nothing but what HTTP and its credential need", async () => {
    const { seen } = await send(messageBody());
    const names = seen.rawHeaders.filter((_, index) => index % 2 === 0).map((header) => header.toLowerCase());
    const known = new Set([...OWN_HEADERS, "content-type", "anthropic-version"]);
    expect(names.filter((header) => !known.has(header))).toEqual([]);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe("the attribution that Claude Code sends", () => {
  it("is on the ledger's row: session, agent and parent agent", async () => {
    await send(messageBody(), {
      "x-claude-code-session-id": "session-7",
      "x-claude-code-agent-id": "agent-7",
      "x-claude-code-parent-agent-id": "agent-1",
    });
    const attribution = { sessionId: "session-7", agentId: "agent-7", parentAgentId: "agent-1" };
    expect(gateway.journal.opens.at(-1)).toMatchObject(attribution);
    expect(gateway.journal.entries.at(-1)).toMatchObject(attribution);
  });
});

describe("a request's path", () => {
  it.each([
    ["/v1/messages", "/base/path/v1/messages"],
    ["/v1/messages?beta=true", "/base/path/v1/messages?beta=true"],
    ["/v1/messages?beta=true&x=%2F..%2f&y", "/base/path/v1/messages?beta=true&x=%2F..%2f&y"],
    ["/some/prefix/v1/messages?beta=true", "/base/path/v1/messages?beta=true"],
    ["/v1/messages/count_tokens?beta=true", "/base/path/v1/messages/count_tokens?beta=true"],
    ["/team/v1/messages/count_tokens", "/base/path/v1/messages/count_tokens"],
  ])("%s is asked of the upstream as %s", async (asked, expected) => {
    const { answer, seen } = await send(messageBody(), {}, asked);
    expect(answer.status).toBe(200);
    expect(seen.url).toBe(expected);
  });

  it.each([
    "/v1/message",
    "/v1/messages/",
    "/v1/messages/unheard-of",
    "/v1%2Fmessages",
    "/v1/messages%3Fbeta",
    "/v1/complete",
    "/v1/messagesx",
  ])("%s is nobody's: 404 in the provider's form, and nothing reaches the upstream", async (path) => {
    const answer = await ask(gateway.url + path, { headers: messageHeaders(gateway.key), body: messageBody() });
    expect(answer.status).toBe(404);
    expect(JSON.parse(answer.body.toString("utf8"))).toMatchObject({
      type: "error",
      error: { type: "not_found_error" },
    });
    expect(upstream.requests).toEqual([]);
  });

  it("of a connection test (HEAD /api/hello) is answered without a key and without an upstream", async () => {
    for (const path of ["/api/hello", "/prefix/api/hello"]) {
      const answer = await ask(gateway.url + path, { method: "HEAD" });
      expect(answer.status).toBe(200);
      expect(answer.body.length).toBe(0);
    }
    expect(upstream.requests).toEqual([]);
  });
});
