import { describe, expect, it } from "vitest";

import { snakeKeys } from "./snake-keys.ts";

describe("snakeKeys", () => {
  it("renames keys at every depth and leaves values alone", () => {
    const given = { sinceMs: null, targets: [{ upstreamModel: "claude-Opus", costs5mUsd: 1 }], ok: true };
    const wanted = { since_ms: null, targets: [{ upstream_model: "claude-Opus", costs5m_usd: 1 }], ok: true };
    expect(snakeKeys(given)).toEqual(wanted);
  });
});
