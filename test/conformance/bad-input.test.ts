/** Bad input: a precise error in the provider's form, nothing reaches the upstream, nothing breaks. */
import { request as httpRequest } from "node:http";
import { brotliCompressSync, constants, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { startTestGateway, type TestGateway } from "../harness/gateway.ts";
import { ask, jsonOf, type HttpAnswer } from "../harness/http-answer.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";

const MAX_BYTES = 64 * 1024;

let upstream: FakeUpstream;
let gateway: TestGateway;

beforeAll(async () => {
  upstream = await FakeUpstream.start();
  gateway = await startTestGateway({
    upstreams: [{ baseUrl: upstream.url }],
    snapshot: { maxRequestBytes: MAX_BYTES, maxDecompressedBytes: MAX_BYTES, maxJsonDepth: 32 },
  });
});
afterEach(async () => {
  // Whatever was sent, the gateway still serves, and nothing of it went further.
  const reached = upstream.requests.length;
  const answer = await post(JSON.stringify(messageBody()));
  upstream.reset();
  expect({ reached, status: answer.status }).toEqual({ reached: 0, status: 200 });
});
afterAll(async () => {
  await gateway.stop();
  await upstream.stop();
});

async function post(body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Promise<HttpAnswer> {
  return await ask(`${gateway.url}/v1/messages`, { headers: messageHeaders(gateway.key, headers), body });
}

function expectRefusal(answer: HttpAnswer, status: number, type: string, message: RegExp): void {
  expect(jsonOf(answer)).toMatchObject({
    type: "error",
    error: { type, message: expect.stringMatching(message) },
    request_id: answer.headers["request-id"],
  });
  expect(answer.status).toBe(status);
  expect(answer.headers["x-should-retry"]).toBe("false");
}

const rest = '"max_tokens":1,"messages":[]';

describe("a body that is no valid request", () => {
  it.each([
    ["nothing", "", /not valid JSON/],
    ["half a document", '{"model":"claude-sonnet-5-5"', /not valid JSON/],
    ["two documents", `{${rest}}{}`, /not valid JSON/],
    ["a trailing comma", `{"model":"claude-sonnet-5-5",${rest},}`, /not valid JSON/],
    ["a comment", `{/* */"model":"claude-sonnet-5-5",${rest}}`, /not valid JSON/],
    ["a number that JSON does not have", `{"model":"claude-sonnet-5-5",${rest},"a":NaN}`, /not valid JSON/],
    ["a raw control character in a string", `{"model":"claude-sonnet-5-5\u0001",${rest}}`, /not valid JSON/],
    ["a byte order mark", `\ufeff{"model":"claude-sonnet-5-5",${rest}}`, /not valid JSON/],
    ["an array", "[]", /must be a JSON object/],
    ["null", "null", /must be a JSON object/],
    ["a string", '"claude"', /must be a JSON object/],
    ["no model", `{${rest}}`, /model is required/],
    ["an empty model", `{"model":"",${rest}}`, /model is required/],
    ["a model that is a number", `{"model":5,${rest}}`, /model must be a string/],
    ["a model of megabyte length", `{"model":"${"m".repeat(600)}",${rest}}`, /model must be at most 512/],
    ["no max_tokens", '{"model":"claude-sonnet-5-5","messages":[]}', /max_tokens: Field required/],
    ["negative max_tokens", '{"model":"claude-sonnet-5-5","max_tokens":-1,"messages":[]}', /max_tokens must be/],
    ["fractional max_tokens", '{"model":"claude-sonnet-5-5","max_tokens":1.5,"messages":[]}', /max_tokens must be/],
    ["max_tokens as text", '{"model":"claude-sonnet-5-5","max_tokens":"1","messages":[]}', /max_tokens must be/],
    [
      "max_tokens beyond all numbers",
      '{"model":"claude-sonnet-5-5","max_tokens":1e400,"messages":[]}',
      /max_tokens must be/,
    ],
    ["no messages", '{"model":"claude-sonnet-5-5","max_tokens":1}', /messages: Field required/],
    [
      "messages that are no list",
      '{"model":"claude-sonnet-5-5","max_tokens":1,"messages":{}}',
      /messages must be an array/,
    ],
    ["stream that is no boolean", `{"model":"claude-sonnet-5-5","stream":"yes",${rest}}`, /stream must be a boolean/],
    ["the model twice", `{"model":"claude-haiku-5-5","model":"claude-opus-5-5",${rest}}`, /"model" appears twice/],
    ["the model twice, once escaped", `{"model":"a","mod\\u0065l":"claude-opus-5-5",${rest}}`, /"model" appears twice/],
    ["any key twice", `{"model":"claude-opus-5-5",${rest},"x":1,"x":2}`, /"x" appears twice/],
    ["__proto__ as the model's place", `{"__proto__":{"model":"claude-opus-5-5"},${rest}}`, /model is required/],
    [
      "nesting without end",
      `{"model":"claude-sonnet-5-5",${rest},"a":${"[".repeat(40)}${"]".repeat(40)}}`,
      /nested deeper than 32/,
    ],
    ["nesting beyond every stack", `${'{"a":'.repeat(9_000)}1${"}".repeat(9_000)}`, /nested deeper|model is required/],
  ])("(%s) is refused with what is wrong with it", async (_, body, message) => {
    expectRefusal(await post(body), 400, "invalid_request_error", message);
  });

  it.each([
    ["a lone continuation byte", "\x80"],
    ["an overlong slash", "\xc0\xaf"],
    ["half of a surrogate pair", "\xed\xa0\x80"],
    ["a character beyond Unicode", "\xf4\x90\x80\x80"],
    ["a character that breaks off", "\xf0\x9f\x8c"],
    ["Latin-1", "Gr\xfc\xdfe"],
  ])("(%s) is refused as not UTF-8", async (_, bytes) => {
    const body = Buffer.from(`{"model":"claude-sonnet-5-5",${rest},"x":"${bytes}"}`, "latin1");
    expectRefusal(await post(body), 400, "invalid_request_error", /not valid UTF-8/);
  });

  it("never has its text repeated in the answer", async () => {
    const answer = await post('{"model":"claude-sonnet-5-5","secret canary-text');
    expect(answer.status).toBe(400);
    expect(answer.body.toString("utf8")).not.toContain("canary-text");
  });
});

describe("a content type", () => {
  it.each([
    "application/json; charset=utf-16",
    'application/json;charset="UTF-16LE"',
    "application/json; charset=latin1",
  ])("of another charset than UTF-8 is refused (%s)", async (type) => {
    const answer = await post(JSON.stringify(messageBody()), { "content-type": type });
    expectRefusal(answer, 415, "invalid_request_error", /charset of application\/json must be UTF-8/);
  });

  it.each([
    "application/json; charset=utf-8",
    'application/json;charset="UTF-8"',
    "application/json; charset=us-ascii",
  ])("that says UTF-8 is taken (%s)", async (type) => {
    const answer = await post("{broken", { "content-type": type });
    expectRefusal(answer, 400, "invalid_request_error", /not valid JSON/);
  });

  it.each(["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "application/jsonx", "json"])(
    "%s is refused",
    async (type) => {
      const answer = await post(JSON.stringify(messageBody()), { "content-type": type });
      expectRefusal(answer, 415, "invalid_request_error", /application\/json/);
    },
  );
});

describe("a body that is too large", () => {
  it("is refused by its announced length, before any of it is sent", async () => {
    const answer = await new Promise<HttpAnswer>((resolve, reject) => {
      const headers = { ...messageHeaders(gateway.key), "content-length": String(MAX_BYTES + 1) };
      const request = httpRequest(`${gateway.url}/v1/messages`, { method: "POST", headers });
      request.once("error", reject);
      request.once("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          request.on("error", () => {}).destroy();
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: Buffer.concat(chunks), isWhole: response.complete });
        });
      });
      request.flushHeaders();
    });
    expectRefusal(answer, 413, "request_too_large", new RegExp(String(MAX_BYTES)));
  });

  it("is refused while it comes, when it does not announce its length", async () => {
    const body = Buffer.alloc(MAX_BYTES + 1, " ");
    const answer = await post(body, { "transfer-encoding": "chunked" });
    expectRefusal(answer, 413, "request_too_large", new RegExp(String(MAX_BYTES)));
  });

  it("is refused with an answer that a client can read which sends it all the same", async () => {
    // 40 MiB fill every buffer on the way: an answer followed by a reset would be lost.
    const answer = await post(Buffer.alloc(40 * 1024 * 1024, " "));
    expectRefusal(answer, 413, "request_too_large", new RegExp(String(MAX_BYTES)));
  });

  it("is accepted up to the last byte", async () => {
    const text = JSON.stringify(messageBody());
    const answer = await post(text + " ".repeat(MAX_BYTES - text.length));
    expect(answer.status).toBe(200);
    expect(upstream.requests.map((request) => request.body.length)).toEqual([MAX_BYTES]);
    upstream.reset();
  });
});

describe("a compressed body", () => {
  const COMPRESS = {
    gzip: (bytes: Buffer) => gzipSync(bytes, { level: 9 }),
    deflate: (bytes: Buffer) => deflateSync(bytes, { level: 9 }),
    br: (bytes: Buffer) => brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 4 } }),
    zstd: (bytes: Buffer) => zstdCompressSync(bytes),
  } as const;
  const encodings = ["gzip", "deflate", "br", "zstd"] as const;

  it.each(encodings)("that would become 64 MiB (%s) is refused without becoming it", async (encoding) => {
    const bomb = COMPRESS[encoding](Buffer.alloc(64 * 1024 * 1024, " "));
    expect(bomb.length).toBeLessThan(MAX_BYTES + 8_192);
    const before = process.memoryUsage().arrayBuffers;
    const answer = await post(bomb, { "content-encoding": encoding });
    expectRefusal(answer, 413, "request_too_large", /maximum size/);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
  });

  it.each(encodings)("that is none (%s) is refused", async (encoding) => {
    const answer = await post("this is not compressed", { "content-encoding": encoding });
    expectRefusal(answer, 400, "invalid_request_error", new RegExp(`not valid ${encoding}`));
  });

  it.each(encodings)("that breaks off (%s) is refused", async (encoding) => {
    const whole = COMPRESS[encoding](Buffer.from(JSON.stringify(messageBody({ x: "y".repeat(9_000) }))));
    const answer = await post(whole.subarray(0, whole.length - 6), { "content-encoding": encoding });
    expectRefusal(answer, 400, "invalid_request_error", new RegExp(`not valid ${encoding}|not valid JSON`));
  });

  it.each(["gzip, gzip", "compress", "gzip;q=1", "x", ""])(
    "in an encoding that Weir does not take (%j) is refused",
    async (encoding) => {
      const answer = await post(gzipSync(JSON.stringify(messageBody())), { "content-encoding": encoding });
      expect(answer.status).toBe(400);
    },
  );
});

describe("a request for a model that nobody serves", () => {
  it.each(["gpt-x", "claude-unheard-of-9", "../../etc/passwd", "claude-sonnet-5-5\u0000", "🌊"])(
    "(%j) is a 404",
    async (model) => {
      expectRefusal(await post(JSON.stringify(messageBody({ model }))), 404, "not_found_error", /^model: /);
    },
  );
});

describe("a key", () => {
  const asKey = (headers: Record<string, string>): Promise<HttpAnswer> =>
    ask(`${gateway.url}/v1/messages`, {
      headers: { "content-type": "application/json", ...headers },
      body: messageBody(),
    });

  it.each([
    ["none", {}],
    ["an empty one", { "x-api-key": "" }],
    ["a provider's", { "x-api-key": "sk-ant-api03-abc" }],
    ["one that Weir never made", { "x-api-key": `wr-prod-${"A".repeat(43)}` }],
    ["one of absurd length", { "x-api-key": `wr-prod-${"A".repeat(9_000)}` }],
    ["another scheme", { authorization: "Basic d2VpcjpzZWNyZXQ=" }],
    ["a bearer without a token", { authorization: "Bearer" }],
    ["a bearer of two words", { authorization: "Bearer a b" }],
    ["text that would be SQL", { "x-api-key": "' or 1=1 --" }],
  ])("(%s) is refused with 401, not to be tried again", async (_, headers) => {
    expectRefusal(await asKey(headers), 401, "authentication_error", /key|Bearer/);
  });

  it("that has expired says when", async () => {
    const expired = await startTestGateway({
      upstreams: [{ baseUrl: upstream.url }],
      key: { expiresAtMs: 86_400_000 },
    });
    const answer = await ask(`${expired.url}/v1/messages`, {
      headers: messageHeaders(expired.key),
      body: messageBody(),
    });
    await expired.stop();
    expectRefusal(answer, 401, "authentication_error", /expired at 1970-01-02/);
  });

  it("that was revoked says so", async () => {
    const revoked = await startTestGateway({ upstreams: [{ baseUrl: upstream.url }], key: { revokedAtMs: 1 } });
    const answer = await ask(`${revoked.url}/v1/messages`, {
      headers: messageHeaders(revoked.key),
      body: messageBody(),
    });
    await revoked.stop();
    expectRefusal(answer, 401, "authentication_error", /revoked/);
  });

  it("is asked for before the body is read", async () => {
    const answer = await ask(`${gateway.url}/v1/messages`, { headers: { "content-type": "text/plain" }, body: "{" });
    expect(answer.status).toBe(401);
  });
});

describe("a URL or a header that is too long", () => {
  it("is refused with 414 or 431", async () => {
    const long = await ask(`${gateway.url}/v1/messages?${"x".repeat(9_000)}`, {
      headers: messageHeaders(gateway.key),
      body: messageBody(),
    });
    expectRefusal(long, 414, "invalid_request_error", /8192/);
    const large = await post(JSON.stringify(messageBody()), { "anthropic-x": "x".repeat(40_000) });
    expect(large.status).toBe(431);
  });
});
