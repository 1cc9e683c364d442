import { describe, expect, it } from "vitest";

import { BufferReclaim } from "./buffer-reclaim.ts";

const MB = 1024 * 1024;

describe("BufferReclaim", () => {
  it("collects once for every sixteen megabytes, in bodies of whatever size", () => {
    let collections = 0;
    const reclaim = new BufferReclaim(() => collections++);
    for (let i = 0; i < 47; i++) reclaim.read(MB);
    expect(collections).toBe(2);
    reclaim.read(40 * MB);
    expect(collections).toBe(3);
  });

  it("does nothing where collections cannot be asked for", () => {
    expect(() => new BufferReclaim(null).read(100 * MB)).not.toThrow();
  });
});
