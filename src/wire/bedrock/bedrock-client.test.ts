import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { ANSWER, answerEvents, canonicalRequest, eventStream, FULL_REQUEST } from "../cloud/testing/messages.ts";
import type { ClientCall, ClientRequest } from "../codec.ts";
import { bedrockClient } from "./bedrock-client.ts";
import { bedrockTarget } from "./bedrock-target.ts";
import { awsFrames } from "./testing/bedrock-stream.ts";

const MODEL = "us.anthropic.claude-opus-5-5";
const CONTEXT = { requestId: "req_1", modelAsked: MODEL, createdAtMs: 0 };

function decode(body: object | string | Buffer, options: Partial<ClientRequest> = {}): ClientCall {
  return bedrockClient.decode({
    operation: "messages",
    body: Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    pathModel: MODEL,
    pathStream: false,
    maxDepth: 100,
    ...options,
  });
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

const { model: _model, stream: _stream, ...FULL_BODY } = FULL_REQUEST;

describe("bedrockClient.decode", () => {
  it("puts the path's model and stream in, takes the envelope out, and keeps every other byte", () => {
    const call = decode(
      '{ "anthropic_version" : "bedrock-2023-05-31", "max_tokens": 1.0e1 ,"messages":[ ] , "anthropic_beta": ["a"], "é":"\\u0041" }',
      { pathStream: true },
    );

    expect(call.canonical.toString()).toBe(
      `{"stream":true,"model":"${MODEL}", "max_tokens": 1.0e1 ,"messages":[ ], "é":"\\u0041" }`,
    );
    expect(call.betas).toEqual(["a"]);
    expect(call.warnings).toEqual([]);
  });

  it("gives a request with everything that the Messages API knows", () => {
    const body = { ...FULL_BODY, anthropic_version: "bedrock-2023-05-31", anthropic_beta: ["context-1m-2025-08-07"] };

    expect(JSON.parse(decode(body).canonical.toString())).toEqual({ model: MODEL, ...FULL_BODY });
  });

  it("takes an ARN as the model", () => {
    const pathModel = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2";

    expect(JSON.parse(decode({ messages: [] }, { pathModel }).canonical.toString())).toMatchObject({
      model: pathModel,
    });
  });

  it("goes by the path where the body says otherwise, and says so", () => {
    const call = decode({ model: "other", stream: true, messages: [] });

    expect(JSON.parse(call.canonical.toString())).toEqual({ model: MODEL, messages: [] });
    expect(call.warnings.map(({ field }) => field)).toEqual(["stream", "model"]);
  });

  it("keeps a guardrail's configuration, so that no other upstream can lose it unseen", () => {
    const config = { "amazon-bedrock-guardrailConfig": { tagSuffix: "audit" }, messages: [] };

    expect(JSON.parse(decode(config).canonical.toString())).toMatchObject(config);
  });

  it.each([
    ["no JSON", "{", "weir:request:malformed_json"],
    ["no object", "[]", "weir:request:malformed_json"],
    ["a repeated key", '{"messages":[],"messages":[]}', "weir:request:invalid_field"],
    ["a repeated envelope", '{"anthropic_beta":[],"anthropic_beta":["x"]}', "weir:request:invalid_field"],
    ["a version of another type", '{"anthropic_version":1}', "weir:request:invalid_field"],
    ["betas that are no list", '{"anthropic_beta":"a"}', "weir:request:invalid_field"],
    ["a beta that is no text", '{"anthropic_beta":[1]}', "weir:request:invalid_field"],
    ["a beta that would add another header value", '{"anthropic_beta":["a,b"]}', "weir:request:invalid_field"],
    ["a beta that would add a header", '{"anthropic_beta":["a\\r\\nx: y"]}', "weir:request:invalid_field"],
    ["too much nesting", `{"messages":${"[".repeat(200)}${"]".repeat(200)}}`, "weir:request:invalid_field"],
  ])("refuses %s", (_name, body, code) => {
    expect(refusalOf(() => decode(body)).code).toBe(code);
  });

  it("refuses bytes that are no UTF-8, and a path without a model", () => {
    expect(refusalOf(() => decode(Buffer.of(123, 34, 255, 34, 58, 49, 125))).code).toBe("weir:request:bad_encoding");
    expect(refusalOf(() => decode({}, { pathModel: null })).code).toBe("weir:request:invalid_field");
  });

  it("is undone by the target's encode, for any body that both can express", () => {
    const body = fc.record(
      {
        max_tokens: fc.nat(),
        messages: fc.array(fc.record({ role: fc.constant("user"), content: fc.string() })),
        temperature: fc.double({ min: 0, max: 1, noNaN: true }),
        metadata: fc.record({ user_id: fc.string() }),
        a_new_field: fc.jsonValue(),
      },
      { requiredKeys: ["max_tokens", "messages"] },
    );
    const betas = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}-2027-01-01$/), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(body, betas, fc.boolean(), (body, anthropic_beta, pathStream) => {
        const sent = JSON.parse(
          JSON.stringify({ anthropic_beta, anthropic_version: "bedrock-2023-05-31", ...body }),
        ) as object;
        const call = decode(sent, { pathStream });
        const request = canonicalRequest(call.canonical.toString(), { betas: call.betas });
        expect(request.scan.stream).toBe(pathStream);
        expect(JSON.parse(bedrockTarget.encode(request).body.toString())).toEqual(sent);
      }),
    );
  });
});

describe("bedrockClient on token counts", () => {
  const count = (input: unknown): ClientCall => decode({ input }, { operation: "count_tokens", pathStream: null });
  const inner = (body: object): string => Buffer.from(JSON.stringify(body)).toString("base64");

  it("takes the InvokeModel body out of its wrapping, and out of it what counting does not take", () => {
    const body = {
      anthropic_version: "bedrock-2023-05-31",
      max_tokens: 1,
      anthropic_beta: ["b"],
      messages: [],
      tools: [],
    };

    const call = count({ invokeModel: { body: inner(body) } });

    expect(JSON.parse(call.canonical.toString())).toEqual({ model: MODEL, messages: [], tools: [] });
    expect(call.betas).toEqual(["b"]);
  });

  it("answers in Bedrock's words", () => {
    const call = count({ invokeModel: { body: inner({ messages: [] }) } });

    expect(call.encodeAnswer(Buffer.from('{"input_tokens":77}'), CONTEXT).toString()).toBe('{"inputTokens":77}');
    expect(refusalOf(() => call.encodeAnswer(Buffer.from("{}"), CONTEXT)).code).toBe("weir:upstream:bad_answer");
  });

  it.each([
    [{ converse: { messages: [] } }, "weir:request:unsupported_feature", /^input\.converse/],
    [undefined, "weir:request:invalid_field", /^input must/],
    [{}, "weir:request:invalid_field", /^input\.invokeModel\.body/],
    [{ invokeModel: { body: 5 } }, "weir:request:invalid_field", /^input\.invokeModel\.body/],
    [{ invokeModel: { body: "####" } }, "weir:request:malformed_json", /not valid JSON/],
  ])("refuses %j by name", (input, code, message) => {
    const refusal = refusalOf(() => count(input));

    expect(refusal.code).toBe(code);
    expect(refusal.message).toMatch(message);
  });
});

describe("bedrockClient on errors", () => {
  it("says Weir's own in the AWS shape, with its code beside", () => {
    const error = new WeirError("weir:budget:exceeded", "The budget is spent.", { retryAfterSeconds: 60 });

    const { status, body, headers } = bedrockClient.encodeError(error, "req_9");

    expect(status).toBe(429);
    expect(JSON.parse(body)).toMatchObject({
      message: "The budget is spent.",
      code: "weir:budget:exceeded",
      type: "error",
      error: { type: "billing_error", message: "The budget is spent.", code: "weir:budget:exceeded" },
      request_id: "req_9",
    });
    expect(headers).toEqual({
      "retry-after": "60",
      "x-should-retry": "false",
      "x-amzn-errortype": "ServiceQuotaExceededException",
      "x-amzn-requestid": "req_9",
    });
  });

  it.each([
    ["weir:request:invalid_field", 400, "ValidationException"],
    // Not one of those that make clients sign in again.
    ["weir:auth:unknown_key", 401, "AccessDeniedException"],
    ["weir:access:model", 403, "AccessDeniedException"],
    ["weir:model:unknown", 404, "ResourceNotFoundException"],
    ["weir:limit:requests", 429, "ThrottlingException"],
    ["weir:upstream:failed", 502, "InternalServerException"],
    ["weir:upstream:timeout", 504, "ModelTimeoutException"],
    ["weir:server:overloaded", 503, "ServiceUnavailableException"],
  ] as const)("gives %s the status %i and the name %s", (code, status, exception) => {
    const encoded = bedrockClient.encodeError(new WeirError(code, "m"), "r");

    expect(encoded.status).toBe(status);
    expect(encoded.headers["x-amzn-errortype"]).toBe(exception);
  });

  it("passes an upstream's error on word for word, with all that its envelope holds", () => {
    const envelope = '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded","details":{"x":1}}}';

    const { status, body, headers } = decode({}).encodeUpstreamError(529, Buffer.from(envelope), CONTEXT);

    expect(status).toBe(503);
    expect(JSON.parse(body)).toEqual({
      message: "Overloaded",
      request_id: "req_1",
      ...(JSON.parse(envelope) as object),
    });
    expect(headers).toEqual({ "x-amzn-errortype": "ServiceUnavailableException", "x-amzn-requestid": "req_1" });
  });

  it("makes do with an error that is no envelope", () => {
    const { body } = decode({}).encodeUpstreamError(500, Buffer.from("oops"), CONTEXT);

    expect(JSON.parse(body)).toMatchObject({ message: "oops", error: { type: "api_error", message: "oops" } });
  });
});

/** Answers the SDK's requests through the codec, as the gateway would. */
function sdk(answer: (call: ClientCall, canonical: Record<string, unknown>) => Response): AnthropicBedrock {
  return new AnthropicBedrock({
    skipAuth: true,
    awsRegion: "us-east-1",
    baseURL: "http://bedrock.invalid",
    maxRetries: 0,
    fetch: (url, init) => {
      const path = /\/model\/([^/]+)\/(invoke.*)$/.exec(new URL(url instanceof Request ? url.url : url).pathname);
      const call = decode(typeof init?.body === "string" ? init.body : "", {
        pathModel: decodeURIComponent(path?.[1] ?? ""),
        pathStream: path?.[2] === "invoke-with-response-stream",
      });
      return Promise.resolve(answer(call, JSON.parse(call.canonical.toString()) as Record<string, unknown>));
    },
  });
}

describe("Anthropic's SDK for Bedrock", () => {
  const params = { model: MODEL, max_tokens: 10, messages: [{ role: "user" as const, content: "hi" }] };

  it("sends what is decoded to the request that was made", async () => {
    let seen: unknown;
    const client = sdk((call, canonical) => {
      seen = canonical;
      return new Response(new Uint8Array(call.encodeAnswer(Buffer.from(JSON.stringify(ANSWER)), CONTEXT)), {
        headers: { "content-type": "application/json" },
      });
    });

    const message = await client.messages.create(params);

    expect(seen).toEqual(params);
    expect(message).toMatchObject(ANSWER);
  });

  it("reads the stream: thinking with its signature, and tools with their input", async () => {
    const client = sdk((call, canonical) => {
      expect(canonical["stream"]).toBe(true);
      const encoder = call.streamEncoder(CONTEXT);
      const stream = encoder.push(eventStream(answerEvents()));
      return new Response(new Uint8Array(stream), { headers: { "content-type": encoder.contentType } });
    });

    const events: { type: string }[] = [];
    for await (const event of await client.messages.create({ ...params, stream: true })) events.push(event);

    expect(events).toEqual(answerEvents().filter(({ type }) => type !== "ping"));
  });

  it("throws the error of a stream, with its words", async () => {
    const client = sdk((call) => {
      const encoder = call.streamEncoder(CONTEXT);
      const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded, sorry" } };
      const stream = encoder.push(eventStream([...answerEvents().slice(0, 4), error]));
      expect(awsFrames(stream).at(-1)?.headers).toMatchObject({ ":exception-type": "serviceUnavailableException" });
      return new Response(new Uint8Array(stream), { headers: { "content-type": encoder.contentType } });
    });

    const read = async (): Promise<void> => {
      for await (const event of await client.messages.create({ ...params, stream: true })) void event;
    };

    await expect(read()).rejects.toThrow(/Overloaded, sorry/);
  });

  it("throws Weir's own error with its type and its words", async () => {
    const { status, body, headers } = bedrockClient.encodeError(
      new WeirError("weir:limit:tokens", "Slow down"),
      "req_3",
    );
    const client = sdk(
      () => new Response(body, { status, headers: { "content-type": "application/json", ...headers } }),
    );

    await expect(client.messages.create(params)).rejects.toMatchObject({
      status: 429,
      type: "rate_limit_error",
      message: expect.stringContaining("Slow down") as string,
    });
  });
});
