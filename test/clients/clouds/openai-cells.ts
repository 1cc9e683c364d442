import type { APIError } from "openai";
import { expect } from "vitest";

import type { WireName } from "../../../src/wire/codec.ts";
import type { CloudFault } from "../../harness/clouds/cloud-fault.ts";
import type { CloudKind } from "../../harness/clouds/clouds.ts";

/** A prompt at which the model behind all stand-ins calls the tool below twice at once. */
export const PARALLEL = "Run `echo first` and also run `echo second`, both in parallel.";

export const SHELL = {
  name: "Bash",
  description: "Runs a shell command",
  parameters: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
};

/** The formats that a kind of OpenAI-like upstream speaks itself. */
export function isNative({ kind, speaksMessages }: CloudKind, format: WireName): boolean {
  if (speaksMessages) return false;
  if (format === "openai-chat") return kind !== "openai-responses";
  // The Azure stand-in with dated versions is asked in one from before Responses.
  return kind === "openai-responses" || kind === "azure-openai";
}

/** An error that says, in whatever words of the upstream, that the prompt is too long. */
export function expectTooLong(error: APIError, words: string): void {
  expect(error.message).toContain(words);
  expect(error.code).toBe("context_length_exceeded");
  // Claude Code's clue is not for these clients.
  expect(error.message).not.toContain("capability_rejected");
}

/** A fault of a cloud that is overloaded, and the status that a client of an OpenAI format sees. */
export function overload(kind: CloudKind, format: WireName): { readonly fault: CloudFault; readonly status: number } {
  const message = "The model is overloaded.";
  // Bedrock knows no 529, nor do OpenAI's formats, unless an upstream of the same format says it.
  const own = kind.provider === "bedrock" ? 503 : 529;
  return { fault: { kind: "status", status: own, message }, status: isNative(kind, format) ? own : 503 };
}
