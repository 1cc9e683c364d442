import { describe, expect, it } from "vitest";

import { loadText } from "../../config/testing/config-directory.ts";
import { baseUrlOf } from "./configured.ts";

/** The address of one upstream, given as flow YAML. */
async function address(upstream: string): Promise<string | null | undefined> {
  const result = await loadText(`upstreams:\n  - { ${upstream} }\n`);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  return result.config.upstreams.map(baseUrlOf)[0];
}

const VERTEX = "provider: vertex, project_id: example-prod";
const KEY = "auth: { api_key: k }";

describe("where an upstream is", () => {
  it.each([
    [
      `provider: anthropic, ${KEY}, base_url: "https://gateway.example.com/anthropic/"`,
      "https://gateway.example.com/anthropic",
    ],
    ["provider: bedrock, region: eu-central-1", "https://bedrock-runtime.eu-central-1.amazonaws.com"],
    ["provider: bedrockMantle, region: us-east-1", "https://bedrock-mantle.us-east-1.api.aws/anthropic"],
    ["provider: bedrock, region: us-gov-west-1", "https://bedrock-runtime.us-gov-west-1.amazonaws.com"],
    [`${VERTEX}, region: global`, "https://aiplatform.googleapis.com"],
    [`${VERTEX}, region: eu`, "https://aiplatform.eu.rep.googleapis.com"],
    [`${VERTEX}, region: europe-west1`, "https://europe-west1-aiplatform.googleapis.com"],
    [`${VERTEX}, region: eu, base_url: "https://psc.example.com/v1"`, "https://psc.example.com"],
    ["provider: anthropicAws, region: us-east-1, workspace_id: w", "https://aws-external-anthropic.us-east-1.api.aws"],
    [`provider: foundry, resource: example, ${KEY}`, "https://example.services.ai.azure.com/anthropic"],
    [`provider: foundry, base_url: "https://a.azure.us/", ${KEY}`, "https://a.azure.us/anthropic"],
    [`provider: foundry, base_url: "https://a.azure.us/own/", ${KEY}`, "https://a.azure.us/own"],
    [`provider: azure-openai, resource: example, ${KEY}`, "https://example.openai.azure.com"],
    [`provider: azure-openai, base_url: "https://a.openai.azure.us/openai/v1/", ${KEY}`, "https://a.openai.azure.us"],
    [`provider: openai, ${KEY}`, "https://api.openai.com/v1"],
    [`provider: openai, base_url: "http://127.0.0.1:11434", ${KEY}`, "http://127.0.0.1:11434/v1"],
    ["provider: sandbox", null],
  ])("%s", async (upstream, expected) => {
    expect(await address(upstream)).toBe(expected);
  });
});
