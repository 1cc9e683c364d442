import type { Clock } from "./clock.ts";

/** How far the wall clock may stray from the monotonic one before a jump is suspected. */
const TOLERANCE_MS = 5_000;
/** How long a strayed wall clock must stay consistent before it is believed. */
const BELIEVE_AFTER_MS = 60_000;

/**
 * Wall-clock time checked against the monotonic clock, for deciding which budget window a request belongs to. Small
 * corrections pass; a jump (a wrong NTP server, a hand on the clock) is ignored until the new time has stood for a minute,
 * so that a blip neither opens a new day's budget nor reopens yesterday's. Never goes back.
 */
export class SteadyClock implements Clock {
  readonly #source: Clock;
  #offsetMs: number;
  #lastMs = 0;
  #strayedOffsetMs = 0;
  #strayedSinceMs: number | null = null;

  constructor(source: Clock) {
    this.#source = source;
    this.#offsetMs = source.nowMs() - source.monotonicMs();
  }

  nowMs(): number {
    const monotonic = this.#source.monotonicMs();
    const offset = this.#source.nowMs() - monotonic;
    if (Math.abs(offset - this.#offsetMs) <= TOLERANCE_MS) {
      this.#offsetMs = offset;
      this.#strayedSinceMs = null;
    } else {
      this.#consider(offset, monotonic);
    }
    this.#lastMs = Math.max(this.#lastMs, monotonic + this.#offsetMs);
    return this.#lastMs;
  }

  monotonicMs(): number {
    return this.#source.monotonicMs();
  }

  #consider(offset: number, monotonic: number): void {
    const sameJump = this.#strayedSinceMs !== null && Math.abs(offset - this.#strayedOffsetMs) <= TOLERANCE_MS;
    if (!sameJump) this.#strayedSinceMs = monotonic;
    this.#strayedOffsetMs = offset;
    if (this.#strayedSinceMs !== null && monotonic - this.#strayedSinceMs >= BELIEVE_AFTER_MS) {
      this.#offsetMs = offset;
      this.#strayedSinceMs = null;
    }
  }
}
