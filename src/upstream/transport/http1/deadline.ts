import type { Clock } from "../../../core/clock.ts";

/**
 * One deadline at a time, moved often and met hardly ever. Moving it is an assignment: the timer that runs is left alone
 * unless it would ring too late, and when it rings too early it is set for the rest. Does not keep the process running.
 */
export class Deadline {
  readonly #clock: Clock;
  readonly #passed: () => void;
  #dueAtMs = Infinity;
  #timer: NodeJS.Timeout | null = null;
  #ringsAtMs = Infinity;
  readonly #rung: () => void;

  constructor(clock: Clock, passed: () => void) {
    this.#clock = clock;
    this.#passed = passed;
    this.#rung = this.#ring.bind(this);
  }

  /** The deadline is so many milliseconds from now; 0 for none. */
  set(ms: number): void {
    if (ms === 0) {
      this.#dueAtMs = Infinity;
      return;
    }
    const now = this.#clock.monotonicMs();
    this.#dueAtMs = now + ms;
    if (this.#dueAtMs < this.#ringsAtMs) this.#arm(now, ms);
  }

  /** There is none for now. */
  clear(): void {
    this.#dueAtMs = Infinity;
  }

  /** There will be none any more: nothing is left behind. */
  stop(): void {
    this.#dueAtMs = Infinity;
    this.#ringsAtMs = Infinity;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #arm(nowMs: number, ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    // Longer than setTimeout can wait is waited for in turns.
    const waitMs = Math.min(Math.ceil(ms), MAX_TIMER_MS);
    this.#ringsAtMs = nowMs + waitMs;
    this.#timer = setTimeout(this.#rung, waitMs).unref();
  }

  #ring(): void {
    this.#timer = null;
    this.#ringsAtMs = Infinity;
    if (this.#dueAtMs === Infinity) return;
    const now = this.#clock.monotonicMs();
    const leftMs = this.#dueAtMs - now;
    if (leftMs > 0) {
      this.#arm(now, leftMs);
      return;
    }
    this.#dueAtMs = Infinity;
    this.#passed();
  }
}

const MAX_TIMER_MS = 2_147_483_647;
