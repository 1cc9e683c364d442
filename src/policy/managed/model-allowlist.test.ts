import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS } from "../../message/models.ts";
import { ModelAllowlist } from "./model-allowlist.ts";

const ALL = BUILTIN_MODELS.map(({ id }) => id);

/** What of the built-in models a list allows. */
function allowed(...entries: string[]): string[] {
  const list = new ModelAllowlist(entries);
  return ALL.filter((model) => list.allows(model));
}

describe("ModelAllowlist", () => {
  it("takes a family for all of its models", () => {
    expect(allowed("sonnet")).toEqual(ALL.filter((id) => id.includes("sonnet")));
    expect(allowed("OPUS[1m]")).toEqual(ALL.filter((id) => id.includes("opus")));
  });

  it("takes the beginning of an id up to a dash", () => {
    expect(allowed("claude-opus-4")).toEqual(ALL.filter((id) => id.startsWith("claude-opus-4-")));
    expect(allowed("opus-4")).toEqual(allowed("claude-opus-4"));
    expect(allowed("claude-opus-5")).toEqual(["claude-opus-5-5", "claude-opus-5"]);
    expect(allowed("claude-opus-4-")).toEqual([]);
    expect(allowed("claude-opu")).toEqual([]);
  });

  it("lets a family stand back for entries that name some of its models", () => {
    expect(allowed("opus", "claude-opus-4-8", "haiku")).toEqual(["claude-opus-4-8", ...allowed("haiku")]);
  });

  it("knows one model under all spellings of its id", () => {
    for (const entry of [
      "claude-haiku-4-5-20251001",
      "us.anthropic.claude-haiku-4-5-20251001-v1:0",
      "claude-haiku-4-5@20251001",
    ]) {
      expect(allowed(entry), entry).toEqual(["claude-haiku-4-5"]);
    }
  });

  it("takes the organisation's own names, and knows no wildcards", () => {
    expect(new ModelAllowlist(["house-model"]).allows("House-Model")).toBe(true);
    expect(new ModelAllowlist(["house-model"]).allows("house")).toBe(false);
    expect(allowed("*", "claude-*", "default", "best", "opusplan")).toEqual([]);
  });

  it("allows nothing when it is empty", () => {
    expect(allowed()).toEqual([]);
  });

  it("answers the same when it is asked again, and for more names than it remembers", () => {
    const list = new ModelAllowlist(["sonnet"]);
    for (const round of [1, 2]) {
      for (let i = 0; i < 2_000; i++) {
        expect(list.allows(`claude-sonnet-x${i}`), `round ${round}`).toBe(true);
        expect(list.allows(`other-${i}`)).toBe(false);
      }
    }
  });
});
