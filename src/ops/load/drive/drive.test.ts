import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../../core/clock.ts";
import type { Arrival } from "../arrival/schedule.ts";
import { closedLoad } from "../testing/test-plan.ts";
import { runClosedLoad, type ClosedLoadOptions } from "./closed-load.ts";
import { runOpenLoad } from "./open-load.ts";
import type { Pacer } from "./pacer.ts";
import { RateCap } from "./rate-cap.ts";

/** Waits by moving the clock: what is waited for first comes first. */
class ManualPacer implements Pacer {
  readonly #clock: ManualClock;
  readonly #waiting: { atMs: number; resolve: () => void }[] = [];
  #moving = false;

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  until(atMs: number, signal: AbortSignal): Promise<void> {
    if (atMs <= this.#clock.monotonicMs() || signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting.push({ atMs, resolve });
      if (!this.#moving) this.#move();
    });
  }

  #move(): void {
    this.#moving = true;
    // On a later turn everybody who is going to wait does so already.
    setImmediate(() => {
      this.#waiting.sort((a, b) => a.atMs - b.atMs);
      const next = this.#waiting.shift();
      this.#moving = false;
      if (next === undefined) return;
      this.#clock.advance(Math.max(0, next.atMs - this.#clock.monotonicMs()));
      next.resolve();
      this.#move();
    });
  }
}

const arrivals = (...atMs: number[]): readonly Arrival[] =>
  atMs.map((at) => ({ atMs: at, inputTokens: null, outputTokens: null, sharedPrefix: null, client: 0 }));

interface Sent {
  readonly sequence: number;
  readonly dueMs: number;
  readonly sentMs: number;
}

describe("an open load", () => {
  it("sends each request when it is due, although none before has been answered", async () => {
    const clock = new ManualClock(0);
    const sent: Sent[] = [];
    const answers: (() => void)[] = [];
    const running = runOpenLoad(arrivals(0, 100, 250), {
      clock,
      pacer: new ManualPacer(clock),
      measureFromMs: 1000,
      signal: new AbortController().signal,
      mine: () => true,
      onUnsent: () => {},
      send: (_, sequence, dueMs) => {
        sent.push({ sequence, dueMs, sentMs: clock.monotonicMs() });
        return new Promise((resolve) => answers.push(resolve));
      },
    });
    while (sent.length < 3) await new Promise(setImmediate);
    expect(sent).toEqual([
      { sequence: 0, dueMs: 1000, sentMs: 1000 },
      { sequence: 1, dueMs: 1100, sentMs: 1100 },
      { sequence: 2, dueMs: 1250, sentMs: 1250 },
    ]);
    for (const answer of answers) answer();
    await running;
  });

  it("after a stall sends what is overdue at once and keeps its due times, so the stall is measured", async () => {
    const clock = new ManualClock(0);
    const sent: Sent[] = [];
    await runOpenLoad(arrivals(0, 10, 20, 30, 500), {
      clock,
      pacer: new ManualPacer(clock),
      measureFromMs: 0,
      signal: new AbortController().signal,
      mine: () => true,
      onUnsent: () => {},
      send: (_, sequence, dueMs) => {
        sent.push({ sequence, dueMs, sentMs: clock.monotonicMs() });
        if (sequence === 1) clock.advance(300); // The machine stood still.
        return Promise.resolve();
      },
    });
    expect(sent.map(({ dueMs, sentMs }) => sentMs - dueMs)).toEqual([0, 0, 290, 280, 0]);
  });

  it("sends only this thread's share", async () => {
    const clock = new ManualClock(0);
    const sent: number[] = [];
    await runOpenLoad(arrivals(0, 1, 2, 3, 4), {
      clock,
      pacer: new ManualPacer(clock),
      measureFromMs: 0,
      signal: new AbortController().signal,
      mine: (sequence) => sequence % 2 === 1,
      onUnsent: () => {},
      send: (_, sequence) => {
        sent.push(sequence);
        return Promise.resolve();
      },
    });
    expect(sent).toEqual([1, 3]);
  });

  it("sends no more once it is told to stop, and says what was due but not sent", async () => {
    const clock = new ManualClock(0);
    const stopping = new AbortController();
    const unsent: number[] = [];
    let sent = 0;
    await runOpenLoad(arrivals(0, 10, 20, 30, 40, 50, 60, 500), {
      clock,
      pacer: new ManualPacer(clock),
      measureFromMs: 0,
      signal: stopping.signal,
      mine: () => true,
      onUnsent: (dueMs) => unsent.push(dueMs),
      send: () => {
        if (++sent === 3) {
          clock.advance(25);
          stopping.abort();
        }
        return Promise.resolve();
      },
    });
    expect(sent).toBe(3);
    expect(unsent).toEqual([30, 40]);
  });
});

describe("a closed load", () => {
  interface Order {
    readonly user: number;
    readonly sequence: number;
    readonly dueMs: number;
  }

  /** Runs a load whose every request takes 100 ms. */
  async function orders(
    load: Parameters<typeof closedLoad>[0],
    changes: Partial<ClosedLoadOptions> = {},
  ): Promise<{ sent: Order[]; capped: number }> {
    const clock = new ManualClock(0);
    const pacer = new ManualPacer(clock);
    const sent: Order[] = [];
    let capped = 0;
    const whole = closedLoad(load);
    const signal = new AbortController().signal;
    await runClosedLoad(whole, {
      users: Array.from({ length: whole.users }, (_, user) => user),
      seed: 1,
      clock,
      pacer,
      cap: new RateCap(1e6),
      startMs: 0,
      measureFromMs: 0,
      signal,
      send: ({ user, sequence, dueMs }) => {
        sent.push({ user, sequence, dueMs });
        return pacer.until(clock.monotonicMs() + 100, signal);
      },
      onCapped: () => {
        capped += 1;
      },
      ...changes,
    });
    return { sent, capped };
  }

  it("has each user send its next request when the last was answered", async () => {
    const { sent } = await orders({ users: 2, requestsPerUser: 3 });
    expect(sent.filter(({ user }) => user === 0).map(({ dueMs }) => dueMs)).toEqual([0, 100, 200]);
    expect(sent).toHaveLength(6);
  });

  it("starts its users evenly over the ramp", async () => {
    const { sent } = await orders({ users: 4, requestsPerUser: 1, rampMs: 1000 });
    expect(sent.map(({ dueMs }) => dueMs)).toEqual([0, 250, 500, 750]);
  });

  it("thinks between requests for a time within its span", async () => {
    const { sent } = await orders({ users: 1, requestsPerUser: 50, thinkMinMs: 200, thinkMaxMs: 300 });
    const pauses = sent.slice(1).map(({ dueMs }, i) => dueMs - sent[i]!.dueMs - 100);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(200);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(300);
    expect(new Set(pauses).size).toBeGreaterThan(40);
  });

  it("does not count requests of the warm-up towards those of a user", async () => {
    const { sent } = await orders({ users: 1, requestsPerUser: 2 }, { measureFromMs: 250 });
    expect(sent.map(({ dueMs }) => dueMs)).toEqual([0, 100, 200, 300, 400]);
  });

  it("ends with its duration, also in the midst of a thought", async () => {
    const { sent } = await orders({ users: 1, requestsPerUser: null, durationMs: 450 });
    expect(sent.map(({ dueMs }) => dueMs)).toEqual([0, 100, 200, 300, 400]);
    const thinking = await orders({
      users: 1,
      requestsPerUser: null,
      durationMs: 450,
      thinkMinMs: 10_000,
      thinkMaxMs: 10_000,
    });
    expect(thinking.sent).toHaveLength(1);
  });

  it("is held to the cap, and says how often", async () => {
    const { sent, capped } = await orders({ users: 10, requestsPerUser: 10 }, { cap: new RateCap(20) });
    expect(sent.at(-1)!.dueMs).toBeGreaterThan(4500);
    expect(capped).toBeGreaterThan(80);
  });
});

describe("a rate cap", () => {
  it("lets at most a tenth of a second's requests bunch, and none above the rate over time", () => {
    const asks = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(asks, fc.integer({ min: 1, max: 500 }), (steps, perSecond) => {
        const cap = new RateCap(perSecond);
        let nowMs = 0;
        const places = steps.map((step) => {
          nowMs += step;
          const placeMs = cap.reserve(nowMs);
          expect(placeMs).toBeGreaterThanOrEqual(nowMs);
          return placeMs;
        });
        for (const [i, fromMs] of places.entries()) {
          const inSecond = places.slice(i).filter((atMs) => atMs < fromMs + 1000).length;
          expect(inSecond).toBeLessThanOrEqual(Math.ceil(perSecond * 1.1) + 1);
        }
      }),
    );
  });
});
