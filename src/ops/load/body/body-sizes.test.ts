import { describe, expect, it } from "vitest";

import { seededRandom } from "../random.ts";
import { bytesForTokens, MAX_BODY_BYTES, MIN_BODY_BYTES, parseBodyMix } from "./body-sizes.ts";
import { BodyStore } from "./body-store.ts";

describe("the sizes of bodies", () => {
  it("are read as a list with or without weights", () => {
    expect(parseBodyMix("2k,100k:3")).toEqual({
      label: "2k,100k:3",
      sizes: [
        { bytes: 2048, weight: 1 },
        { bytes: 102_400, weight: 3 },
      ],
    });
  });

  it("of the mix run from 2 KB to 500 KB", () => {
    const bytes = parseBodyMix("mix").sizes.map((size) => size.bytes);
    expect([Math.min(...bytes), Math.max(...bytes)]).toEqual([2048, 512_000]);
  });

  it.each(["", "2k,", "2k:0", "2k:x", "abc"])("are refused when written as %j", (text) => {
    expect(() => parseBodyMix(text)).toThrow(/--body/);
  });

  it("are drawn in proportion to their weights", () => {
    const plan = { model: "m", maxTokens: 1, stream: true, sharedPrefix: 1, body: parseBodyMix("2k:3,3k:1") };
    const store = new BodyStore(plan, 1);
    const random = seededRandom(1);
    const drawn = Array.from({ length: 4000 }, () => store.pick(random).bytes);
    expect(drawn.filter((bytes) => bytes === 2048).length / 4000).toBeCloseTo(0.75, 1);
    expect(new Set(drawn)).toEqual(new Set([2048, 3072]));
  });

  it("for traced tokens are about four bytes each, in few steps, within what can be sent", () => {
    expect(bytesForTokens(0)).toBe(MIN_BODY_BYTES);
    expect(bytesForTokens(1e9)).toBe(MAX_BODY_BYTES);
    const sizes = new Set<number>();
    for (let tokens = 600; tokens < 200_000; tokens += 7) {
      const bytes = bytesForTokens(tokens);
      expect(Math.abs(bytes / (tokens * 4) - 1)).toBeLessThan(0.05);
      sizes.add(bytes);
    }
    expect(sizes.size).toBeLessThan(80);
  });
});
