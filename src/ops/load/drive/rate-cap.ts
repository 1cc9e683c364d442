/** How far requests may bunch within the cap: users that start together are no breach of it. */
const BURST_MS = 100;

/** Holds requests to a rate: no second carries more than a tenth above it, and over time none is above it. */
export class RateCap {
  readonly #intervalMs: number;
  /** When the requests so far would all have been sent at an even pace. */
  #paidUntilMs = -Infinity;

  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
  }

  /** Takes the next place and says when it is: `nowMs` or later. */
  reserve(nowMs: number): number {
    const atMs = Math.max(nowMs, this.#paidUntilMs - BURST_MS);
    this.#paidUntilMs = Math.max(this.#paidUntilMs, nowMs) + this.#intervalMs;
    return atMs;
  }
}
