import type { RetryBudgetSettings } from "../settings.ts";

const PARTS = 10;

/**
 * How many repeats one upstream may get: within any window at most `ratio` for each request that it was sent, and
 * `minPerSecond` besides. Repeats at the same target are what multiplies load on an upstream that is already in trouble;
 * failover to another target is not limited by it, since no target gets more of that than there are requests.
 */
export class RetryBudget {
  readonly #settings: RetryBudgetSettings;
  readonly #requests = new Float64Array(PARTS);
  readonly #retries = new Float64Array(PARTS);
  #part = -1;

  constructor(settings: RetryBudgetSettings) {
    this.#settings = settings;
  }

  /** A request was sent to the upstream, for the first time. */
  requested(nowMs: number): void {
    const slot = this.#slot(nowMs);
    this.#requests[slot] = (this.#requests[slot] ?? 0) + 1;
  }

  /** Retries that are left at this moment. */
  left(nowMs: number): number {
    this.#slot(nowMs);
    const { ratio, minPerSecond, windowMs } = this.#settings;
    const earned = sum(this.#requests) * ratio + (minPerSecond * windowMs) / 1_000;
    // A thousandth, so that five times a fifth is one.
    return Math.max(0, Math.floor(earned - sum(this.#retries) + 0.001));
  }

  /** Takes one; false, and nothing taken, when none is left. */
  take(nowMs: number): boolean {
    if (this.left(nowMs) < 1) return false;
    const slot = this.#slot(nowMs);
    this.#retries[slot] = (this.#retries[slot] ?? 0) + 1;
    return true;
  }

  /** The slot of this moment, after clearing those that have left the window. */
  #slot(nowMs: number): number {
    const part = Math.max(this.#part, Math.floor((nowMs * PARTS) / this.#settings.windowMs));
    const cleared = this.#part < 0 ? PARTS : Math.min(PARTS, part - this.#part);
    for (let i = 0; i < cleared; i++) {
      this.#requests[(part - i) % PARTS] = 0;
      this.#retries[(part - i) % PARTS] = 0;
    }
    this.#part = part;
    return part % PARTS;
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
