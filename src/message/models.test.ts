import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS, canonicalModel, matchesModel } from "./models.ts";

const builtin = fc.constantFrom(...BUILTIN_MODELS.map((model) => model.id));
const date = fc
  .integer({ min: Date.UTC(2023, 0), max: Date.UTC(2029, 0) })
  .map((ms) => new Date(ms).toISOString().slice(0, 10).replaceAll("-", ""));
const optionalDate = fc.oneof(fc.constant(""), date);

/** How the providers spell a model: the Messages API, Vertex, Bedrock (plain, regional, ARN), LiteLLM-style prefixes. */
const spelling = fc
  .record({
    id: builtin,
    date: optionalDate,
    style: fc.constantFrom("plain", "latest", "vertex", "vertex_ai/", "bedrock", "regional", "arn"),
    suffix: fc.constantFrom("", "[1m]"),
    upper: fc.boolean(),
  })
  .map(({ id, date, style, suffix, upper }) => {
    const dated = date === "" ? id : `${id}-${date}`;
    const at = date === "" ? id : `${id}@${date}`;
    const texts: Readonly<Record<string, string>> = {
      plain: dated,
      latest: `${id}-latest`,
      vertex: at,
      "vertex_ai/": `vertex_ai/${at}`,
      bedrock: `anthropic.${dated}-v1:0`,
      regional: `eu.anthropic.${dated}-v2:0`,
      arn: `arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.${dated}-v1:0`,
    };
    const text = `${texts[style]}${suffix}`;
    return { id, text: upper ? text.toUpperCase() : text };
  });

describe("canonicalModel", () => {
  it("finds the built-in model behind every provider's spelling", () => {
    fc.assert(
      fc.property(spelling, ({ id, text }) => {
        expect(canonicalModel(text)).toBe(id);
      }),
    );
  });

  it.each([
    "gpt-5",
    "claude",
    "claude-",
    "claude-sonnet",
    "claude-sonnet-4-55",
    "claude-opus-5-mini",
    "claude-opus-5-20251",
    "claude-opus-4-1-20250805",
    "",
  ])("knows nothing behind %j", (text) => {
    expect(canonicalModel(text)).toBeNull();
  });

  it("does not take one model for another whose name it begins with", () => {
    expect(canonicalModel("claude-opus-5-5")).toBe("claude-opus-5-5");
    expect(canonicalModel("claude-opus-5")).toBe("claude-opus-5");
    expect(canonicalModel("claude-sonnet-5-20270101")).toBe("claude-sonnet-5");
  });

  it("lists every model once", () => {
    const ids = BUILTIN_MODELS.map((model) => model.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("matchesModel", () => {
  /** The same meaning by a regular expression: slow, but plainly right. */
  function byRegExp(pattern: string, id: string): boolean {
    const source = pattern
      .split("*")
      .map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*");
    return new RegExp(`^${source}$`, "is").test(id);
  }

  it("agrees with a regular expression on any pattern", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "B", "-", "."), maxLength: 12 });
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", "-", ".", "*"), maxLength: 8 });
    fc.assert(
      fc.property(patterns, letters, (pattern, id) => {
        expect(matchesModel(pattern, id)).toBe(byRegExp(pattern, id));
      }),
      { numRuns: 2_000 },
    );
  });

  it("lets no part of the text serve for two parts of the pattern", () => {
    expect(matchesModel("ab*ba", "aba")).toBe(false);
    expect(matchesModel("a*a*a", "aa")).toBe(false);
    expect(matchesModel("claude-*", "claude-")).toBe(true);
  });
});
