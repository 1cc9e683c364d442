import { isObject, type JsonObject } from "../openai/json-reader.ts";

/** How the texts of this module begin: who made them, what is in them, and in which version. */
const BLOCKS_PREFIX = "weir:messages-blocks:v1:";
const REASONING_PREFIX = "weir:openai-reasoning:v1:";
const ANY_PREFIX = /^weir:[a-z-]+:v\d+:/;

/**
 * Puts content blocks of the Messages API that Responses has no form for (thinking with its signature, search results with
 * their encrypted pages, compactions) into the opaque text of a reasoning item, so that the client sends them back.
 */
export function carryBlocks(blocks: readonly unknown[]): string {
  return BLOCKS_PREFIX + encode(blocks);
}

/** The blocks of a text that `carryBlocks` made; null when it is of another origin or broken. */
export function carriedBlocks(text: string): readonly JsonObject[] | null {
  const value = decode(text, BLOCKS_PREFIX);
  if (!Array.isArray(value) || value.length === 0) return null;
  const blocks: JsonObject[] = [];
  for (const block of value) {
    if (!isObject(block) || typeof block["type"] !== "string") return null;
    blocks.push(block);
  }
  return blocks;
}

/** Puts the opaque text of an upstream's reasoning item into a thinking block's signature. */
export function carryReasoning(encryptedContent: string): string {
  return REASONING_PREFIX + encode({ encrypted_content: encryptedContent });
}

/** The opaque text that `carryReasoning` put away; null for a signature of another origin, such as Claude's own. */
export function carriedReasoning(signature: string): string | null {
  const value = decode(signature, REASONING_PREFIX);
  const content = isObject(value) ? value["encrypted_content"] : undefined;
  return typeof content === "string" && content !== "" ? content : null;
}

/** Whether a text says that Weir made it, whatever its version. */
export function isCarrier(text: string): boolean {
  return ANY_PREFIX.test(text);
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

function decode(text: string, prefix: string): unknown {
  if (!text.startsWith(prefix)) return null;
  try {
    return JSON.parse(Buffer.from(text.slice(prefix.length), "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
