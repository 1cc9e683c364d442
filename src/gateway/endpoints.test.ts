import { describe, expect, it } from "vitest";

import { ENDPOINTS, matchEndpoint } from "./endpoints.ts";

function match(path: string): string | null {
  const found = matchEndpoint(path);
  return found === null ? null : found.endpoint.name + found.rest;
}

describe("matchEndpoint", () => {
  it.each(ENDPOINTS.filter(({ path }) => path !== "/").map(({ path, name }) => [path, name] as const))(
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
