import Anthropic from "@anthropic-ai/sdk";
import { onTestFinished } from "vitest";

import type { SandboxOptions } from "../sandbox-options.ts";
import { SandboxUpstream } from "../sandbox-upstream.ts";

/** The model that tests ask unless they say otherwise. */
export const MODEL = "claude-sonnet-5-5";

export const MODELS = [
  { id: "claude-opus-5-5", label: "Claude Opus 5.5" },
  { id: MODEL, label: "Claude Sonnet 5.5" },
  { id: "claude-sonnet-4-5", label: "Claude Sonnet 4.5" },
  { id: "claude-haiku-4-5", label: "Claude Haiku 4.5" },
];

/** A started sandbox and an SDK client of it. */
export interface TestSandbox {
  readonly sandbox: SandboxUpstream;
  readonly client: Anthropic;
}

/** For tests: starts a sandbox that stops when the test ends. The client does not retry. */
export async function startSandbox(options: Partial<SandboxOptions> = {}): Promise<TestSandbox> {
  const sandbox = new SandboxUpstream({ models: MODELS, ...options });
  await sandbox.start();
  onTestFinished(() => sandbox.stop());
  return { sandbox, client: new Anthropic({ apiKey: "test-key", baseURL: sandbox.url, maxRetries: 0 }) };
}

/** For tests: a request of one user message. */
export function ask(content: string): {
  model: string;
  max_tokens: number;
  messages: { role: "user"; content: string }[];
} {
  return { model: MODEL, max_tokens: 1_000, messages: [{ role: "user", content }] };
}

/** For tests: a raw POST of a message request with the headers that the API requires. */
export function postMessage(sandbox: SandboxUpstream, body: unknown, init: RequestInit = {}): Promise<Response> {
  return fetch(`${sandbox.url}/v1/messages`, {
    method: "POST",
    body: JSON.stringify(body),
    ...init,
    headers: { "x-api-key": "test-key", "anthropic-version": "2023-06-01", "content-type": "application/json" },
  });
}

/** For tests: waits until something holds; the test's own time limit ends the waiting. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}
