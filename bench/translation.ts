/** An API that clients speak, or that upstreams answer. */
export type Format = "messages" | "chat" | "bedrock";

/** A way through the gateway on which client and upstream speak different formats. */
export interface Translation {
  readonly client: Format;
  readonly upstream: Format;
  /** The way in words, as a case's title goes on with it. */
  readonly title: string;
  /** The same in a word or two, for a drawing. */
  readonly label: string;
}

export const MESSAGES_TO_BEDROCK: Translation = {
  client: "messages",
  upstream: "bedrock",
  title: "Messages client, Bedrock upstream",
  label: "to Bedrock",
};

export const CHAT_TO_MESSAGES: Translation = {
  client: "chat",
  upstream: "messages",
  title: "Chat Completions client, Messages upstream",
  label: "from Chat",
};

export const BEDROCK_TO_MESSAGES: Translation = {
  client: "bedrock",
  upstream: "messages",
  title: "Bedrock client, Messages upstream",
  label: "from Bedrock",
};

/** The model that requests name: one that every gateway knows without being told. */
export const MODEL = "claude-sonnet-4-6";
/** The one that a gateway which translates is to send to an upstream in Bedrock. */
export const BEDROCK_MODEL = "claude-sonnet-4-5";

/** The model that a request names to get to an upstream of this format. */
export function modelFor(upstream: Format): string {
  return upstream === "bedrock" ? BEDROCK_MODEL : MODEL;
}

/** Where a client of this format sends its request. `stream` as it asks for one. */
export function pathOf(client: Format, model: string, stream: boolean): string {
  if (client === "messages") return "/v1/messages";
  if (client === "chat") return "/v1/chat/completions";
  return `/model/${model}/${stream ? "invoke-with-response-stream" : "invoke"}`;
}
