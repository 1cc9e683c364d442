import { describe, expect, it } from "vitest";

import { target, usage } from "../testing/route-fixtures.ts";
import { warmthAfter as warmthWith } from "./warmth.ts";

type Args = [Parameters<typeof warmthWith>[0], Parameters<typeof warmthWith>[1], Parameters<typeof warmthWith>[2]];

const MINUTE_MS = 60_000;
const AT = target("a");

function warmthAfter(...[used, at, before, nowMs]: [...Args, number]): ReturnType<typeof warmthWith> {
  return warmthWith(used, at, before, { nowMs, ttlMs: 5 * MINUTE_MS });
}

describe("what an answer leaves warm", () => {
  it("is what was read from and written to the cache, for five minutes from now", () => {
    const after = warmthAfter(
      usage({ inputTokens: 12, cacheReadTokens: 50_000, cacheWrite5mTokens: 900 }),
      AT,
      null,
      1_000,
    );

    expect(after).toEqual({ targetKey: AT.key, tokens: 50_900, life: "5m", expiresAtMs: 1_000 + 5 * MINUTE_MS });
  });

  it("is nothing when nothing was cached: plain input is not warm", () => {
    expect(warmthAfter(usage({ inputTokens: 90_000 }), AT, null, 0)).toBeNull();
  });

  it("includes the input where the target caches without being told", () => {
    const implicit = target("openai", { promptCache: "implicit" });

    expect(warmthAfter(usage({ inputTokens: 900, cacheReadTokens: 100 }), implicit, null, 0)?.tokens).toBe(1_000);
  });

  it("is nothing where the target caches nothing", () => {
    expect(warmthAfter(usage({ cacheReadTokens: 5 }), target("x", { promptCache: "none" }), null, 0)).toBeNull();
  });

  it("lives for an hour when it was written for one, and goes on doing so while it is read", () => {
    const written = warmthAfter(usage({ cacheWrite1hTokens: 10 }), AT, null, 0);
    expect(written).toMatchObject({ life: "1h", expiresAtMs: 60 * MINUTE_MS });

    const read = warmthAfter(usage({ cacheReadTokens: 10 }), AT, written, 30 * MINUTE_MS);
    expect(read).toMatchObject({ life: "1h", expiresAtMs: 90 * MINUTE_MS });
  });

  it("is of five minutes again when it was written anew elsewhere", () => {
    const written = warmthAfter(usage({ cacheWrite1hTokens: 10 }), AT, null, 0);

    expect(warmthAfter(usage({ cacheWrite5mTokens: 10 }), target("b"), written, 0)?.life).toBe("5m");
  });

  it("lasts as long as the settings say, and one written for an hour at least an hour", () => {
    const read = usage({ cacheReadTokens: 10 });
    const hour = usage({ cacheWrite1hTokens: 10 });
    const at = { nowMs: 0, ttlMs: 30 * MINUTE_MS };

    expect(warmthWith(read, AT, null, at)?.expiresAtMs).toBe(30 * MINUTE_MS);
    expect(warmthWith(hour, AT, null, at)?.expiresAtMs).toBe(60 * MINUTE_MS);
    expect(warmthWith(hour, AT, null, { nowMs: 0, ttlMs: 90 * MINUTE_MS })?.expiresAtMs).toBe(90 * MINUTE_MS);
  });
});
