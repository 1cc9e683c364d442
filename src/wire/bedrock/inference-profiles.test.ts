import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { findInferenceProfile, listInferenceProfiles, type InferenceProfile } from "./inference-profiles.ts";

const ARN = "arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/opus-prod";
const MODELS = [
  { id: "eu.anthropic.claude-opus-5-5", label: "Claude Opus 5.5" },
  { id: "global.anthropic.claude-haiku-4-5-20251001-v1:0", label: "Claude Haiku 4.5" },
  { id: ARN, label: "Opus, production" },
];
const ALL = { type: null, maxResults: null, nextToken: null };

function ids(profiles: readonly InferenceProfile[]): string[] {
  return profiles.map(({ inferenceProfileId }) => inferenceProfileId);
}

describe("listInferenceProfiles", () => {
  it("lists profiles as Bedrock does", () => {
    expect(listInferenceProfiles(MODELS, ALL, "eu-west-1")).toEqual({
      inferenceProfileSummaries: [
        {
          inferenceProfileId: "eu.anthropic.claude-opus-5-5",
          inferenceProfileName: "Claude Opus 5.5",
          inferenceProfileArn: "arn:aws:bedrock:eu-west-1:000000000000:inference-profile/eu.anthropic.claude-opus-5-5",
          models: [{ modelArn: "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-opus-5-5" }],
          status: "ACTIVE",
          type: "SYSTEM_DEFINED",
        },
        expect.objectContaining({
          models: [
            { modelArn: "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.claude-haiku-4-5-20251001-v1:0" },
          ],
        }),
        expect.objectContaining({ inferenceProfileId: "opus-prod", inferenceProfileArn: ARN, type: "APPLICATION" }),
      ],
    });
  });

  it("filters by type, as Claude Code asks", () => {
    const of = (type: string): string[] =>
      ids(listInferenceProfiles(MODELS, { ...ALL, type }, "eu-west-1").inferenceProfileSummaries);

    expect(of("SYSTEM_DEFINED")).toEqual([MODELS[0]?.id, MODELS[1]?.id]);
    expect(of("APPLICATION")).toEqual(["opus-prod"]);
  });

  it("gives every profile once over pages of any size", () => {
    for (const maxResults of ["1", "2", "3", "1000"]) {
      const seen: string[] = [];
      let nextToken: string | null = null;
      do {
        const page = listInferenceProfiles(MODELS, { ...ALL, maxResults, nextToken }, "eu-west-1");
        expect(page.inferenceProfileSummaries.length).toBeLessThanOrEqual(Number(maxResults));
        seen.push(...ids(page.inferenceProfileSummaries));
        nextToken = page.nextToken ?? null;
      } while (nextToken !== null);
      expect(seen).toEqual(ids(listInferenceProfiles(MODELS, ALL, "eu-west-1").inferenceProfileSummaries));
    }
  });

  it.each([
    { type: "OTHER" },
    { maxResults: "0" },
    { maxResults: "1001" },
    { maxResults: "x" },
    { nextToken: "not ours" },
  ])("refuses the query %j", (query) => {
    expect(() => listInferenceProfiles(MODELS, { ...ALL, ...query }, "eu-west-1")).toThrow(WeirError);
  });
});

describe("findInferenceProfile", () => {
  it("finds a profile by its id or its ARN", () => {
    expect(findInferenceProfile(MODELS, "eu.anthropic.claude-opus-5-5", "eu-west-1")?.inferenceProfileName).toBe(
      "Claude Opus 5.5",
    );
    expect(findInferenceProfile(MODELS, ARN, "eu-west-1")?.type).toBe("APPLICATION");
    expect(findInferenceProfile(MODELS, "us.anthropic.claude-opus-5-5", "eu-west-1")).toBeNull();
  });
});
