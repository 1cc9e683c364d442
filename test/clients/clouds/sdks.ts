import { AnthropicAws } from "@anthropic-ai/aws-sdk";
import { AnthropicBedrock } from "@anthropic-ai/bedrock-sdk";
import { AnthropicFoundry } from "@anthropic-ai/foundry-sdk";
import Anthropic from "@anthropic-ai/sdk";
import { AnthropicVertex } from "@anthropic-ai/vertex-sdk";
import { OAuth2Client } from "google-auth-library";
import OpenAI from "openai";

import type { WireName } from "../../../src/wire/codec.ts";
import type { CloudStack } from "./cloud-stack.ts";

/** What every SDK has: its own way to send whatever the caller writes. */
export interface Poster {
  post(path: string, options: { body: object; headers?: Record<string, string> }): PromiseLike<unknown>;
}

/** What all of Anthropic's SDKs have. */
export interface MessagesClient extends Poster {
  readonly messages: Pick<Anthropic["messages"], "create" | "stream" | "countTokens">;
}

/** One of Anthropic's SDKs, set up as its users do, but for Weir's address and key. */
export interface MessagesSdk {
  readonly name: string;
  readonly format: WireName;
  /** Bedrock's has no way to count tokens. */
  readonly countsTokens: boolean;
  readonly client: (stack: CloudStack) => MessagesClient;
}

export const MESSAGES_SDK: MessagesSdk = {
  name: "@anthropic-ai/sdk",
  format: "anthropic",
  countsTokens: true,
  client: anthropic,
};
/** All that speak Messages themselves. */
export const MESSAGES_SDKS: readonly MessagesSdk[] = [
  MESSAGES_SDK,
  { name: "@anthropic-ai/foundry-sdk", format: "anthropic", countsTokens: true, client: foundry },
  { name: "@anthropic-ai/aws-sdk", format: "anthropic", countsTokens: true, client: aws },
];

export const BEDROCK_SDK: MessagesSdk = {
  name: "@anthropic-ai/bedrock-sdk",
  format: "bedrock",
  countsTokens: false,
  client: bedrock,
};
export const VERTEX_SDK: MessagesSdk = {
  name: "@anthropic-ai/vertex-sdk",
  format: "vertex",
  countsTokens: true,
  client: vertex,
};

export function anthropic({ weir, wire }: CloudStack): Anthropic {
  return new Anthropic({ apiKey: weir.key, baseURL: weir.url, maxRetries: 0, fetch: wire.fetch });
}

function foundry({ weir, wire }: CloudStack): MessagesClient {
  const baseURL = `${weir.url}/anthropic`;
  return new AnthropicFoundry({ apiKey: weir.key, baseURL, maxRetries: 0, fetch: wire.fetch });
}

function aws({ weir, wire }: CloudStack): MessagesClient {
  const place = { baseURL: weir.url, workspaceId: "wrkspc_of-the-client" };
  return new AnthropicAws({ apiKey: weir.key, ...place, maxRetries: 0, fetch: wire.fetch });
}

function bedrock({ weir, wire }: CloudStack): MessagesClient {
  const client = new AnthropicBedrock({ apiKey: weir.key, baseURL: weir.url, maxRetries: 0, fetch: wire.fetch });
  return client as unknown as MessagesClient; // without countTokens, which `countsTokens` says
}

function vertex({ weir, wire }: CloudStack): MessagesClient {
  const token = new OAuth2Client();
  token.setCredentials({ access_token: weir.key });
  // The SDK brings an older copy of the same library, whose class is another one only to the compiler.
  const authClient = token as unknown as NonNullable<ConstructorParameters<typeof AnthropicVertex>[0]>["authClient"];
  const place = { baseURL: `${weir.url}/v1`, region: "europe-west1", projectId: "of-the-client" };
  return new AnthropicVertex({ ...(authClient ? { authClient } : {}), ...place, maxRetries: 0, fetch: wire.fetch });
}

export function openai({ weir, wire }: CloudStack): OpenAI {
  return new OpenAI({ apiKey: weir.key, baseURL: `${weir.url}/v1`, maxRetries: 0, fetch: wire.fetch });
}
