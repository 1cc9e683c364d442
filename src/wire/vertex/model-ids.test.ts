import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS, canonicalModel } from "../../message/models.ts";
import { vertexModelId } from "./model-ids.ts";

describe("vertexModelId", () => {
  it("knows every built-in model, by an id that leads back to it", () => {
    for (const { id } of BUILTIN_MODELS) expect(canonicalModel(vertexModelId(id) ?? "")).toBe(id);
  });

  it.each([
    ["claude-haiku-4-5", "claude-haiku-4-5@20251001"],
    ["claude-sonnet-4-5-20250929", "claude-sonnet-4-5@20250929"],
    ["us.anthropic.claude-opus-4-5-20251101-v1:0", "claude-opus-4-5@20251101"],
    ["claude-opus-5-5", "claude-opus-5-5"],
    ["gpt-6", null],
  ])("gives %s as %s", (model, id) => {
    expect(vertexModelId(model)).toBe(id);
  });
});
