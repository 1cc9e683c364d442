/** Tokens of one answer, as far as it reported them. */
export interface TokenUsage {
  inputTokens: number;
  outputTokens: number;
  cacheReadTokens: number;
  cacheWriteTokens: number;
}

const FIELDS = [
  ["input_tokens", "inputTokens"],
  ["output_tokens", "outputTokens"],
  ["cache_read_input_tokens", "cacheReadTokens"],
  ["cache_creation_input_tokens", "cacheWriteTokens"],
] as const;

export function noTokens(): TokenUsage {
  return { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0, cacheWriteTokens: 0 };
}

/** Takes over the counts that a `usage` object reports; they are cumulative, so a later one replaces an earlier one. */
export function takeUsage(into: TokenUsage, usage: unknown): void {
  for (const [field, name] of FIELDS) {
    const value = property(usage, field);
    if (typeof value === "number" && Number.isFinite(value) && value >= 0) into[name] = value;
  }
}

/** A property of a value of unknown shape; undefined when it is no object or has none. */
export function property(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  // Any object may be read by any key; the result stays unknown.
  return (value as Record<string, unknown>)[name];
}

/** A property that is expected to be text; null otherwise. */
export function textProperty(value: unknown, name: string): string | null {
  const found = property(value, name);
  return typeof found === "string" ? found : null;
}

/** Parses JSON from a server that may send anything. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
