import {
  viewBedrockStream,
  viewChatStream,
  viewCompletion,
  viewMessage,
  viewMessagesStream,
  viewResponse,
  viewResponsesStream,
  type ClientView,
} from "./client-view.ts";

interface Asking {
  readonly model: string;
  readonly text: string;
  readonly isStream: boolean;
}

/** A format that a client speaks to Weir. */
export interface ClientFormat {
  readonly name: "messages" | "bedrock" | "vertex" | "chat" | "responses";
  path(asking: Asking): string;
  body(asking: Asking): Readonly<Record<string, unknown>>;
  readonly viewStream: (body: Buffer) => ClientView;
  readonly viewWhole: (body: Buffer) => ClientView;
}

const MAX_TOKENS = 2_000;

export const MESSAGES: ClientFormat = {
  name: "messages",
  path: () => "/v1/messages",
  body: ({ model, text, isStream }) => ({ model, ...content(text), stream: isStream }),
  viewStream: viewMessagesStream,
  viewWhole: viewMessage,
};

export const BEDROCK: ClientFormat = {
  name: "bedrock",
  path: ({ model, isStream }) => `/model/${model}/${isStream ? "invoke-with-response-stream" : "invoke"}`,
  body: ({ text }) => ({ anthropic_version: "bedrock-2023-05-31", ...content(text) }),
  viewStream: viewBedrockStream,
  viewWhole: viewMessage,
};

export const VERTEX: ClientFormat = {
  name: "vertex",
  path: ({ model, isStream }) =>
    `/projects/p/locations/l/publishers/anthropic/models/${model}:${isStream ? "streamRawPredict" : "rawPredict"}`,
  body: ({ text, isStream }) => ({ anthropic_version: "vertex-2023-10-16", ...content(text), stream: isStream }),
  viewStream: viewMessagesStream,
  viewWhole: viewMessage,
};

export const CHAT: ClientFormat = {
  name: "chat",
  path: () => "/v1/chat/completions",
  body: ({ model, text, isStream }) => ({
    model,
    messages: [{ role: "user", content: text }],
    max_completion_tokens: MAX_TOKENS,
    stream: isStream,
  }),
  viewStream: viewChatStream,
  viewWhole: viewCompletion,
};

export const RESPONSES: ClientFormat = {
  name: "responses",
  path: () => "/v1/responses",
  body: ({ model, text, isStream }) => ({
    model,
    input: text,
    max_output_tokens: MAX_TOKENS,
    store: false,
    stream: isStream,
  }),
  viewStream: viewResponsesStream,
  viewWhole: viewResponse,
};

function content(text: string): Readonly<Record<string, unknown>> {
  return { max_tokens: MAX_TOKENS, messages: [{ role: "user", content: text }] };
}
