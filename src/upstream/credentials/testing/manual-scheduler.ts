import { setImmediate as turn } from "node:timers/promises";

import { ManualClock } from "../../../core/clock.ts";
import type { Scheduler } from "../scheduler.ts";

interface Waiting {
  readonly atMs: number;
  readonly run: () => void;
}

/** A clock and timers that a test moves together by hand. */
export class ManualTime implements Scheduler {
  readonly clock: ManualClock;
  #waiting: Waiting[] = [];

  constructor(startMs: number) {
    this.clock = new ManualClock(startMs);
  }

  after(delayMs: number, run: () => void): () => void {
    const entry = { atMs: this.clock.monotonicMs() + delayMs, run };
    this.#waiting.push(entry);
    return () => {
      this.#waiting = this.#waiting.filter((other) => other !== entry);
    };
  }

  /** How many calls wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** Moves time on, making the calls that come due in their order; pending promise callbacks run between them. */
  async advance(ms: number): Promise<void> {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      await turn();
      const due = this.#waiting.filter((entry) => entry.atMs <= endMs).toSorted((a, b) => a.atMs - b.atMs)[0];
      if (due === undefined) break;
      this.clock.advance(Math.max(0, due.atMs - this.clock.monotonicMs()));
      this.#waiting = this.#waiting.filter((entry) => entry !== due);
      due.run();
    }
    this.clock.advance(endMs - this.clock.monotonicMs());
    await turn();
  }
}
