/** The stand-in of Amazon Bedrock, asked by Anthropic's own SDK for it and by requests that are wrong in one place each. */
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../../src/core/clock.ts";
import { TEST_AWS_KEYS, TEST_AWS_REGION, type AwsKeys } from "./aws-auth.ts";
import { BedrockCloud, type BedrockOptions } from "./bedrock-cloud.ts";
import type { CloudServer } from "./cloud-server.ts";
import { BASH_TOOL, hello, rejectionOf, startCloud } from "./testing.ts";

const ID = "eu.anthropic.claude-sonnet-5-5-v1:0";
const BEARER = "bedrock-api-key-stand-in";
const VALID = {
  anthropic_version: "bedrock-2023-05-31",
  max_tokens: 500,
  messages: [{ role: "user", content: "Say hello." }],
};

const start = (options: BedrockOptions = {}): Promise<CloudServer<BedrockCloud>> =>
  startCloud(new BedrockCloud({ bearers: [BEARER], ...options }));

function client(server: CloudServer, keys: AwsKeys = TEST_AWS_KEYS, region = TEST_AWS_REGION): AnthropicBedrock {
  return new AnthropicBedrock({
    baseURL: server.url,
    apiKey: null,
    awsAccessKey: keys.accessKeyId,
    awsSecretKey: keys.secretAccessKey,
    ...(keys.sessionToken === undefined ? {} : { awsSessionToken: keys.sessionToken }),
    awsRegion: region,
    maxRetries: 0,
  });
}

interface PostOptions {
  readonly path?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request by bearer token, right in everything that the options do not say. */
function post(server: CloudServer, { path, body = VALID, headers = {} }: PostOptions = {}): Promise<Response> {
  return fetch(server.url + (path ?? `/model/${encodeURIComponent(ID)}/invoke`), {
    method: "POST",
    body: typeof body === "string" ? body : JSON.stringify(body),
    headers: { authorization: `Bearer ${BEARER}`, "content-type": "application/json", ...headers },
  });
}

async function messageOf(response: Response): Promise<string> {
  const body = (await response.json()) as { message: string }; // the form of AWS's errors
  return body.message;
}

describe("the Bedrock stand-in, asked by the official SDK", () => {
  it("answers a signed request and finds nothing wrong with it", async () => {
    const server = await start();
    const message = await client(server).messages.create({ ...hello(), model: ID });
    expect(message.content[0]?.type).toBe("text");
    expect(message.usage.output_tokens).toBeGreaterThan(0);
    expect(server.problems).toEqual([]);
    expect(server.charges).toMatchObject([
      { model: ID, outcome: "whole", usage: { output_tokens: message.usage.output_tokens } },
    ]);
  });

  it("streams the same answer in event stream frames, metrics in the last", async () => {
    const server = await start();
    const whole = await client(server).messages.create({ ...hello(), model: ID });
    const streamed = await client(server)
      .messages.stream({ ...hello(), model: ID })
      .finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(streamed.stop_reason).toBe("end_turn");
    const last = (await frames(server)).at(-1);
    expect(last).toMatchObject({
      type: "message_stop",
      "amazon-bedrock-invocationMetrics": { outputTokenCount: streamed.usage.output_tokens },
    });
    expect(server.problems).toEqual([]);
  });

  it("streams thinking with its signature, and a tool call whose result it takes", async () => {
    const server = await start();
    const question = {
      ...hello("Run `echo hi`."),
      model: ID,
      max_tokens: 4_000,
      tools: [BASH_TOOL],
      thinking: { type: "enabled" as const, budget_tokens: 1_024 },
    };
    const first = await client(server).messages.stream(question).finalMessage();
    expect(first.content.map((block) => block.type)).toContain("thinking");
    const use = first.content.find((block) => block.type === "tool_use");
    expect(use?.input).toMatchObject({ command: "echo hi" });
    const second = await client(server).messages.create({
      ...question,
      messages: [
        ...question.messages,
        { role: "assistant", content: first.content },
        { role: "user", content: [{ type: "tool_result", tool_use_id: use?.id ?? "", content: "hi" }] },
      ],
    });
    expect(second.stop_reason).toBe("end_turn");
    expect(server.problems).toEqual([]);
  });

  it("takes temporary keys with their session token, and ARNs whose slashes are escaped", async () => {
    const keys = { ...TEST_AWS_KEYS, sessionToken: "session/token+==" };
    const server = await start({ keys: [keys], profiles: { abc123: ID } });
    const arn = server.dialect.profileArn("abc123");
    const message = await client(server, keys).messages.create({ ...hello(), model: arn });
    expect(message.role).toBe("assistant");
    expect(server.requests[0]?.path).toContain("application-inference-profile%2Fabc123");
    expect(server.problems).toEqual([]);
  });

  it.each([
    ["another secret", { ...TEST_AWS_KEYS, secretAccessKey: "wrong" }, TEST_AWS_REGION, "the signature does not match"],
    [
      "an unknown key",
      { ...TEST_AWS_KEYS, accessKeyId: "AKIDNOBODY" },
      TEST_AWS_REGION,
      "unknown access key AKIDNOBODY",
    ],
    ["another region", TEST_AWS_KEYS, "us-east-1", "the scope is"],
    [
      "an unexpected session token",
      { ...TEST_AWS_KEYS, sessionToken: "x" },
      TEST_AWS_REGION,
      "an unexpected session token",
    ],
  ])("refuses a signature with %s", async (_, keys, region, reason) => {
    const server = await start();
    const error = await rejectionOf(client(server, keys, region).messages.create({ ...hello(), model: ID }));
    expect(error.status).toBe(403);
    expect(server.problems.join()).toContain(reason);
    expect(server.charges).toEqual([]);
  });

  it("refuses a signature that is older than five minutes", async () => {
    const clock = new ManualClock(Date.now() + 6 * 60_000);
    const server = await start({ clock });
    const error = await rejectionOf(client(server).messages.create({ ...hello(), model: ID }));
    expect(error.status).toBe(403);
    expect(server.problems.join()).toContain("not within five minutes");
  });

  it("says that a session is over without calling that the gateway's mistake", async () => {
    const server = await start();
    server.dialect.gate.expire(TEST_AWS_KEYS.accessKeyId);
    const error = await rejectionOf(client(server).messages.create({ ...hello(), model: ID }));
    expect(error.message).toContain("expired");
    expect(server.problems).toEqual([]);
  });

  it("gives the SDK the in-band exception as an error", async () => {
    const server = await start();
    server.nextFault({ kind: "error_event", afterEvents: 3, status: 429, message: "Too many tokens" });
    const error = await rejectionOf(
      client(server)
        .messages.stream({ ...hello(), model: ID })
        .finalMessage(),
    );
    expect(error.message).toContain("throttlingException");
    expect(error.message).toContain("Too many tokens");
  });

  it("gives the SDK a frame whose checksum is wrong, which it refuses", async () => {
    const server = await start();
    server.nextFault({ kind: "damage", atEvent: 2 });
    const error = await rejectionOf(
      client(server)
        .messages.stream({ ...hello(), model: ID })
        .finalMessage(),
    );
    expect(error.message).toMatch(/checksum/i);
  });
});

describe("the Bedrock stand-in, asked wrongly", () => {
  it.each<[string, PostOptions, string]>([
    ["a model in the body", { body: { ...VALID, model: ID } }, "model: Extra inputs are not permitted"],
    ["a stream flag in the body", { body: { ...VALID, stream: true } }, "stream: Extra inputs are not permitted"],
    ["a first-party member", { body: { ...VALID, inference_geo: "us" } }, "inference_geo: Extra inputs"],
    ["a member without its beta", { body: { ...VALID, context_management: {} } }, "context_management: Extra inputs"],
    [
      "a beta that it does not know",
      { body: { ...VALID, anthropic_beta: ["files-api-2025-04-14"] } },
      "invalid beta flag",
    ],
    [
      "a beta twice",
      { body: { ...VALID, anthropic_beta: ["effort-2025-11-24", "effort-2025-11-24"] } },
      "is there twice",
    ],
    ["no version", { body: { ...VALID, anthropic_version: undefined } }, "required key [anthropic_version] not found"],
    ["another version", { body: { ...VALID, anthropic_version: "2023-06-01" } }, "bedrock-2023-05-31"],
    ["another content type", { headers: { "content-type": "text/plain" } }, "the content-type is text/plain"],
    ["an accept that is not served", { headers: { accept: "text/event-stream" } }, "The provided accept"],
    ["broken JSON", { body: '{"max_tokens":1,' }, "the body is no JSON"],
    ["a member twice", { body: `{"max_tokens":1,${JSON.stringify(VALID).slice(1)}` }, "the member max_tokens twice"],
    [
      "a guardrail without version",
      { headers: { "x-amzn-bedrock-guardrailidentifier": "gr1" } },
      "without a guardrail version",
    ],
    [
      "a guardrail version alone",
      { headers: { "x-amzn-bedrock-guardrailversion": "1" } },
      "without a guardrail identifier",
    ],
    [
      "a cache scope",
      {
        body: {
          ...VALID,
          system: [{ type: "text", text: "x", cache_control: { type: "ephemeral", scope: "global" } }],
        },
      },
      "cache_control.ephemeral.scope",
    ],
    [
      "a tool loaded later",
      { body: { ...VALID, tools: [{ ...BASH_TOOL, defer_loading: true }] } },
      "tools.0.custom.defer_loading",
    ],
    ["no such operation", { path: `/model/${ID}/converse` }, "no such operation"],
    ["another credential", { headers: { authorization: "Bearer nobody" } }, "unknown bearer token"],
    ["two credentials", { headers: { "x-api-key": "sk-ant" } }, "several credentials"],
    ["a key of Weir", { headers: { "x-client": "wr-dev-0123456789abcdef" } }, "a Weir key came through"],
  ])("notes %s", async (_, options, reason) => {
    const server = await start();
    const response = await post(server, options);
    await response.arrayBuffer();
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it("answers AWS's errors: the exception's name with a namespace in a header, the message in the body", async () => {
    const server = await start();
    const response = await post(server, { body: { ...VALID, model: ID } });
    expect(response.status).toBe(400);
    expect(response.headers.get("x-amzn-errortype")).toMatch(/^ValidationException:http/);
    expect(await messageOf(response)).toBe("model: Extra inputs are not permitted");
  });

  it("takes a member that nobody knows for the caller's mistake", async () => {
    const server = await start();
    const response = await post(server, { body: { ...VALID, foo: 1 } });
    expect(await messageOf(response)).toBe("foo: Extra inputs are not permitted");
    expect(server.problems).toEqual([]);
    expect(server.refusals).toHaveLength(1);
  });

  it("takes a model id that nobody knows for the caller's mistake, and names it as AWS does", async () => {
    const server = await start();
    const response = await post(server, { path: "/model/anthropic.claude-nothing-v1%3A0/invoke" });
    expect(await messageOf(response)).toBe("The provided model identifier is invalid.");
    expect(server.problems).toEqual([]);
  });
});

describe("the Bedrock stand-in's other operations", () => {
  it("echoes a guardrail in headers and answer, streamed or not", async () => {
    const server = await start();
    const headers = {
      "x-amzn-bedrock-guardrailidentifier": "gr4b2c1d9e0f",
      "x-amzn-bedrock-guardrailversion": "3",
      "x-amzn-bedrock-trace": "ENABLED",
    };
    const response = await post(server, { headers });
    expect(response.headers.get("x-amzn-bedrock-guardrailidentifier")).toBe("gr4b2c1d9e0f");
    expect(await response.json()).toMatchObject({
      "amazon-bedrock-guardrailAction": "NONE",
      "amazon-bedrock-trace": {},
    });
    expect((await frames(server, headers)).at(-1)).toMatchObject({ "amazon-bedrock-guardrailAction": "NONE" });
    expect(server.problems).toEqual([]);
  });

  it("counts the tokens of a body in base64, for a foundation model's own id alone", async () => {
    const server = await start();
    const body = { input: { invokeModel: { body: Buffer.from(JSON.stringify(VALID)).toString("base64") } } };
    const bare = await post(server, { path: "/model/anthropic.claude-sonnet-5-5-v1:0/count-tokens", body });
    expect(await bare.json()).toEqual({ inputTokens: expect.any(Number) });
    const profile = await post(server, { path: `/model/${ID}/count-tokens`, body });
    expect(await messageOf(profile)).toContain("doesn't support counting tokens");
    expect(server.charges).toEqual([]);
    expect(server.problems).toEqual([]);
  });

  it("lists inference profiles", async () => {
    const server = await start({ profiles: { abc123: ID } });
    const ask = (type: string): Promise<Response> =>
      fetch(`${server.url}/inference-profiles?type=${type}`, { headers: { authorization: `Bearer ${BEARER}` } });
    expect(await (await ask("SYSTEM_DEFINED")).json()).toMatchObject({
      inferenceProfileSummaries: [{ inferenceProfileId: ID, status: "ACTIVE", type: "SYSTEM_DEFINED" }],
    });
    expect(await (await ask("APPLICATION")).json()).toMatchObject({
      inferenceProfileSummaries: [{ inferenceProfileArn: server.dialect.profileArn("abc123") }],
    });
  });
});

/** The decoded payloads of a streamed answer. */
async function frames(server: CloudServer, headers: Readonly<Record<string, string>> = {}): Promise<unknown[]> {
  const path = `/model/${encodeURIComponent(ID)}/invoke-with-response-stream`;
  const response = await post(server, { path, headers });
  expect(response.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
  const codec = new EventStreamCodec(
    (bytes) => (typeof bytes === "string" ? bytes : new TextDecoder().decode(bytes)),
    (text) => Buffer.from(text),
  );
  let rest = Buffer.from(await response.arrayBuffer());
  const chunks: unknown[] = [];
  while (rest.length > 0) {
    const length = rest.readUInt32BE(0);
    // Verifies both checksums.
    const { body } = codec.decode(rest.subarray(0, length));
    const { bytes } = JSON.parse(Buffer.from(body).toString("utf8")) as { bytes: string }; // a chunk's payload
    chunks.push(JSON.parse(Buffer.from(bytes, "base64").toString("utf8")));
    rest = rest.subarray(length);
  }
  return chunks;
}
