import { createHash, createHmac } from "node:crypto";

import { SignatureV4 } from "@smithy/signature-v4";

import { TEST_WORKSPACE } from "./anthropic-aws-cloud.ts";
import { TEST_ANTHROPIC_KEY } from "./anthropic-cloud.ts";
import { TEST_AWS_KEYS, TEST_AWS_REGION } from "./aws-auth.ts";
import { TEST_AZURE_KEY } from "./azure-auth.ts";
import type { RunningCloud } from "./clouds.ts";
import { TEST_CUSTOM_TOKEN } from "./custom-cloud.ts";
import { FoundryCloud } from "./foundry-cloud.ts";
import { TEST_OPENAI_KEY, TEST_OPENAI_MODEL } from "./openai/openai-cloud.ts";
import { TEST_GOOGLE_PROJECT, TEST_GOOGLE_REGION, VertexCloud } from "./vertex-cloud.ts";

/** A request that a stand-in accepts, ready to be sent. */
export interface DirectRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface DirectOptions {
  readonly isStream: boolean;
  readonly text?: string;
  /** Where to send it instead of to the stand-in, such as a fault proxy in front of it. Signatures cover it. */
  readonly baseUrl?: string;
}

interface Draft {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>>;
  /** Service to sign for; null for no signature. */
  readonly service: string | null;
}

const MODEL = "claude-sonnet-5-5";
const VERSION = { "anthropic-version": "2023-06-01" };
const TOKEN = "direct-token";

/** A right request for any kind of CLOUDS, without Weir in between: to try a stand-in and what stands before it. */
export async function directRequest(running: RunningCloud, options: DirectOptions): Promise<DirectRequest> {
  const { isStream, text = "Say hello.", baseUrl = running.server.url } = options;
  const draft = draftFor(running, { isStream, text });
  const body = JSON.stringify(draft.body);
  const headers = { "content-type": "application/json", ...draft.headers };
  const url = baseUrl + draft.path;
  if (draft.service === null) return { url, headers, body };
  return { url, headers: await signed({ url, headers, body }, draft.service), body };
}

function draftFor({ kind, server }: RunningCloud, { isStream, text }: { isStream: boolean; text: string }): Draft {
  const stream = isStream ? { stream: true } : {};
  const content = { max_tokens: 2_000, messages: [{ role: "user", content: text }] };
  const messages = { model: MODEL, ...content, ...stream };
  const bare = { headers: {}, service: null };
  switch (kind) {
    case "anthropic":
      return {
        ...bare,
        path: "/v1/messages",
        headers: { ...VERSION, "x-api-key": TEST_ANTHROPIC_KEY },
        body: messages,
      };
    case "anthropicAws":
      return {
        path: "/v1/messages",
        headers: { ...VERSION, "anthropic-workspace-id": TEST_WORKSPACE },
        body: messages,
        service: "aws-external-anthropic",
      };
    case "bedrock":
      return {
        path: `/model/eu.anthropic.${MODEL}-v1%3A0/${isStream ? "invoke-with-response-stream" : "invoke"}`,
        headers: {},
        body: { anthropic_version: "bedrock-2023-05-31", ...content },
        service: "bedrock",
      };
    case "vertex":
      return {
        ...bare,
        path: `/v1/projects/${TEST_GOOGLE_PROJECT}/locations/${TEST_GOOGLE_REGION}/publishers/anthropic/models/${MODEL}:${isStream ? "streamRawPredict" : "rawPredict"}`,
        headers: tokenFor(server.dialect),
        body: { anthropic_version: "vertex-2023-10-16", ...content, ...stream },
      };
    case "foundry":
      return {
        ...bare,
        path: "/anthropic/v1/messages",
        headers: { ...VERSION, "x-api-key": TEST_AZURE_KEY },
        body: messages,
      };
    case "foundry-entra":
      return {
        ...bare,
        path: "/anthropic/v1/messages",
        headers: { ...VERSION, ...tokenFor(server.dialect) },
        body: messages,
      };
    case "custom":
      return {
        ...bare,
        path: "/v1/messages",
        headers: { ...VERSION, authorization: `Bearer ${TEST_CUSTOM_TOKEN}` },
        body: messages,
      };
    case "custom-sagemaker":
      return {
        path: `/endpoints/claude-stand-in/${isStream ? "invocations-response-stream" : "invocations"}`,
        headers: {},
        body: { ...content, ...stream },
        service: "sagemaker",
      };
    default:
      return { ...bare, ...openAiDraft(kind, { ...stream, messages: content.messages }, text) };
  }
}

function openAiDraft(kind: string, chat: Readonly<Record<string, unknown>>, text: string): Omit<Draft, "service"> {
  const bearer = { authorization: `Bearer ${TEST_OPENAI_KEY}` };
  const key = { "api-key": TEST_AZURE_KEY };
  switch (kind) {
    case "openai":
      return { path: "/v1/chat/completions", headers: bearer, body: { model: TEST_OPENAI_MODEL, ...chat } };
    case "openai-responses": {
      const { messages: _, ...stream } = chat;
      return { path: "/v1/responses", headers: bearer, body: { model: TEST_OPENAI_MODEL, input: text, ...stream } };
    }
    case "openai-compatible":
      return { path: "/v1/chat/completions", headers: {}, body: { model: "local-model", ...chat } };
    case "azure-openai":
      return { path: "/openai/v1/chat/completions", headers: key, body: { model: "stand-in-chat", ...chat } };
    case "azure-openai-deployments":
      return {
        path: "/openai/deployments/stand-in-chat/chat/completions?api-version=2024-10-21",
        headers: key,
        body: chat,
      };
    default:
      throw new Error(`there is no direct request for ${kind}`);
  }
}

function tokenFor(dialect: unknown): Readonly<Record<string, string>> {
  if (dialect instanceof VertexCloud || dialect instanceof FoundryCloud) dialect.tokens.issue(TOKEN);
  return { authorization: `Bearer ${TOKEN}` };
}

/** The headers of a request with the signature of AWS's own signer. */
export async function signed(
  { url, headers, body }: DirectRequest,
  service: string,
  region: string = TEST_AWS_REGION,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ service, region, credentials: TEST_AWS_KEYS, sha256: NodeSha256 });
  const { host, hostname, port, pathname } = new URL(url);
  const request = {
    method: "POST",
    protocol: "http:",
    hostname,
    port: Number(port),
    path: pathname,
    headers: { ...headers, host },
    body,
  };
  const { host: _, ...all } = (await signer.sign(request)).headers;
  return all;
}

/** SHA-256 in the form that AWS's signer takes. */
class NodeSha256 {
  readonly #hash;

  constructor(key?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = key === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(key));
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {}
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Buffer {
  if (typeof data === "string") return Buffer.from(data);
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
}
