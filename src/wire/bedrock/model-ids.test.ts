import { describe, expect, it } from "vitest";

import { BUILTIN_MODELS, canonicalModel } from "../../message/models.ts";
import { bedrockGeo, bedrockModelId, countedModelId } from "./model-ids.ts";

describe("bedrockModelId", () => {
  it("knows every built-in model, by an id that leads back to it", () => {
    for (const { id } of BUILTIN_MODELS) {
      for (const geo of ["us", "us-gov", "eu", "apac", "jp", "au", "global"] as const) {
        const bedrock = bedrockModelId(id, geo);
        expect(bedrock).toMatch(/^[a-z-]+\.anthropic\.claude-/);
        expect(canonicalModel(bedrock ?? "")).toBe(id);
      }
    }
  });

  it.each([
    ["claude-opus-5-5", "us", "us.anthropic.claude-opus-5-5"],
    ["claude-haiku-4-5-20251001", "eu", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["claude-sonnet-4-5@20250929", "global", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["claude-opus-4-6", "apac", "apac.anthropic.claude-opus-4-6-v1"],
    ["claude-sonnet-4-6", "apac", "global.anthropic.claude-sonnet-4-6"],
    ["us.anthropic.claude-opus-4-8", "eu", "eu.anthropic.claude-opus-4-8"],
  ] as const)("gives %s in %s as %s", (model, geo, id) => {
    expect(bedrockModelId(model, geo)).toBe(id);
  });

  it("knows no other models", () => {
    expect(bedrockModelId("gpt-6", "us")).toBeNull();
  });
});

describe("bedrockGeo", () => {
  it.each([
    ["us-east-1", "us"],
    ["us-gov-west-1", "us-gov"],
    ["eu-central-1", "eu"],
    ["ap-southeast-2", "apac"],
    ["ca-central-1", "global"],
  ])("is, for %s, %s", (region, geo) => {
    expect(bedrockGeo(region)).toBe(geo);
  });
});

describe("countedModelId", () => {
  it.each([
    ["us.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"],
    ["us-gov.anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"],
    ["anthropic.claude-sonnet-4-6", "anthropic.claude-sonnet-4-6"],
    [
      "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-haiku-4-5-20251001-v1:0",
      "anthropic.claude-haiku-4-5-20251001-v1:0",
    ],
    ["arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-opus-4-6-v1", "anthropic.claude-opus-4-6-v1"],
    ["arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1", null],
    ["arn:aws:bedrock:us-east-1:123456789012:provisioned-model/a1", null],
  ])("is, for %s, %s", (id, counted) => {
    expect(countedModelId(id)).toBe(counted);
  });
});
