/** Where time comes from. Everything that needs the time takes a Clock, so that tests can hold it. */
export interface Clock {
  /** Wall-clock time, milliseconds since the Unix epoch. May jump. */
  nowMs(): number;
  /** Monotonic time, milliseconds with a fraction, from an arbitrary origin. Never jumps back. */
  monotonicMs(): number;
}

/** The clock of this machine. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monotonicMs: () => performance.now(),
};

/** A clock that a test moves by hand. Both readings advance together; `setWall` jumps only the wall reading. */
export class ManualClock implements Clock {
  #wallMs: number;
  #monotonicMs = 0;

  constructor(startMs: number) {
    this.#wallMs = startMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  setWall(ms: number): void {
    this.#wallMs = ms;
  }
}
