import { AnthropicAws } from "@anthropic-ai/aws-sdk";
import { AnthropicBedrock, AnthropicBedrockMantle } from "@anthropic-ai/bedrock-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import { Anthropic } from "@anthropic-ai/sdk";
import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";
import OpenAI, { AzureOpenAI } from "openai";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { SigV4Signer } from "../credentials/sigv4-signer.ts";
import { type EndpointRequest, FakeEndpoint, json } from "../credentials/testing/fake-endpoint.ts";
import { verifySigV4 } from "../credentials/testing/verify-sigv4.ts";
import type { ProviderName } from "./provider-row.ts";
import { providerRow } from "./providers.ts";
import { type Parameters, resolveBaseUrl, resolveHeaders, resolvePath } from "./resolve.ts";

/** What the official SDKs send is what the catalogue says. */

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret/of+example" };
const AWS = { awsRegion: "us-east-1", awsAccessKey: KEYS.accessKeyId, awsSecretAccessKey: KEYS.secretAccessKey };
const ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-opus-4-8-v1:0";
const ASK = { max_tokens: 1, messages: [{ role: "user" as const, content: "x" }] };

let endpoint: FakeEndpoint;

beforeAll(async () => {
  // Every call is answered with an error: what counts is what was sent.
  endpoint = await FakeEndpoint.start(() => json(400, { type: "error", error: { type: "x", message: "seen" } }));
});

afterAll(() => endpoint.stop());

beforeEach(() => {
  endpoint.requests.length = 0;
});

async function sent(call: () => PromiseLike<unknown>): Promise<EndpointRequest> {
  await expect(Promise.resolve(call())).rejects.toThrow();
  const [request] = endpoint.requests;
  if (request === undefined) throw new Error("the SDK sent nothing");
  return request;
}

interface Expected {
  readonly model: string;
  readonly stream?: boolean;
  readonly operation?: "messages" | "count_tokens";
  readonly wire?: "openai-responses";
  readonly parameters?: Parameters;
  readonly baseUrl?: string;
}

/** The path with its base path, as the catalogue makes it. */
function expectedPath(name: ProviderName, expected: Expected): string {
  const row = providerRow(name);
  const { model, stream = false, operation = "messages", parameters = {} } = expected;
  const base = new URL(resolveBaseUrl(row, expected.baseUrl ?? endpoint.url, parameters)).pathname;
  const wire = expected.wire ?? row.wires[0] ?? "anthropic";
  const path = resolvePath(row, { wire, operation, stream, model, parameters, custom: null, query: null });
  return `${base.replace(/\/$/, "")}${path}`;
}

describe("Anthropic", () => {
  const client = (): Anthropic => new Anthropic({ apiKey: "k", baseURL: endpoint.url, maxRetries: 0 });

  // The key's header is not compared: the SDK sends a bearer, the API's reference says x-api-key, and both are accepted.
  it("is asked at the same path", async () => {
    const request = await sent(() => client().messages.create({ ...ASK, model: "m" }));

    expect(request).toMatchObject({ method: "POST", path: expectedPath("anthropic", { model: "m" }) });
  });

  it("is asked to count tokens at the same path", async () => {
    const request = await sent(() => client().messages.countTokens({ messages: ASK.messages, model: "m" }));

    expect(request.path).toBe(expectedPath("anthropic", { model: "m", operation: "count_tokens" }));
  });
});

describe("Amazon Bedrock", () => {
  const client = (): AnthropicBedrock =>
    new AnthropicBedrock({
      awsRegion: AWS.awsRegion,
      awsAccessKey: KEYS.accessKeyId,
      awsSecretKey: KEYS.secretAccessKey,
      baseURL: endpoint.url,
      maxRetries: 0,
      apiKey: null,
    });

  it.each([
    ["an ARN", ARN, false],
    ["an ARN", ARN, true],
    ["a profile", "us.anthropic.claude-opus-4-8-v1:0", true],
  ])("is asked at the same path for %s", async (_name, model, stream) => {
    const request = await sent(() => client().messages.create({ ...ASK, model, stream }));

    expect(request).toMatchObject({ method: "POST", path: expectedPath("bedrock", { model, stream }) });
  });

  it("gets a signature that the verifier accepts, of the SDK as of Weir", async () => {
    const request = await sent(() => client().messages.create({ ...ASK, model: ARN }));
    const scope = { region: "us-east-1", service: providerRow("bedrock").signingService ?? "" };
    expect(verifySigV4({ ...request, headers: request.rawHeaders }, { ...KEYS, ...scope })).toBeNull();

    const signer = new SigV4Signer(scope, new ManualClock(Date.now()));
    const own = { method: "POST", host: endpoint.host, path: request.path, headers: [], body: Buffer.from("{}") };
    const headers = ["host", own.host, ...signer.sign(own, { ...KEYS, sessionToken: null })];
    expect(verifySigV4({ ...own, headers }, { ...KEYS, ...scope })).toBeNull();
  });

  it("gets an API key in the same header", async () => {
    const keyed = new AnthropicBedrock({ apiKey: "k", awsRegion: "r", baseURL: endpoint.url, maxRetries: 0 });
    const request = await sent(() => keyed.messages.create({ ...ASK, model: "m" }));

    expect(request.headers.authorization).toBe("Bearer k");
    expect(providerRow("bedrock").apiKeyHeader).toBe("authorization");
  });

  it("is at the same address by default", () => {
    const { baseURL } = new AnthropicBedrock({ awsRegion: "eu-west-3", apiKey: "k" });

    expect(resolveBaseUrl(providerRow("bedrock"), null, { region: "eu-west-3" })).toBe(baseURL);
  });
});

describe("Amazon Bedrock (Mantle)", () => {
  it("is asked at the same path, signed for the same service", async () => {
    const baseUrl = `${endpoint.url}/anthropic`;
    const client = new AnthropicBedrockMantle({ ...AWS, apiKey: null, baseURL: baseUrl, maxRetries: 0 });
    const request = await sent(() => client.messages.create({ ...ASK, model: "m" }));

    const scope = { region: "us-east-1", service: providerRow("bedrockMantle").signingService ?? "" };
    expect(request.path).toBe(expectedPath("bedrockMantle", { model: "m", baseUrl }));
    expect(verifySigV4({ ...request, headers: request.rawHeaders }, { ...KEYS, ...scope })).toBeNull();
  });

  it("is at the same address by default", () => {
    const { baseURL } = new AnthropicBedrockMantle({ awsRegion: "eu-west-3", apiKey: "k" });

    expect(resolveBaseUrl(providerRow("bedrockMantle"), null, { region: "eu-west-3" })).toBe(baseURL);
  });
});

describe("Claude Platform on AWS", () => {
  const parameters = { region: "us-east-1", workspace: "wrkspc_1" };

  it("is asked at the same path with the workspace, signed for the same service", async () => {
    const client = new AnthropicAws({
      ...AWS,
      apiKey: null,
      workspaceId: "wrkspc_1",
      baseURL: endpoint.url,
      maxRetries: 0,
    });
    const request = await sent(() => client.messages.create({ ...ASK, model: "m" }));

    const row = providerRow("anthropicAws");
    const [name = "", value] = resolveHeaders(row, parameters);
    expect(request.path).toBe(expectedPath("anthropicAws", { model: "m" }));
    expect(request.headers[name]).toBe(value);
    const scope = { region: "us-east-1", service: row.signingService ?? "" };
    expect(verifySigV4({ ...request, headers: request.rawHeaders }, { ...KEYS, ...scope })).toBeNull();
  });

  it("is at the same address by default", () => {
    const { baseURL } = new AnthropicAws({ apiKey: "k", workspaceId: "w", awsRegion: "us-east-1" });

    expect(resolveBaseUrl(providerRow("anthropicAws"), null, parameters)).toBe(baseURL);
  });
});

describe("Google Cloud Agent Platform", () => {
  const client = (region: string, baseURL?: string): AnthropicVertex =>
    new AnthropicVertex({
      region,
      projectId: "example-prod",
      maxRetries: 0,
      ...(baseURL !== undefined && { baseURL }),
      // The two members of the client that the SDK uses.
      authClient: {
        projectId: "example-prod",
        getRequestHeaders: async () => new Headers({ authorization: "Bearer g" }),
      } as unknown as NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>["authClient"],
    });

  it.each([false, true])("is asked at the same path, stream %s", async (stream) => {
    const model = "claude-haiku-4-5@20251001";
    const baseUrl = `${endpoint.url}/v1`;
    const request = await sent(() => client("us-east5", baseUrl).messages.create({ ...ASK, model, stream }));

    const parameters = { project: "example-prod", region: "us-east5" };
    expect(request).toMatchObject({
      method: "POST",
      path: expectedPath("vertex", { model, stream, parameters, baseUrl }),
    });
  });

  it("counts tokens at the same path", async () => {
    const baseUrl = `${endpoint.url}/v1`;
    const counting = client("global", baseUrl).messages.countTokens({ messages: ASK.messages, model: "m" });
    const request = await sent(() => counting);

    const parameters = { project: "example-prod", region: "global" };
    const operation = "count_tokens";
    expect(request.path).toBe(expectedPath("vertex", { model: "m", operation, parameters, baseUrl }));
  });

  it.each(["global", "us", "eu", "us-east5"])("is at the same address by default in %s", (region) => {
    expect(`${resolveBaseUrl(providerRow("vertex"), null, { region })}/v1`).toBe(client(region).baseURL);
  });
});

describe("Microsoft Foundry", () => {
  it("is asked at the same path, with the key in the same header", async () => {
    const baseUrl = `${endpoint.url}/anthropic/`;
    const client = new AnthropicFoundry({ apiKey: "k", resource: null, baseURL: baseUrl, maxRetries: 0 });
    const request = await sent(() => client.messages.create({ ...ASK, model: "m" }));

    expect(request.path).toBe(expectedPath("foundry", { model: "m", baseUrl }));
    expect(request.headers[providerRow("foundry").apiKeyHeader]).toBe("k");
  });

  it("is at the same address by default", () => {
    const { baseURL } = new AnthropicFoundry({ apiKey: "k", resource: "example" });

    expect(`${resolveBaseUrl(providerRow("foundry"), null, { resource: "example" })}/`).toBe(baseURL);
  });
});

describe("OpenAI and what is compatible", () => {
  const client = (): OpenAI => new OpenAI({ apiKey: "k", baseURL: `${endpoint.url}/v1`, maxRetries: 0 });

  it("is asked for chat at the same path, with the key in the same header", async () => {
    const request = await sent(() => client().chat.completions.create({ model: "m", messages: ASK.messages }));

    expect(request.path).toBe(expectedPath("openai", { model: "m" }));
    expect(request.headers.authorization).toBe("Bearer k");
    expect(new OpenAI({ apiKey: "k" }).baseURL).toBe(resolveBaseUrl(providerRow("openai"), null, {}));
  });

  it("is asked for responses at the same path", async () => {
    const request = await sent(() => client().responses.create({ model: "m", input: "x" }));

    expect(request.path).toBe(expectedPath("openai", { model: "m", wire: "openai-responses" }));
  });
});

describe("Azure OpenAI", () => {
  const parameters = { apiVersion: "2024-10-21" };
  const client = (): AzureOpenAI =>
    new AzureOpenAI({ apiKey: "k", apiVersion: parameters.apiVersion, endpoint: endpoint.url, maxRetries: 0 });

  it("is asked for chat at the deployment's path, with the key in the same header", async () => {
    const request = await sent(() => client().chat.completions.create({ model: "gpt-5 mini", messages: ASK.messages }));

    expect(request.path).toBe(expectedPath("azure-openai", { model: "gpt-5 mini", parameters }));
    expect(request.headers[providerRow("azure-openai").apiKeyHeader]).toBe("k");
  });

  it("is asked for responses at the same path", async () => {
    const request = await sent(() => client().responses.create({ model: "m", input: "x" }));

    expect(request.path).toBe(expectedPath("azure-openai", { model: "m", wire: "openai-responses", parameters }));
  });

  it("is asked without a version as OpenAI is, below /openai/v1", async () => {
    const baseUrl = `${endpoint.url}/openai/v1`;
    const plain = new OpenAI({ apiKey: "k", baseURL: baseUrl, maxRetries: 0 });
    const request = await sent(() => plain.chat.completions.create({ model: "m", messages: ASK.messages }));

    expect(request.path).toBe(expectedPath("azure-openai", { model: "m", baseUrl }));
  });
});
