import { describe, expect, it } from "vitest";

import type { Config, UpstreamConfig } from "../../config/schema.ts";
import { loadText } from "../../config/testing/config-directory.ts";
import { StaticCredential } from "../../upstream/credentials/static-credential.ts";
import type { PathQuestion, UpstreamSettings } from "../../upstream/upstream.ts";
import { probeOf } from "./probe-of.ts";
import { upstreamSettings } from "./upstream-settings.ts";

interface Made {
  readonly settings: UpstreamSettings;
  readonly upstream: UpstreamConfig;
  readonly config: Config;
}

/** The settings of one upstream, given as flow YAML, besides other sections. */
async function make(upstream: string, more = ""): Promise<Made> {
  const loaded = await loadText(`upstreams:\n  - { ${upstream} }\n${more}`, { env: {} });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 2));
  const [first] = loaded.config.upstreams;
  if (first === undefined) throw new Error("no upstream");
  const credential = new StaticCredential(first.name, []);
  const settings = upstreamSettings(first, loaded.config, { credential, tls: null, sandboxUrl: "http://127.0.0.1:1" });
  return { settings, upstream: first, config: loaded.config };
}

const KEY = "auth: { api_key: k }";
const BEDROCK = "provider: bedrock, region: eu-central-1";
const SAGEMAKER = `provider: custom, base_url: "https://runtime.sagemaker.eu-central-1.amazonaws.com", wire: openai-chat,
    stream_framing: aws-event-stream, auth: { type: sigv4, service: sagemaker, region: eu-central-1 },
    paths: { messages: "/endpoints/{model}/invocations", stream: "/endpoints/{model}/invocations-response-stream" }`;

describe("the formats and paths of a configured upstream", () => {
  const messages = { operation: "messages", stream: true, model: "m", query: null } as const;

  it.each<[string, Omit<PathQuestion, "operation" | "stream" | "model" | "query">, string]>([
    [`provider: anthropic, ${KEY}`, { wire: "anthropic" }, "/v1/messages"],
    [BEDROCK, { wire: "bedrock" }, "/model/m/invoke-with-response-stream"],
    [
      "provider: vertex, region: us-east5, project_id: example-prod",
      { wire: "vertex" },
      "/v1/projects/example-prod/locations/us-east5/publishers/anthropic/models/m:streamRawPredict",
    ],
    [`provider: openai, ${KEY}`, { wire: "openai-chat" }, "/chat/completions"],
    [`provider: azure-openai, resource: r, ${KEY}`, { wire: "openai-responses" }, "/openai/v1/responses"],
    [
      `provider: azure-openai, resource: r, ${KEY}, api_version: preview`,
      { wire: "openai-responses" },
      "/openai/v1/responses?api-version=preview",
    ],
    [
      `provider: azure-openai, resource: r, ${KEY}, api: deployments, api_version: "2024-10-21"`,
      { wire: "openai-chat" },
      "/openai/deployments/m/chat/completions?api-version=2024-10-21",
    ],
    [SAGEMAKER, { wire: "openai-chat" }, "/endpoints/m/invocations-response-stream"],
  ])("%s", async (upstream, { wire }, path) => {
    const { dialect } = (await make(upstream)).settings;
    expect(dialect.wires).toContain(wire);
    expect(dialect.path({ ...messages, wire })).toBe(path);
  });

  it.each([
    [`provider: openai, ${KEY}`, ["openai-chat"], true],
    [`provider: openai, ${KEY}, apis: [responses, chat_completions]`, ["openai-responses", "openai-chat"], false],
    [`provider: azure-openai, resource: r, ${KEY}`, ["openai-chat", "openai-responses"], true],
    [`provider: azure-openai, resource: r, ${KEY}, api: deployments, api_version: "2024-10-21"`, ["openai-chat"], true],
    [
      `provider: azure-openai, resource: r, ${KEY}, api: deployments, api_version: 2025-03-01-preview`,
      ["openai-chat", "openai-responses"],
      true,
    ],
    ["provider: custom, base_url: 'https://a.example', wire: bedrock, auth: { type: none }", ["bedrock"], false],
  ])("%s speaks %j; embeddings: %s", async (upstream, wires, hasEmbeddings) => {
    const { dialect } = (await make(upstream)).settings;
    expect(dialect.wires).toEqual(wires);
    expect(dialect.embeddingsPath("m") !== null).toBe(hasEmbeddings);
  });

  it("know what a custom endpoint's streams are wrapped in", async () => {
    expect((await make(SAGEMAKER)).settings.dialect.framing).toBe("aws-event-stream");
    expect((await make(BEDROCK)).settings.dialect.framing).toBe("none");
  });

  it("count Bedrock's tokens under the foundation model's id", async () => {
    const { dialect } = (await make(BEDROCK)).settings;
    const count = { wire: "bedrock", operation: "count_tokens", stream: false, query: null } as const;
    expect(dialect.path({ ...count, model: "eu.anthropic.claude-opus-5" })).toBe(
      "/model/anthropic.claude-opus-5/count-tokens",
    );
  });
});

describe("the headers that every request to an upstream has", () => {
  it.each([
    [
      "what the provider needs",
      "provider: anthropicAws, region: us-east-1, workspace_id: wrkspc_1",
      { "anthropic-workspace-id": "wrkspc_1" },
    ],
    ["what the operator adds", `provider: anthropic, ${KEY}, headers: { X-Team: core }`, { "x-team": "core" }],
    [
      "the guardrail, whatever else is said",
      `${BEDROCK}, headers: { X-Amzn-Bedrock-Trace: ENABLED }, guardrail: { identifier: gr1, version: "3", trace: enabled_full }`,
      {
        "x-amzn-bedrock-guardrailidentifier": "gr1",
        "x-amzn-bedrock-guardrailversion": "3",
        "x-amzn-bedrock-trace": "ENABLED_FULL",
      },
    ],
    ["none for the sandbox", "provider: sandbox", {}],
  ])("are %s", async (_, upstream, headers) => {
    expect((await make(upstream)).settings.extraHeaders).toEqual(headers);
  });

  it.each([
    ["sync", '{"a":1}', '{"a":1}'],
    ["async", '{"a":1}', '{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"ASYNCHRONOUS"},"a":1}'],
    [
      "sync",
      '{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"ASYNCHRONOUS","tagSuffix":"x"}}',
      '{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS"}}',
    ],
  ])("do not say how streams are guarded, which the body does: %s, %s", async (mode, body, sent) => {
    const guardrail = `guardrail: { identifier: gr1, version: DRAFT, stream_processing: ${mode} }`;
    const { dialect } = (await make(`${BEDROCK}, ${guardrail}`)).settings;
    expect(dialect.enforced(Buffer.from(body), true).toString()).toBe(sent);
  });
});

describe("where an upstream is and what it bears", () => {
  it("is what the configuration says", async () => {
    const more = "cloud: aws-2, region: eu-central-1, weight: 3, max_concurrent: 7";
    const { settings } = await make(`provider: anthropic, ${KEY}, ${more}`);
    expect(settings).toMatchObject({
      baseUrl: "https://api.anthropic.com",
      placement: { cloud: "aws-2", region: "eu-central-1", weight: 3, promptCache: "explicit" },
      maxConcurrent: 7,
    });
  });

  it.each([
    [`provider: openai, ${KEY}`, "implicit"],
    [SAGEMAKER, "implicit"],
    ["provider: sandbox", "explicit"],
    ["provider: custom, base_url: 'https://a.example', auth: { type: none }", "explicit"],
    ["provider: vertex, region: global, project_id: example-prod", "explicit"],
  ])("%s caches prompts: %s", async (upstream, promptCache) => {
    expect((await make(upstream)).settings.placement.promptCache).toBe(promptCache);
  });

  it("has no limit unless one is set, and identifies nobody unless told to", async () => {
    const { settings } = await make(BEDROCK);
    expect([settings.maxConcurrent, settings.forwardUserIdentity]).toEqual([null, false]);
    const proxy = `provider: anthropic, base_url: "https://own.example", ${KEY}, forward_user_identity: true`;
    expect((await make(proxy)).settings.forwardUserIdentity).toBe(true);
  });

  it("is reached on loopback where it is the sandbox, and elsewhere only where that is allowed", async () => {
    const more = "network: { allow_private_upstreams: [10.0.0.0/8] }\n";
    const sandbox = (await make("provider: sandbox", more)).settings;
    const remote = (await make(BEDROCK, more)).settings;
    expect(sandbox.baseUrl).toBe("http://127.0.0.1:1");
    expect(["127.0.0.1", "10.1.1.1"].map((address) => sandbox.allowPrivate.includes(address))).toEqual([true, false]);
    expect(["127.0.0.1", "10.1.1.1"].map((address) => remote.allowPrivate.includes(address))).toEqual([false, true]);
  });

  it("takes its own proxy, the network's, or none", async () => {
    const network = "network: { proxy: { https_proxy: 'http://proxy:3128' } }\n";
    const proxyOf = async (more: string): Promise<string | null> =>
      (await make(`${BEDROCK}${more}`, network)).settings.proxyUrl;
    expect(await proxyOf("")).toBe("http://proxy:3128");
    expect(await proxyOf(", proxy: direct")).toBeNull();
    expect(await proxyOf(", proxy: 'http://other:3128'")).toBe("http://other:3128");
    expect((await make("provider: sandbox", network)).settings.proxyUrl).toBeNull();
  });
});

describe("how long an upstream is waited for", () => {
  it("is bounded by the longest that any request may wait", async () => {
    const { settings } = await make(
      BEDROCK,
      "timeouts: { upstream_ttfb_ms: 1000, batch: { upstream_ttfb_ms: 5000 } }\n",
    );
    expect(settings).toMatchObject({ connectTimeoutMs: 10_000, headersTimeoutMs: 5_000, ownTimeouts: {} });
  });

  it("is its own where it has times of its own", async () => {
    const { settings } = await make(`${BEDROCK}, timeouts: { connect_ms: 1, ttfb_ms: 2, idle_ms: 3 }`);
    expect(settings).toMatchObject({ connectTimeoutMs: 1, ownTimeouts: { firstByteMs: 2, idleMs: 3 } });
  });
});

describe("how an upstream is probed", () => {
  const probe = async (upstream: string, more = ""): Promise<unknown> => {
    const made = await make(upstream, more);
    return probeOf(made.upstream, made.settings.dialect, made.config);
  };
  const CUSTOM = "provider: custom, name: own, base_url: 'https://a.example', auth: { type: none }";

  it.each([
    ["by listing models", `provider: anthropic, ${KEY}`, "", { by: "get", path: "/v1/models?limit=1" }],
    [
      "by counting the tokens of a small model",
      BEDROCK,
      "",
      { by: "count_tokens", model: "eu.anthropic.claude-haiku-4-5-20251001-v1:0" },
    ],
    [
      "of a model that is mapped to it, if it can be counted",
      BEDROCK,
      `models:
  - { id: a, upstream_model: { bedrock: "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/x" } }
  - { id: claude-opus-5, upstream_model: { bedrock: eu.anthropic.claude-opus-5 } }
`,
      { by: "count_tokens", model: "eu.anthropic.claude-opus-5" },
    ],
    ["not at all without a model to count", `${BEDROCK}, builtin_models: false`, "", null],
    [
      "by counting at an endpoint that speaks Messages",
      CUSTOM,
      "models: [{ id: a, upstream_model: { own: b } }]\n",
      {
        by: "count_tokens",
        model: "b",
      },
    ],
    ["not by counting where there is none", `${CUSTOM}, paths: { count_tokens: none }`, "", null],
    ["not by counting where messages were moved", `${CUSTOM}, paths: { messages: /m }, builtin_models: true`, "", null],
    ["by listing models at an OpenAI server", `${CUSTOM}, wire: openai-chat`, "", { by: "get", path: "/v1/models" }],
    ["not at all at SageMaker", SAGEMAKER, "", null],
  ])("%s", async (_, upstream, more, expected) => {
    expect(await probe(upstream, more)).toEqual(expected);
  });
});
