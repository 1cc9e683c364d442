import type { UpstreamConfig } from "./schema.ts";

type CustomUpstream = Extract<UpstreamConfig, { provider: "custom" }>;

/** Templates of the paths of a custom endpoint, with `{model}` for the model's id there. */
export interface CustomPaths {
  readonly messages: string;
  /** Null where streams have the same path. */
  readonly messagesStream: string | null;
  /** Null where tokens cannot be counted. */
  readonly countTokens: string | null;
}

const USUAL_PATHS: Readonly<Record<Exclude<CustomUpstream["wire"], "vertex">, CustomPaths>> = {
  anthropic: { messages: "/v1/messages", messagesStream: null, countTokens: "/v1/messages/count_tokens" },
  bedrock: {
    messages: "/model/{model}/invoke",
    messagesStream: "/model/{model}/invoke-with-response-stream",
    countTokens: "/model/{model}/count-tokens",
  },
  "openai-chat": { messages: "/v1/chat/completions", messagesStream: null, countTokens: null },
};

/** The paths of a custom endpoint: what its configuration says, else what its wire usually has. */
export function customPathsOf({ wire, paths }: CustomUpstream): CustomPaths {
  const usual = wire === "vertex" ? { messages: "", messagesStream: null, countTokens: null } : USUAL_PATHS[wire];
  // Someone who moves the messages has moved them all: usual paths would lead to another service.
  const others = paths.messages === undefined ? usual : { messagesStream: null, countTokens: null };
  const counting = paths.count_tokens === "none" ? null : (paths.count_tokens ?? others.countTokens);
  return {
    messages: paths.messages ?? usual.messages,
    messagesStream: paths.stream ?? others.messagesStream,
    countTokens: counting,
  };
}
