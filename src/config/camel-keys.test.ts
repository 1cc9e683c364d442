import { describe, expect, it } from "vitest";

import { camelKeys } from "./camel-keys.ts";

describe("a section with camelCase keys", () => {
  it("has them at every depth, with the values as they were", () => {
    const section = { window_ms: 5, slow_start: { initial_share: 0.1 }, failover_statuses: [409], cache_write_1h: 1 };
    const { windowMs, slowStart, failoverStatuses, cacheWrite1h } = camelKeys(section);
    expect({ windowMs, slowStart, failoverStatuses, cacheWrite1h }).toEqual({
      windowMs: 5,
      slowStart: { initialShare: 0.1 },
      failoverStatuses: [409],
      cacheWrite1h: 1,
    });
  });
});
