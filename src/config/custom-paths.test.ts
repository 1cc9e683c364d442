import { describe, expect, it } from "vitest";

import { customPathsOf, type CustomPaths } from "./custom-paths.ts";
import { loadText } from "./testing/config-directory.ts";

/** The paths of a custom upstream with these settings, as flow YAML. */
async function paths(settings: string): Promise<CustomPaths> {
  const text = `upstreams:\n  - { provider: custom, base_url: https://llm.example.com, auth: { type: none }, ${settings} }\n`;
  const result = await loadText(text);
  const upstream = result.ok ? result.config.upstreams[0] : undefined;
  if (upstream?.provider !== "custom") throw new Error(JSON.stringify(result));
  return customPathsOf(upstream);
}

describe("the paths of a custom endpoint", () => {
  it("are those that its wire usually has", async () => {
    expect(await paths("wire: anthropic")).toMatchObject({ messages: "/v1/messages", messagesStream: null });
    expect(await paths("wire: openai-chat")).toEqual({
      messages: "/v1/chat/completions",
      messagesStream: null,
      countTokens: null,
    });
    expect(await paths("wire: bedrock, paths: { count_tokens: none }")).toEqual({
      messages: "/model/{model}/invoke",
      messagesStream: "/model/{model}/invoke-with-response-stream",
      countTokens: null,
    });
  });

  it("are those that were said, and none of another service beside them", async () => {
    expect(await paths("paths: { messages: '/endpoints/{model}/invocations' }")).toEqual({
      messages: "/endpoints/{model}/invocations",
      messagesStream: null,
      countTokens: null,
    });
  });
});
