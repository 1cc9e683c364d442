import { describe, expect, it } from "vitest";

import { scanRequest } from "../../wire/anthropic/request-scan.ts";
import { boundedOutputTokens } from "./bounded-output.ts";

const ASKED = Buffer.from('{"model":"m","max_tokens":50,"messages":[]}');

describe("an estimate of output tokens", () => {
  it("stays as it is below what the request allowed", () => {
    const scan = scanRequest(ASKED, { maxDepth: 8, requireMaxTokens: true });
    expect(boundedOutputTokens({ scan }, 12)).toBe(12);
  });

  it("never passes the request's max_tokens, whatever the upstream has sent", () => {
    const scan = scanRequest(ASKED, { maxDepth: 8, requireMaxTokens: true });
    expect(boundedOutputTokens({ scan }, 16_777_219)).toBe(50);
  });

  it("is nothing where no output was asked for", () => {
    const scan = scanRequest(ASKED, { maxDepth: 8, requireMaxTokens: false });
    expect(boundedOutputTokens({ scan }, 7)).toBe(0);
    expect(boundedOutputTokens({ scan: null }, 7)).toBe(0);
  });
});
