import { bedrockClient } from "../wire/bedrock/bedrock-client.ts";
import { bedrockTarget } from "../wire/bedrock/bedrock-target.ts";
import type { ClientWire, TargetWire, WireName } from "../wire/codec.ts";
import { openaiChatClient } from "../wire/openai-chat/openai-chat-client.ts";
import { openaiChatTarget } from "../wire/openai-chat/openai-chat-target.ts";
import { openaiResponsesClient } from "../wire/openai-responses/client-wire.ts";
import { openaiResponsesTarget } from "../wire/openai-responses/target-wire.ts";
import { vertexClient } from "../wire/vertex/vertex-client.ts";
import { vertexTarget } from "../wire/vertex/vertex-target.ts";

/** The formats that clients may speak; null for Messages, which is what Weir itself works with. */
export const CLIENT_WIRES: Readonly<Record<WireName, ClientWire | null>> = {
  anthropic: null,
  bedrock: bedrockClient,
  vertex: vertexClient,
  "openai-chat": openaiChatClient,
  "openai-responses": openaiResponsesClient,
};

/** The formats that upstreams may speak; null for Messages. */
export const TARGET_WIRES: Readonly<Record<WireName, TargetWire | null>> = {
  anthropic: null,
  bedrock: bedrockTarget,
  vertex: vertexTarget,
  "openai-chat": openaiChatTarget,
  "openai-responses": openaiResponsesTarget,
};
