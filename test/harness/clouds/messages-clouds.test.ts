/** The stand-ins that speak Messages: each asked by Anthropic's own SDK for it, and wrongly. */
import Anthropic from "@anthropic-ai/sdk";
import { AnthropicAws } from "@anthropic-ai/aws-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../../src/core/clock.ts";
import { AnthropicAwsCloud, TEST_WORKSPACE } from "./anthropic-aws-cloud.ts";
import { AnthropicCloud, TEST_ANTHROPIC_KEY } from "./anthropic-cloud.ts";
import { TEST_AWS_KEYS, TEST_AWS_REGION } from "./aws-auth.ts";
import { TEST_AZURE_KEY } from "./azure-auth.ts";
import type { CloudServer } from "./cloud-server.ts";
import { CustomCloud, TEST_CUSTOM_TOKEN } from "./custom-cloud.ts";
import { FoundryCloud } from "./foundry-cloud.ts";
import { BASH_TOOL, hello, MODEL, rejectionOf, startCloud } from "./testing.ts";
import { TEST_GOOGLE_PROJECT, TEST_GOOGLE_REGION, TEST_GOOGLE_TOKEN, VertexCloud } from "./vertex-cloud.ts";

const NO_RETRY = { maxRetries: 0 };

/** A client of Google's sign-in that has its token already. */
function bearerClient(token: string): NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>["authClient"] {
  const getRequestHeaders = (): Promise<Headers> => Promise.resolve(new Headers({ authorization: `Bearer ${token}` }));
  return { getRequestHeaders } as unknown as ReturnType<typeof bearerClient>; // all that the SDK calls of it
}

function vertexClient(server: CloudServer, token = TEST_GOOGLE_TOKEN, project = TEST_GOOGLE_PROJECT): AnthropicVertex {
  return new AnthropicVertex({
    baseURL: `${server.url}/v1`,
    region: TEST_GOOGLE_REGION,
    projectId: project,
    authClient: bearerClient(token),
    ...NO_RETRY,
  });
}

function awsClient(
  server: CloudServer,
  secret = TEST_AWS_KEYS.secretAccessKey,
  workspaceId = TEST_WORKSPACE,
): AnthropicAws {
  return new AnthropicAws({
    baseURL: server.url,
    awsRegion: TEST_AWS_REGION,
    awsAccessKey: TEST_AWS_KEYS.accessKeyId,
    awsSecretAccessKey: secret,
    workspaceId,
    ...NO_RETRY,
  });
}

const foundryClient = (server: CloudServer, apiKey = TEST_AZURE_KEY): AnthropicFoundry =>
  new AnthropicFoundry({ baseURL: `${server.url}/anthropic/`, apiKey, ...NO_RETRY });
const anthropicClient = (server: CloudServer, apiKey = TEST_ANTHROPIC_KEY): Anthropic =>
  new Anthropic({ baseURL: server.url, apiKey, authToken: null, ...NO_RETRY });
const customClient = (server: CloudServer, authToken = TEST_CUSTOM_TOKEN): Anthropic =>
  new Anthropic({ baseURL: server.url, apiKey: null, authToken, ...NO_RETRY });

type Client = Pick<Anthropic, "messages">;
/** Each service with a client of its own that does everything right. */
const SERVICES: readonly [string, () => Promise<CloudServer>, (server: CloudServer) => Client][] = [
  ["anthropic", () => startCloud(new AnthropicCloud()), anthropicClient],
  ["anthropicAws", () => startCloud(new AnthropicAwsCloud()), awsClient],
  ["vertex", () => startCloud(new VertexCloud()), (server) => vertexClient(server) as unknown as Client], // its messages lack batches alone
  ["foundry", () => startCloud(new FoundryCloud()), (server) => foundryClient(server) as unknown as Client], // the same
  ["custom", () => startCloud(new CustomCloud()), customClient],
];

describe.each(SERVICES)("the %s stand-in, asked by the official SDK", (_, start, clientOf) => {
  it("answers, streams the same, and finds nothing wrong", async () => {
    const server = await start();
    const client = clientOf(server);
    const whole = await client.messages.create(hello());
    const streamed = await client.messages.stream(hello()).finalMessage();
    expect(streamed.content).toEqual(whole.content);
    expect(whole.usage.output_tokens).toBeGreaterThan(0);
    expect(server.problems).toEqual([]);
    expect(server.charges.map((charge) => charge.outcome)).toEqual(["whole", "whole"]);
  });

  it("calls a tool, with thinking before it, and takes the result", async () => {
    const server = await start();
    const client = clientOf(server);
    const thinking = { type: "enabled" as const, budget_tokens: 1_024 };
    const question = { ...hello("Run `echo hi`."), tools: [BASH_TOOL], thinking };
    const first = await client.messages.stream(question).finalMessage();
    const use = first.content.find((block) => block.type === "tool_use");
    expect(first.content[0]?.type).toBe("thinking");
    const second = await client.messages.create({
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

  it("counts tokens without a charge", async () => {
    const server = await start();
    const { max_tokens: _unused, ...counted } = hello();
    expect((await clientOf(server).messages.countTokens(counted)).input_tokens).toBeGreaterThan(0);
    expect(server.charges).toEqual([]);
    expect(server.problems).toEqual([]);
  });

  it("says that the prompt is too long in words that clients recognise", async () => {
    const server = await start();
    server.nextFault({ kind: "prompt_too_long" });
    const error = await rejectionOf(clientOf(server).messages.create(hello()));
    expect(error.status).toBe(400);
    expect(error.message).toContain("prompt is too long");
  });

  it("takes an unknown model and a wrong conversation for the caller's mistakes", async () => {
    const server = await start();
    const client = clientOf(server);
    expect((await rejectionOf(client.messages.create({ ...hello(), model: "claude-nothing-9" }))).status).toBe(404);
    const orphan = [{ type: "tool_result" as const, tool_use_id: "toolu_x", content: "x" }];
    const wrong = { ...hello(), messages: [{ role: "user" as const, content: orphan }] };
    expect((await rejectionOf(client.messages.create(wrong))).message).toContain("tool_use_id");
    expect(server.problems).toEqual([]);
    expect(server.refusals).toHaveLength(2);
  });
});

describe("credentials of the stand-ins", () => {
  it.each<[string, () => Promise<CloudServer>, (server: CloudServer) => Client, number, string]>([
    [
      "anthropic",
      () => startCloud(new AnthropicCloud()),
      (server) => anthropicClient(server, "sk-wrong"),
      401,
      "Invalid bearer token",
    ],
    [
      "anthropicAws",
      () => startCloud(new AnthropicAwsCloud()),
      (server) => awsClient(server, "wrong"),
      403,
      "the signature does not match",
    ],
    [
      "foundry",
      () => startCloud(new FoundryCloud()),
      (server) => foundryClient(server, "wrong") as unknown as Client,
      401,
      "the key in x-api-key is unknown",
    ], // its messages lack batches alone
    [
      "vertex",
      () => startCloud(new VertexCloud()),
      (server) => vertexClient(server, "wrong") as unknown as Client,
      401,
      "the bearer token is unknown",
    ], // the same
    [
      "custom",
      () => startCloud(new CustomCloud()),
      (server) => customClient(server, "wrong"),
      401,
      "unknown bearer token",
    ],
  ])("%s refuses a wrong one, with the reason", async (_, ...[start, clientOf, status, reason]) => {
    const server = await start();
    expect((await rejectionOf(clientOf(server).messages.create(hello()))).status).toBe(status);
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
    expect(server.charges).toEqual([]);
  });

  it("anthropicAws needs a known workspace", async () => {
    const server = await startCloud(new AnthropicAwsCloud());
    const client = awsClient(server, TEST_AWS_KEYS.secretAccessKey, "wrkspc_other");
    expect((await rejectionOf(client.messages.create(hello()))).status).toBe(403);
    const bare = await post(server, "/v1/messages", hello(), { authorization: "Bearer x" });
    expect(bare.status).toBe(401);
    expect(server.problems[0]).toContain("The workspace wrkspc_other is not accessible");
  });

  it("vertex ends a token by the clock, which is no mistake of the gateway", async () => {
    const clock = new ManualClock(1_000);
    const server = await startCloud(new VertexCloud({ tokens: [], clock }));
    server.dialect.tokens.issue("short-lived", 60_000);
    await vertexClient(server, "short-lived").messages.create(hello());
    clock.advance(60_000);
    const error = await rejectionOf(vertexClient(server, "short-lived").messages.create(hello()));
    expect(error.status).toBe(401);
    expect(error.message).toContain("UNAUTHENTICATED");
    expect(server.problems).toEqual([]);
  });

  it("anthropic takes keys as x-api-key and as bearer token", async () => {
    const server = await startCloud(new AnthropicCloud());
    const version = { "anthropic-version": "2023-06-01" };
    const ask = (headers: Record<string, string>): Promise<Response> =>
      post(server, "/v1/messages", hello(), { ...version, ...headers });
    expect((await ask({ "x-api-key": TEST_ANTHROPIC_KEY })).status).toBe(200);
    expect((await ask({ authorization: `Bearer ${TEST_ANTHROPIC_KEY}` })).status).toBe(200);
    expect((await ask({ "x-api-key": "sk-wrong" })).status).toBe(401);
    expect(server.problems).toEqual(["anthropic: POST /v1/messages: invalid x-api-key"]);
  });

  it("foundry takes api-key and Entra tokens too", async () => {
    const server = await startCloud(new FoundryCloud({ tokens: ["entra-token"] }));
    const version = { "anthropic-version": "2023-06-01" };
    const ask = (headers: Record<string, string>): Promise<Response> =>
      post(server, "/anthropic/v1/messages", hello(), { ...version, ...headers });
    expect((await ask({ "api-key": TEST_AZURE_KEY })).status).toBe(200);
    expect((await ask({ authorization: "Bearer entra-token" })).status).toBe(200);
    expect(server.problems).toEqual([]);
  });

  it("a custom server without credentials must not get any", async () => {
    const server = await startCloud(new CustomCloud({ bearers: "none" }));
    const version = { "anthropic-version": "2023-06-01" };
    expect((await post(server, "/v1/messages", hello(), version)).status).toBe(200);
    expect((await post(server, "/v1/messages", hello(), { ...version, "x-api-key": "k" })).status).toBe(400);
    expect(server.problems).toHaveLength(1);
  });
});

describe("the Anthropic stand-in, asked wrongly", () => {
  const GOOD = { "x-api-key": TEST_ANTHROPIC_KEY, "anthropic-version": "2023-06-01" };

  it.each<[string, Record<string, string>, object, string]>([
    ["no version", { "x-api-key": TEST_ANTHROPIC_KEY }, {}, "anthropic-version: header is required"],
    ["a version that there is not", { ...GOOD, "anthropic-version": "2024-01-01" }, {}, "not a valid version"],
    ["an empty beta", { ...GOOD, "anthropic-beta": "a-2025-01-01,,b-2025-01-01" }, {}, "invalid beta flag"],
    ["a beta twice", { ...GOOD, "anthropic-beta": "a-2025-01-01,a-2025-01-01" }, {}, "is there twice"],
    ["another cloud's member", GOOD, { anthropic_version: "bedrock-2023-05-31" }, "anthropic_version: Extra inputs"],
    ["a key of Weir", { ...GOOD, "x-client": "wr-prod-0123456789abcdef" }, {}, "a Weir key came through"],
    ["a header of Weir's", { ...GOOD, "x-weir-team": "a" }, {}, "Weir's own header x-weir-team"],
    ["a cookie", { ...GOOD, cookie: "a=b" }, {}, "header cookie came through"],
    ["two credentials", { ...GOOD, "api-key": "b" }, {}, "several credentials"],
    ["a text that the test forbids", GOOD, { metadata: { user_id: "the client's secret" } }, "a forbidden text"],
  ])("notes %s", async (_, headers, members, reason) => {
    const server = await startCloud(new AnthropicCloud(), { forbidden: ["the client's secret"] });
    await (await post(server, "/v1/messages", { ...hello(), ...members }, headers)).arrayBuffer();
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it("passes members and betas that nobody knows, for betas add what they like", async () => {
    const server = await startCloud(new AnthropicCloud());
    const headers = { ...GOOD, "anthropic-beta": "unheard-of-2026-11-11" };
    const response = await post(server, "/v1/messages", { ...hello(), brand_new: { a: 1 } }, headers);
    expect(response.status).toBe(200);
    expect(server.problems).toEqual([]);
  });
});

describe("the Vertex stand-in, asked wrongly", () => {
  const VALID = { anthropic_version: "vertex-2023-10-16", max_tokens: 100, messages: hello().messages };
  const path = (method: string, project = TEST_GOOGLE_PROJECT, region = TEST_GOOGLE_REGION): string =>
    `/v1/projects/${project}/locations/${region}/publishers/anthropic/models/${MODEL}:${method}`;

  it.each<[string, string, object, number, string]>([
    [
      "a model in the body",
      path("rawPredict"),
      { ...VALID, model: MODEL },
      400,
      "model: Extra inputs are not permitted",
    ],
    [
      "no version",
      path("rawPredict"),
      { ...VALID, anthropic_version: undefined },
      400,
      "anthropic_version: Field required",
    ],
    [
      "Bedrock's version",
      path("rawPredict"),
      { ...VALID, anthropic_version: "bedrock-2023-05-31" },
      400,
      "anthropic_version",
    ],
    ["a stream that is none", path("streamRawPredict"), VALID, 400, "streamRawPredict needs stream: true"],
    ["a stream where none is", path("rawPredict"), { ...VALID, stream: true }, 400, "rawPredict does not stream"],
    ["another project", path("rawPredict", "other"), VALID, 403, "aiplatform.endpoints.predict"],
    ["another region", path("rawPredict", TEST_GOOGLE_PROJECT, "us-east5"), VALID, 404, "Location us-east5"],
    ["a first-party member", path("rawPredict"), { ...VALID, speed: "fast" }, 400, "speed: Extra inputs"],
    ["no such method", path("predict"), VALID, 404, "was not found on this server"],
  ])("notes %s", async (_, ...[url, body, status, reason]) => {
    const server = await startCloud(new VertexCloud());
    const response = await post(server, url, body, { authorization: `Bearer ${TEST_GOOGLE_TOKEN}` });
    expect(response.status).toBe(status);
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it("answers Google's errors, in an array where the method streams, and the model's own in Anthropic's envelope", async () => {
    const server = await startCloud(new VertexCloud());
    server.nextFault({ kind: "status", status: 429, message: "Resource exhausted" }, { times: 2 });
    server.nextFault({ kind: "status", status: 529 });
    const auth = { authorization: `Bearer ${TEST_GOOGLE_TOKEN}` };
    const exhausted = { error: { code: 429, message: "Resource exhausted", status: "RESOURCE_EXHAUSTED" } };
    expect(await (await post(server, path("rawPredict"), VALID, auth)).json()).toEqual(exhausted);
    const streamed = await post(server, path("streamRawPredict"), { ...VALID, stream: true }, auth);
    expect(await streamed.json()).toEqual([exhausted]);
    const overloaded = await post(server, path("rawPredict"), VALID, auth);
    expect(await overloaded.json()).toMatchObject({ type: "error", error: { type: "overloaded_error" } });
  });
});

function post(
  server: CloudServer,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  return fetch(server.url + path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
  });
}
