import { isObject, objectsOf, textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";

/** Characters of thinking for a token, roughly. */
const CHARS_PER_TOKEN = 4;

/** The counts of an answer as OpenAI has them: input with what was cached, output with what was thought. */
export interface TokenCounts {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

/** The counts behind a `usage` of Messages. */
export function countsOf(usage: unknown, thinkingChars: number): TokenCounts {
  const members = isObject(usage) ? usage : {};
  const count = (name: string): number => (typeof members[name] === "number" ? members[name] : 0);
  const cached = count("cache_read_input_tokens");
  const output = count("output_tokens");
  const reasoning = Math.min(output, Math.ceil(thinkingChars / CHARS_PER_TOKEN));
  return { input: count("input_tokens") + cached + count("cache_creation_input_tokens"), cached, output, reasoning };
}

/** Characters of thinking in a whole answer. */
export function thinkingCharsOf(message: JsonObject): number {
  return objectsOf(message["content"]).reduce((sum, block) => sum + textOf(block, "thinking").length, 0);
}
