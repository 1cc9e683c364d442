import { describe, expect, it } from "vitest";

import { loadText } from "../../config/testing/config-directory.ts";
import { canonicalModel } from "../../message/models.ts";
import { modelNames } from "./model-names.ts";

/** What one upstream, given as flow YAML, calls a model. */
async function nameAt(upstream: string, asked: string): Promise<string | null> {
  const loaded = await loadText(`upstreams:\n  - { ${upstream} }\n`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics, null, 2));
  const [first] = loaded.config.upstreams;
  if (first === undefined) throw new Error("no upstream");
  return modelNames(first)(asked, canonicalModel(asked));
}

const KEY = "auth: { api_key: k }";
const ANTHROPIC = `provider: anthropic, ${KEY}`;
const BEDROCK = "provider: bedrock, region";
const HAIKU = "anthropic.claude-haiku-4-5-20251001-v1:0";

describe("what a built-in model is called at an upstream", () => {
  it.each([
    [ANTHROPIC, "claude-opus-5", "claude-opus-5"],
    [ANTHROPIC, "claude-haiku-4-5-20251001", "claude-haiku-4-5-20251001"],
    [ANTHROPIC, `us.${HAIKU}`, "claude-haiku-4-5-20251001"],
    [ANTHROPIC, "claude-haiku-4-5@20251001", "claude-haiku-4-5-20251001"],
    [ANTHROPIC, "global.anthropic.claude-opus-4-6-v1", "claude-opus-4-6"],
    [ANTHROPIC, "vertex_ai/CLAUDE-Opus-5", "claude-opus-5"],
    ["provider: anthropicAws, region: us-east-1, workspace_id: w", `eu.${HAIKU}`, "claude-haiku-4-5-20251001"],
    ["provider: sandbox", "claude-opus-5", "claude-opus-5"],
    [`provider: foundry, resource: r, ${KEY}`, "claude-haiku-4-5-20251001", "claude-haiku-4-5"],
    ["provider: bedrockMantle, region: us-east-1", "claude-haiku-4-5-20251001", "anthropic.claude-haiku-4-5"],
    ["provider: vertex, region: global, project_id: example-prod", `us.${HAIKU}`, "claude-haiku-4-5@20251001"],
    ["provider: vertex, region: global, project_id: example-prod", "claude-opus-5", "claude-opus-5"],
  ])("%s: %s is %s", async (upstream, asked, name) => {
    expect(await nameAt(upstream, asked)).toBe(name);
  });

  it.each([
    ["us-east-1", "claude-haiku-4-5", `us.${HAIKU}`],
    ["eu-central-1", "claude-haiku-4-5", `eu.${HAIKU}`],
    ["us-gov-west-1", "claude-haiku-4-5", `us-gov.${HAIKU}`],
    // Whatever profile a client named: which one is called is for the operator to say.
    ["eu-central-1", `us.${HAIKU}`, `eu.${HAIKU}`],
    ["ap-northeast-1", "claude-haiku-4-5", `jp.${HAIKU}`],
    ["ap-southeast-2", "claude-haiku-4-5", `au.${HAIKU}`],
    ["ap-northeast-1", "claude-opus-4-6", "jp.anthropic.claude-opus-4-6-v1"],
    ["ap-south-1", "claude-opus-4-6", "apac.anthropic.claude-opus-4-6-v1"],
    // AWS has no profile for it there.
    ["ap-south-1", "claude-haiku-4-5", `global.${HAIKU}`],
    ["sa-east-1", "claude-haiku-4-5", `global.${HAIKU}`],
  ])("Bedrock in %s: %s is %s", async (region, asked, name) => {
    expect(await nameAt(`${BEDROCK}: ${region}`, asked)).toBe(name);
  });

  it.each([
    ["global", `global.${HAIKU}`],
    ["none", HAIKU],
    ["ca", `ca.${HAIKU}`],
    ["jp", `jp.${HAIKU}`],
    // A geography that was named is kept to, and the model not tried where there is no profile.
    ["apac", null],
  ])("Bedrock with profiles %s: %s", async (profiles, name) => {
    expect(await nameAt(`${BEDROCK}: eu-central-1, inference_profiles: ${profiles}`, "claude-haiku-4-5")).toBe(name);
  });

  it.each([
    `provider: openai, ${KEY}`,
    `provider: azure-openai, resource: r, ${KEY}`,
    "provider: custom, base_url: 'https://llm.example.com', auth: { type: none }",
    `${ANTHROPIC}, builtin_models: false`,
    `${BEDROCK}: eu-central-1, builtin_models: false`,
  ])("%s: it is not tried there", async (upstream) => {
    expect(await nameAt(upstream, "claude-opus-5")).toBeNull();
  });

  it.each([
    `provider: openai, ${KEY}, builtin_models: true`,
    "provider: custom, base_url: 'https://llm.example.com', auth: { type: none }, builtin_models: true",
  ])("%s: it has its own id", async (upstream) => {
    expect(await nameAt(upstream, `us.${HAIKU}`)).toBe("claude-haiku-4-5-20251001");
  });
});
