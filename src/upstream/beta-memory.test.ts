import { describe, expect, it } from "vitest";

import { BetaMemory } from "./beta-memory.ts";

const HOUR_MS = 3_600_000;

describe("what is remembered of betas", () => {
  it("is what a model refused, for an hour, and of that model alone", () => {
    const memory = new BetaMemory();
    memory.noteRefused("a", ["x-1"], 1_000);

    expect([...memory.refused("a", HOUR_MS)]).toEqual(["x-1"]);
    expect([...memory.refused("b", HOUR_MS)]).toEqual([]);
    expect([...memory.refused("a", 1_000 + HOUR_MS)]).toEqual([]);
  });

  it("clears those that were taken before of suspicion, unless nothing else is left", () => {
    const memory = new BetaMemory();
    memory.noteTaken("a", ["x-1", "x-2"]);

    expect(memory.suspects("a", ["x-1", "x-3"])).toEqual(["x-3"]);
    expect(memory.suspects("a", ["x-1"])).toEqual(["x-1"]);
    expect(memory.suspects("b", ["x-1", "x-3"])).toEqual(["x-1", "x-3"]);
  });

  it("is bounded, however many models and betas callers invent", () => {
    const memory = new BetaMemory();
    for (let i = 0; i < 1_000; i++) {
      memory.noteRefused(`model-${i}`, ["x"], 0);
      memory.noteRefused("one", [`beta-${i}`], 0);
    }

    expect(memory.refused("one", 0).size).toBe(64);
    expect(memory.refused("model-0", 0).size).toBe(0);
    expect(memory.refused("model-999", 0).size).toBe(1);
  });
});
