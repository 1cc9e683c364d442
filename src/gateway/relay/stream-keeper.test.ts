import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { StreamKeeper, type KeptStream } from "./stream-keeper.ts";

/** A stream that counts its pings and, as the real one does, notes when it sent them. */
class QuietStream implements KeptStream {
  readonly pingAfterMs = 15_000;
  lastSentAtMs: number;
  pings = 0;
  readonly #clock: ManualClock;

  constructor(clock: ManualClock) {
    this.#clock = clock;
    this.lastSentAtMs = clock.monotonicMs();
  }

  ping(): void {
    this.pings++;
    this.lastSentAtMs = this.#clock.monotonicMs();
  }
}

describe("StreamKeeper", () => {
  let clock: ManualClock;
  let keeper: StreamKeeper;

  beforeEach(() => {
    vi.useFakeTimers();
    clock = new ManualClock(0);
    keeper = new StreamKeeper(clock);
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  function pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      clock.advance(1_000);
      vi.advanceTimersByTime(1_000);
    }
  }

  it("pings a stream after its silence, again and again, and not before", async () => {
    await keeper.start();
    const stream = new QuietStream(clock);
    keeper.add(stream);
    pass(14);
    expect(stream.pings).toBe(0);

    pass(1);
    expect(stream.pings).toBe(1);
    pass(30);
    expect(stream.pings).toBe(3);
  });

  it("leaves a stream alone that has something to say", async () => {
    await keeper.start();
    const stream = new QuietStream(clock);
    keeper.add(stream);
    for (let i = 0; i < 10; i++) {
      pass(10);
      stream.lastSentAtMs = clock.monotonicMs();
    }

    expect(stream.pings).toBe(0);
  });

  it("forgets a stream that has ended", async () => {
    await keeper.start();
    const stream = new QuietStream(clock);
    keeper.add(stream);
    keeper.remove(stream);
    pass(60);

    expect(stream.pings).toBe(0);
    expect(keeper.open).toBe(0);
  });

  it("stops its one timer", async () => {
    await keeper.start();
    for (let i = 0; i < 100; i++) keeper.add(new QuietStream(clock));
    expect(vi.getTimerCount()).toBe(1);
    await keeper.stop();
    await keeper.stop();

    expect(vi.getTimerCount()).toBe(0);
  });
});
