import { describe, expect, it } from "vitest";

import { ENDPOINTS, matchEndpoint } from "./endpoints.ts";

function match(path: string): string | null {
  const found = matchEndpoint(path);
  return found === null ? null : found.endpoint.name + found.rest;
}

/** A path as a client sends it. */
function filled(path: string): string {
  return path.replaceAll(/\{\w+\}/g, "x");
}

describe("matchEndpoint", () => {
  it.each(ENDPOINTS.filter(({ path }) => path !== "/").map(({ path, name }) => [filled(path), name] as const))(
    "finds %s, alone and behind any base prefix",
    (path, name) => {
      expect(match(path)).toBe(name);
      expect(match(`/team/proxy${path}`)).toBe(name);
    },
  );

  it.each([
    ["/", "root"],
    ["*", "root"],
    ["/v1/messages/batches/msgbatch_1/results", "batches/msgbatch_1/results"],
    ["/base/v1/files/file_1/content", "files/file_1/content"],
    ["/v1/models/claude-opus-5", "models/claude-opus-5"],
    ["/v1/models/health", "models/health"],
    ["/v1/files/", "files/"],
  ])("takes %s for %s", (path, expected) => {
    expect(match(path)).toBe(expected);
  });

  it.each([
    ["/model/us.anthropic.claude-opus-5/invoke", "us.anthropic.claude-opus-5"],
    [
      "/bedrock/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fabc/invoke-with-response-stream",
      "arn:aws:bedrock:us-east-1:1:inference-profile/abc",
    ],
    [
      "/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-4-5@20251101:rawPredict",
      "claude-opus-4-5@20251101",
    ],
    ["/projects/p/locations/global/publishers/anthropic/models/claude-opus-5:streamRawPredict", "claude-opus-5"],
    ["/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict", null],
    ["/openai/deployments/gpt-x/chat/completions", "gpt-x"],
    ["/openai/v1/chat/completions", null],
    ["/model/%E0%A4%A/invoke", "%E0%A4%A"],
  ])("finds the model in %s", (path, model) => {
    expect(matchEndpoint(path)).toMatchObject({ model });
  });

  it.each([
    "",
    "/v1",
    "/v1/messages/",
    "/v1/messages/unknown",
    "/v1/messagesx",
    "/xv1/messages",
    "/v1/modelsx",
    "/V1/MESSAGES",
    "/v1/count_tokens",
    "/api/claude",
    "/base/",
  ])("serves nothing at %j", (path) => {
    expect(match(path)).toBeNull();
  });
});
