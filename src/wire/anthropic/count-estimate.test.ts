import { randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import { estimateCount } from "./count-estimate.ts";

function request(content: unknown): Buffer {
  return Buffer.from(JSON.stringify({ model: "claude-opus-5", messages: [{ role: "user", content }] }));
}

function source(bytes: Buffer): unknown {
  return { type: "base64", media_type: "application/x", data: bytes.toString("base64") };
}

describe("the estimate of a count", () => {
  it("is about a token for three and a half bytes of text", () => {
    const words = "what goes over the weir is counted ".repeat(100);
    const tokens = estimateCount(request(words));

    expect(tokens).toBeGreaterThan(700);
    expect(tokens).toBeLessThan(1_100);
  });

  it("takes an image for what an image costs, and not for its bytes", () => {
    const one = estimateCount(request([{ type: "image", source: source(randomBytes(3_000_000)) }]));
    const two = estimateCount(
      request([
        { type: "image", source: source(randomBytes(3_000_000)) },
        { type: "image", source: source(randomBytes(40_000)) },
      ]),
    );

    expect(one).toBeLessThan(1_700);
    expect(two - one).toBeGreaterThan(1_500);
    expect(two - one).toBeLessThan(1_700);
  });

  it("takes a document by its pages", () => {
    const pdf = Buffer.concat([Buffer.from("%PDF-1.7\n"), randomBytes(499_000)]);
    const tokens = estimateCount(request([{ type: "document", source: source(pdf) }]));

    expect(tokens).toBeGreaterThan(24_000);
    expect(tokens).toBeLessThan(26_000);
  });
});
