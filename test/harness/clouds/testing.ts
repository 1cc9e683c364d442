import { onTestFinished } from "vitest";

import { CloudServer, type CloudServerOptions } from "./cloud-server.ts";
import type { Dialect } from "./dialect.ts";

export const MODEL = "claude-sonnet-5-5";

/** For tests: starts a stand-in that stops when the test ends. */
export async function startCloud<D extends Dialect>(dialect: D, options?: CloudServerOptions): Promise<CloudServer<D>> {
  const server = new CloudServer(dialect, options);
  await server.start();
  onTestFinished(() => server.stop());
  return server;
}

/** For tests: the parameters of a request of one user message. */
export function hello(text = "Say hello."): {
  model: string;
  max_tokens: number;
  messages: { role: "user"; content: string }[];
} {
  return { model: MODEL, max_tokens: 2_000, messages: [{ role: "user", content: text }] };
}

/** For tests: a tool whose use a prompt such as "Run `echo hi`" asks for. */
export const BASH_TOOL = {
  name: "bash",
  description: "Runs a command.",
  input_schema: { type: "object" as const, properties: { command: { type: "string" } }, required: ["command"] },
};

/** For tests: what a promise rejects with; throws when it does not. */
export async function rejectionOf(work: PromiseLike<unknown>): Promise<Error & { status?: number }> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
  throw new Error("it succeeded");
}
