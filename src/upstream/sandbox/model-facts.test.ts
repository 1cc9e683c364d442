import { describe, expect, it } from "vitest";

import { modelFacts } from "./model-facts.ts";

describe("modelFacts", () => {
  it.each([
    ["claude-fable-5-2", 512],
    ["claude-opus-5-5", 512],
    ["claude-opus-4-8", 1024],
    ["claude-opus-4-7", 2048],
    ["claude-opus-4-6", 4096],
    ["claude-opus-4-1-20250805", 1024],
    ["claude-sonnet-5-5", 1024],
    ["claude-sonnet-4-20250514", 1024],
    ["claude-haiku-4-5-20251001", 4096],
    ["claude-haiku-5-5", 1024],
    ["something-else", 1024],
  ])("knows that %s caches from %i tokens", (id, tokens) => {
    expect(modelFacts(id).minCacheableTokens).toBe(tokens);
  });

  it("gives current models the long context and the older ones only with the beta", () => {
    expect(modelFacts("claude-sonnet-5-5").contextTokens).toBe(1_000_000);
    expect(modelFacts("claude-haiku-5-5").contextTokens).toBe(1_000_000);
    expect(modelFacts("claude-sonnet-4-5").contextTokens).toBe(200_000);
    expect(modelFacts("claude-sonnet-4-5", "context-1m-2025-08-07").contextTokens).toBe(1_000_000);
  });

  it("knows which models take a prefilled answer", () => {
    expect(modelFacts("claude-sonnet-4-5").allowsPrefill).toBe(true);
    expect(modelFacts("claude-opus-4-6").allowsPrefill).toBe(false);
    expect(modelFacts("claude-haiku-4-5").allowsPrefill).toBe(true);
    expect(modelFacts("claude-haiku-5-5").allowsPrefill).toBe(false);
  });
});
