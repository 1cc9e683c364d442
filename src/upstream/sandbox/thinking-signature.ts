import { hash } from "node:crypto";

import { textOf, type JsonObject } from "./json-value.ts";

/** Decoded start of every signature of the sandbox. One for all seeds, so that conversations move between sandboxes. */
const MARK = "weir-sandbox-thinking:1:";

/** The signature of a thinking text: opaque to clients, base64, bound to the text. */
export function signThinking(text: string): string {
  return Buffer.from(MARK + hash("sha256", MARK + text, "base64")).toString("base64");
}

/**
 * True for a thinking block that carries a signature of the sandbox but not the text that was signed: somebody changed
 * it on the way. Signatures of other services cannot be checked and pass.
 */
export function isForgedThinking(block: JsonObject): boolean {
  const signature = textOf(block, "signature");
  const isOurs = Buffer.from(signature, "base64").toString("latin1").startsWith(MARK);
  return isOurs && signature !== signThinking(textOf(block, "thinking"));
}
