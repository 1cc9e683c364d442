import { describe, expect, it } from "vitest";

import { forwardHeaders, returnHeaders } from "./forward-headers.ts";

describe("forwardHeaders", () => {
  it("keeps every anthropic-*, x-claude-code-* and x-stainless-* header, in order, repeats included", () => {
    const headers = [
      "Anthropic-Beta",
      "a",
      "X-Stainless-Lang",
      "js",
      "anthropic-beta",
      "b",
      "X-Claude-Code-Agent-Id",
      "7",
    ];

    expect(forwardHeaders(headers, undefined)).toEqual([
      "anthropic-beta",
      "a",
      "x-stainless-lang",
      "js",
      "anthropic-beta",
      "b",
      "x-claude-code-agent-id",
      "7",
    ]);
  });

  it.each([
    "x-api-key",
    "Authorization",
    "Cookie",
    "Host",
    "Connection",
    "Transfer-Encoding",
    "TE",
    "Upgrade",
    "Content-Length",
    "Content-Encoding",
    "Accept-Encoding",
    "X-Forwarded-For",
    "Forwarded",
    "Proxy-Authorization",
    "Origin",
    "X-Unknown",
    "anthropic",
  ])("drops %s", (name) => {
    expect(forwardHeaders([name, "value", "accept", "application/json"], undefined)).toEqual([
      "accept",
      "application/json",
    ]);
  });

  it.each(["anthropic-beta", "close, Anthropic-Beta", "keep-alive ,anthropic-beta,x"])(
    "drops what Connection: %s names",
    (connection) => {
      expect(forwardHeaders(["Anthropic-Beta", "a", "user-agent", "cli"], connection)).toEqual(["user-agent", "cli"]);
    },
  );
});

describe("returnHeaders", () => {
  it("keeps what concerns the caller, and not the organisation's own quota", () => {
    const headers = {
      "content-type": "text/event-stream",
      "retry-after": "3",
      "x-should-retry": "true",
      "anthropic-organization-id": "org",
      "anthropic-ratelimit-requests-remaining": "9",
      "set-cookie": ["a=b"],
      server: "nginx",
      "request-id": "req_upstream",
      "transfer-encoding": "chunked",
      connection: "keep-alive",
    };

    expect(returnHeaders(headers)).toEqual({
      "content-type": "text/event-stream",
      "retry-after": "3",
      "x-should-retry": "true",
      "anthropic-organization-id": "org",
    });
  });
});
