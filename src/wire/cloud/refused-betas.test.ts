import { describe, expect, it } from "vitest";

import { backsField, refusedBetas } from "./refused-betas.ts";

describe("an error about betas", () => {
  const SENT = ["interleaved-thinking-2025-05-14", "new-thing-2026-10-01"];

  it("is about all of them when it names none, and about those that it names", () => {
    expect(refusedBetas("invalid beta flag", SENT)).toEqual(SENT);
    expect(refusedBetas("anthropic_beta: invalid beta flag new-thing-2026-10-01", SENT)).toEqual([SENT[1]]);
    expect(refusedBetas("Unexpected value(s) `new-thing-2026-10-01` for the `anthropic-beta` header.", SENT)).toEqual([
      SENT[1],
    ]);
  });

  it("is none when it speaks of something else", () => {
    expect(refusedBetas("max_tokens: Field required", SENT)).toBeNull();
    expect(refusedBetas("Unexpected value(s) `foreign` for the `anthropic-beta` header.", SENT)).toBeNull();
  });
});

describe("a beta", () => {
  it("has to stay for what stands in the body, and only for that", () => {
    const body = Buffer.from('{"context_management":{"edits":[]},"messages":[]}');
    expect(backsField("context-management-2025-06-27", body)).toBe(true);
    expect(backsField("effort-2025-11-24", body)).toBe(false);
    expect(backsField("interleaved-thinking-2025-05-14", body)).toBe(false);
  });
});
