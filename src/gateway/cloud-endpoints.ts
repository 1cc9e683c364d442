import type { WireName } from "../wire/codec.ts";
import type { Endpoint } from "./endpoints.ts";

/**
 * What clients of other clouds and dialects ask for. `{model}` in a path is the model's name, percent-encoded; every other
 * name in braces stands for one segment that Weir does not read.
 */
export const CLOUD_ENDPOINTS: readonly Endpoint[] = [
  {
    name: "bedrock_invoke",
    kind: "messages",
    wire: "bedrock",
    methods: ["POST"],
    path: "/model/{model}/invoke",
    streams: false,
    summary: "Amazon Bedrock InvokeModel, the answer whole",
  },
  {
    name: "bedrock_invoke",
    kind: "messages",
    wire: "bedrock",
    methods: ["POST"],
    path: "/model/{model}/invoke-with-response-stream",
    streams: true,
    summary: "Amazon Bedrock InvokeModel, the answer as an event stream",
  },
  {
    name: "bedrock_count_tokens",
    kind: "count_tokens",
    wire: "bedrock",
    methods: ["POST"],
    path: "/model/{model}/count-tokens",
    streams: false,
    summary: "Amazon Bedrock CountTokens, exempt from limits",
  },
  {
    name: "inference_profiles",
    kind: "local",
    wire: "bedrock",
    methods: ["GET"],
    path: "/inference-profiles",
    prefix: true,
    summary: "Models that the caller's key allows, as Amazon Bedrock lists them",
  },
  {
    name: "vertex_count_tokens",
    kind: "count_tokens",
    wire: "vertex",
    methods: ["POST"],
    path: "/projects/{project}/locations/{location}/publishers/anthropic/models/count-tokens:rawPredict",
    streams: false,
    summary: "Google Cloud token counting, exempt from limits",
  },
  {
    name: "vertex_predict",
    kind: "messages",
    wire: "vertex",
    methods: ["POST"],
    path: "/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:rawPredict",
    streams: false,
    summary: "Google Cloud rawPredict, the answer whole",
  },
  {
    name: "vertex_predict",
    kind: "messages",
    wire: "vertex",
    methods: ["POST"],
    path: "/projects/{project}/locations/{location}/publishers/anthropic/models/{model}:streamRawPredict",
    streams: true,
    summary: "Google Cloud rawPredict, the answer as a stream",
  },
  {
    name: "chat_completions",
    kind: "messages",
    wire: "openai-chat",
    methods: ["POST"],
    path: "/v1/chat/completions",
    summary: "OpenAI Chat Completions, streamed or not",
  },
  {
    name: "chat_completions",
    kind: "messages",
    wire: "openai-chat",
    methods: ["POST"],
    path: "/openai/deployments/{model}/chat/completions",
    summary: "Chat Completions as Azure OpenAI has them: the model is the deployment",
  },
  {
    name: "responses",
    kind: "messages",
    wire: "openai-responses",
    methods: ["POST"],
    path: "/v1/responses",
    summary: "OpenAI Responses, streamed or not",
  },
  {
    name: "responses_count_tokens",
    kind: "count_tokens",
    wire: "openai-responses",
    methods: ["POST"],
    path: "/v1/responses/input_tokens",
    streams: false,
    summary: "Token counting as OpenAI Responses has it, exempt from limits",
  },
  {
    name: "responses",
    kind: "messages",
    wire: "openai-responses",
    methods: ["POST"],
    path: "/openai/responses",
    summary: "Responses at Azure OpenAI's older path",
  },
  {
    name: "embeddings",
    kind: "embeddings",
    wire: "openai-chat",
    methods: ["POST"],
    path: "/v1/embeddings",
    summary: "OpenAI Embeddings, for upstreams that have them",
  },
  {
    name: "embeddings",
    kind: "embeddings",
    wire: "openai-chat",
    methods: ["POST"],
    path: "/openai/deployments/{model}/embeddings",
    summary: "Embeddings as Azure OpenAI has them",
  },
];

/** What a templated path matches, with the model as a named group; null for a path that is itself. */
export function pathPattern(path: string): RegExp | null {
  if (!path.includes("{")) return null;
  const source = path
    .split(/(\{\w+\})/)
    .map((part) => {
      if (part === "{model}") return "(?<model>[^/]+)";
      return part.startsWith("{") ? "[^/]+" : RegExp.escape(part);
    })
    .join("");
  return new RegExp(`${source}$`);
}

/** Whose path it would be, for paths that nobody serves; the first that fits. */
const TERRITORIES: readonly (readonly [pattern: RegExp, wire: WireName])[] = [
  [/\/(?:model|inference-profiles|guardrail|async-invoke)(?:\/|$)/, "bedrock"],
  [/\/projects\/[^/]+\/|\/publishers\//, "vertex"],
  [/\/responses(?:\/|$)/, "openai-responses"],
  [
    /\/(?:chat\/|v1\/completions|embeddings|openai\/|images\/|audio\/|assistants|threads|fine_tuning\/|vector_stores)/,
    "openai-chat",
  ],
];

/** The format in which to say that nothing is at a path: its own client's, where the path tells who that is. */
export function wireOfUnknown(path: string): WireName {
  return TERRITORIES.find(([pattern]) => pattern.test(path))?.[1] ?? "anthropic";
}
