/** How fast requests come out, as a rate that forgets: each counts for less with time, 1/e after `memoryMs`. */
export class DrainRate {
  readonly #memoryMs: number;
  #count = 0;
  #atMs = -Infinity;
  #firstAtMs = Infinity;

  constructor(memoryMs: number) {
    this.#memoryMs = memoryMs;
  }

  observe(nowMs: number): void {
    this.#count = this.#remaining(nowMs) + 1;
    this.#atMs = nowMs;
    this.#firstAtMs = Math.min(this.#firstAtMs, nowMs);
  }

  /** Milliseconds that so many take at the present rate; null as long as there is nothing to go by. */
  timeForMs(requests: number, nowMs: number): number | null {
    const count = this.#remaining(nowMs);
    // A rate over less than what is remembered: divide by what has really been seen.
    const seen = 1 - Math.exp(-Math.max(1, nowMs - this.#firstAtMs) / this.#memoryMs);
    return count < 0.5 ? null : (requests * this.#memoryMs * seen) / count;
  }

  #remaining(nowMs: number): number {
    return this.#atMs === -Infinity ? 0 : this.#count * Math.exp(-Math.max(0, nowMs - this.#atMs) / this.#memoryMs);
  }
}
