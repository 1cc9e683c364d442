import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import type { Clock } from "../../../core/clock.ts";
import { Deadline } from "./deadline.ts";

/** The time of the timers that the test moves. */
const clock: Clock = { nowMs: () => Date.now(), monotonicMs: () => Date.now() };

describe("Deadline", () => {
  let passed: number;
  let deadline: Deadline;

  beforeEach(() => {
    vi.useFakeTimers();
    passed = 0;
    deadline = new Deadline(clock, () => passed++);
  });

  afterEach(() => {
    deadline.stop();
    expect(vi.getTimerCount()).toBe(0);
    vi.useRealTimers();
  });

  function pass(ms: number): void {
    vi.advanceTimersByTime(ms);
  }

  it("passes once, when its time has come", () => {
    deadline.set(100);
    pass(99);
    expect(passed).toBe(0);
    pass(1);
    expect(passed).toBe(1);
    pass(1_000);
    expect(passed).toBe(1);
  });

  it("moved on before it has passed, passes at the new time only", () => {
    deadline.set(100);
    pass(60);
    deadline.set(100);
    pass(99);
    expect(passed).toBe(0);
    pass(1);
    expect(passed).toBe(1);
  });

  it("brought forward, passes earlier", () => {
    deadline.set(10_000);
    deadline.set(50);
    pass(50);
    expect(passed).toBe(1);
  });

  it.each([
    ["cleared", (): void => deadline.clear()],
    ["set to none", (): void => deadline.set(0)],
  ])("%s, does not pass, and can be set again", (_, undo) => {
    deadline.set(100);
    undo();
    pass(200);
    expect(passed).toBe(0);
    deadline.set(30);
    pass(30);
    expect(passed).toBe(1);
  });

  it("moved a thousand times, has one timer", () => {
    for (let i = 0; i < 1_000; i++) deadline.set(100 + i);
    expect(vi.getTimerCount()).toBe(1);
  });

  it("waits longer than a timer can", () => {
    const month = 30 * 24 * 3_600_000;
    deadline.set(month);
    pass(month - 1);
    expect(passed).toBe(0);
    pass(1);
    expect(passed).toBe(1);
  });
});
