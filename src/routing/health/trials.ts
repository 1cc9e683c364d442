/** How long a plan may hold a trial's place before its attempt begins. */
const CLAIM_MS = 2_000;

/**
 * The trials of one half-open circuit: those under way, and places that a plan has promised but whose attempt has not begun.
 * Belongs to one half-open period, told by when it began; a new period starts from nothing.
 */
export class Trials {
  #periodMs = -Infinity;
  #running = 0;
  #claimed = 0;
  #claimedAtMs = -Infinity;

  /** Whether one more may begin. */
  hasRoom(periodMs: number, nowMs: number, max: number): boolean {
    this.#enter(periodMs);
    if (this.#claimed > 0 && nowMs - this.#claimedAtMs > CLAIM_MS) this.#claimed = 0;
    return this.#running + this.#claimed < max;
  }

  /** Holds a place for an attempt that a plan puts first. */
  claim(periodMs: number, nowMs: number): void {
    this.#enter(periodMs);
    this.#claimed++;
    this.#claimedAtMs = nowMs;
  }

  begun(periodMs: number): void {
    this.#enter(periodMs);
    if (this.#claimed > 0) this.#claimed--;
    this.#running++;
  }

  /** An attempt that began before the period was none of its trials. */
  ended(periodMs: number, startedAtMs: number): void {
    if (periodMs !== this.#periodMs || startedAtMs < periodMs) return;
    if (this.#running > 0) this.#running--;
  }

  #enter(periodMs: number): void {
    if (periodMs === this.#periodMs) return;
    this.#periodMs = periodMs;
    this.#running = 0;
    this.#claimed = 0;
  }
}
