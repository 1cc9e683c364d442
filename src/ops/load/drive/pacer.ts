import type { Clock } from "../../../core/clock.ts";

/** A timer may fire this much too late. */
const TIMER_SLACK_MS = 1.3;
/** Polling through the slack is worth its processor time when waits are at least this long: then it takes under a fifth of it. */
const POLL_FROM_MS = 6;

/** Waits for moments of a clock. */
export interface Pacer {
  /** Resolves at `atMs` (monotonic) or when `signal` aborts, whichever is first; at once when `atMs` has passed. */
  until(atMs: number, signal: AbortSignal): Promise<void>;
}

/**
 * Waits with timers. Node's have a resolution of a millisecond, which would show in latencies that are measured from the due
 * time; so a `precise` pacer polls the end of a long enough wait from the event loop instead.
 */
export class TimerPacer implements Pacer {
  readonly #clock: Clock;
  readonly #precise: boolean;

  constructor(clock: Clock, precise: boolean) {
    this.#clock = clock;
    this.#precise = precise;
  }

  async until(atMs: number, signal: AbortSignal): Promise<void> {
    const waitMs = atMs - this.#clock.monotonicMs();
    if (waitMs <= 0 || signal.aborted) return;
    const poll = this.#precise && waitMs >= POLL_FROM_MS;
    await timer(poll ? Math.floor(waitMs - TIMER_SLACK_MS) : Math.ceil(waitMs), signal);
    // Timers may also fire a fraction of a millisecond too early, and nothing may be sent before it is due.
    while (!signal.aborted && this.#clock.monotonicMs() < atMs) await turn();
  }
}

/** Resolves after `ms` or when `signal` aborts. */
export function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = (): void => {
      clearTimeout(timeout);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timeout = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Resolves on the next turn of the event loop, after what is ready to be read was read. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
