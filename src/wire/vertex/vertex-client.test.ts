import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { ANSWER, answerEvents, canonicalRequest, eventStream, FULL_REQUEST } from "../cloud/testing/messages.ts";
import type { ClientCall, ClientRequest } from "../codec.ts";
import { vertexClient } from "./vertex-client.ts";
import { vertexTarget } from "./vertex-target.ts";

const MODEL = "claude-haiku-4-5@20251001";
const CONTEXT = { requestId: "req_1", modelAsked: MODEL, createdAtMs: 0 };

function decode(body: object | string, options: Partial<ClientRequest> = {}): ClientCall {
  return vertexClient.decode({
    operation: "messages",
    body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)),
    pathModel: MODEL,
    pathStream: false,
    maxDepth: 100,
    ...options,
  });
}

describe("vertexClient.decode", () => {
  it("puts the path's model and stream in, takes the envelope out, and keeps every other byte", () => {
    const call = decode(
      '{"anthropic_version":"vertex-2023-10-16", "max_tokens": 1.0e1 ,"messages":[ ],"stream":true}',
      {
        pathStream: true,
      },
    );

    expect(call.canonical.toString()).toBe(`{"stream":true,"model":"${MODEL}","max_tokens": 1.0e1 ,"messages":[ ]}`);
    expect(call.warnings).toEqual([]);
  });

  it("gives a request with everything that the Messages API knows", () => {
    const { model: _model, ...rest } = FULL_REQUEST;
    const call = decode({ ...rest, anthropic_version: "vertex-2023-10-16" }, { pathStream: true });

    expect(JSON.parse(call.canonical.toString())).toEqual({ model: MODEL, ...rest });
  });

  it("takes the betas of the body, which some clients put there", () => {
    expect(decode({ anthropic_beta: ["a"], messages: [] }).betas).toEqual(["a"]);
  });

  it("refuses a path without a model", () => {
    expect(() => decode({}, { pathModel: null })).toThrow(WeirError);
  });

  it("takes the model of a token count from the body, and out of it what counting does not take", () => {
    const body = { anthropic_version: "vertex-2023-10-16", model: MODEL, messages: [], max_tokens: 1, stream: false };

    const call = decode(body, { operation: "count_tokens", pathModel: "count-tokens", pathStream: false });

    expect(JSON.parse(call.canonical.toString())).toEqual({ model: MODEL, messages: [] });
    const answer = Buffer.from('{"input_tokens":9}');
    expect(call.encodeAnswer(answer, CONTEXT)).toBe(answer);
  });

  it("is undone by the target's encode, for any body that both can express", () => {
    const body = fc.record(
      {
        max_tokens: fc.nat(),
        messages: fc.array(fc.record({ role: fc.constant("user"), content: fc.string() })),
        a_new_field: fc.jsonValue(),
      },
      { requiredKeys: ["max_tokens", "messages"] },
    );
    fc.assert(
      fc.property(body, fc.boolean(), (body, pathStream) => {
        const stream = pathStream ? { stream: true } : {};
        const sent = JSON.parse(
          JSON.stringify({ anthropic_version: "vertex-2023-10-16", ...body, ...stream }),
        ) as object;
        const call = decode(sent, { pathStream });
        const request = canonicalRequest(call.canonical.toString(), { betas: call.betas });
        expect(JSON.parse(vertexTarget.encode(request).body.toString())).toEqual(sent);
      }),
    );
  });
});

describe("vertexClient on errors", () => {
  it("says Weir's own in the envelope that these clients read, with Google's status", () => {
    const error = new WeirError("weir:limit:requests", "Too many.", { retryAfterSeconds: 3 });

    const { status, body, headers } = vertexClient.encodeError(error, "req_9");

    expect(status).toBe(429);
    expect(headers).toEqual({ "retry-after": "3" });
    expect(JSON.parse(body)).toMatchObject({
      type: "error",
      error: {
        type: "rate_limit_error",
        message: "Too many.",
        code: "weir:limit:requests",
        status: "RESOURCE_EXHAUSTED",
      },
      request_id: "req_9",
    });
  });

  it("passes an upstream's error on word for word, with all that its envelope holds", () => {
    const envelope = '{"type":"error","error":{"type":"invalid_request_error","message":"m","x":1},"request_id":"up"}';

    const { status, body } = decode({}).encodeUpstreamError(400, Buffer.from(envelope), CONTEXT);

    expect(status).toBe(400);
    expect(JSON.parse(body)).toEqual({
      type: "error",
      error: { type: "invalid_request_error", message: "m", x: 1, status: "INVALID_ARGUMENT" },
      request_id: "up",
    });
  });
});

describe("vertexClient on streams", () => {
  it("passes canonical events on as they are, and keeps a silent stream alive with a ping", () => {
    const encoder = decode({}).streamEncoder(CONTEXT);
    const chunk = Buffer.from("any bytes");

    expect(encoder.contentType).toBe("text/event-stream; charset=utf-8");
    expect(encoder.push(chunk)).toBe(chunk);
    expect(encoder.ping().toString()).toBe('event: ping\ndata: {"type":"ping"}\n\n');
  });
});

type SdkOptions = NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>;

/** Google's credentials without Google: no file, no metadata server. The SDK reads these two members alone. */
const NO_AUTH = { projectId: "p", getRequestHeaders: () => Promise.resolve(new Headers()) } as unknown as NonNullable<
  SdkOptions["authClient"]
>;

/** Answers the SDK's requests through the codec, as the gateway would. */
function sdk(answer: (call: ClientCall, canonical: Record<string, unknown>) => Response): AnthropicVertex {
  return new AnthropicVertex({
    authClient: NO_AUTH,
    projectId: "p",
    region: "us-east5",
    baseURL: "http://vertex.invalid/v1",
    maxRetries: 0,
    fetch: (url, init) => {
      const path = /\/models\/([^/:]+):(\w+)$/.exec(
        decodeURIComponent(new URL(url instanceof Request ? url.url : url).pathname),
      );
      const counts = path?.[1] === "count-tokens";
      const call = decode(typeof init?.body === "string" ? init.body : "", {
        operation: counts ? "count_tokens" : "messages",
        pathModel: path?.[1] ?? null,
        pathStream: path?.[2] === "streamRawPredict",
      });
      return Promise.resolve(answer(call, JSON.parse(call.canonical.toString()) as Record<string, unknown>));
    },
  });
}

describe("Anthropic's SDK for Vertex", () => {
  const params = { model: MODEL, max_tokens: 10, messages: [{ role: "user" as const, content: "hi" }] };

  it("sends what is decoded to the request that was made", async () => {
    let seen: unknown;
    const client = sdk((call, canonical) => {
      seen = canonical;
      return Response.json(JSON.parse(call.encodeAnswer(Buffer.from(JSON.stringify(ANSWER)), CONTEXT).toString()));
    });

    expect(await client.messages.create(params)).toMatchObject(ANSWER);
    expect(seen).toEqual(params);
  });

  it("counts tokens", async () => {
    const client = sdk((call, canonical) => {
      expect(canonical).toEqual({ model: MODEL, messages: params.messages });
      return Response.json(JSON.parse(call.encodeAnswer(Buffer.from('{"input_tokens":5}'), CONTEXT).toString()));
    });

    expect(await client.messages.countTokens({ model: MODEL, messages: params.messages })).toEqual({ input_tokens: 5 });
  });

  it("reads the stream", async () => {
    const client = sdk((call, canonical) => {
      expect(canonical["stream"]).toBe(true);
      const encoder = call.streamEncoder(CONTEXT);
      const stream = encoder.push(eventStream(answerEvents()));
      return new Response(new Uint8Array(stream), { headers: { "content-type": encoder.contentType } });
    });

    const events: { type: string }[] = [];
    for await (const event of await client.messages.create({ ...params, stream: true })) events.push(event);

    const unknownToTheSdk = "content_block_annotation";
    const expected = answerEvents().filter(({ type }) => type !== "ping" && type !== unknownToTheSdk);
    expect(events.filter(({ type }) => type !== unknownToTheSdk)).toEqual(expected);
  });

  it("throws Weir's own error with its type and its words", async () => {
    const { status, body, headers } = vertexClient.encodeError(new WeirError("weir:limit:tokens", "Slow down"), "r");
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
