/**
 * A token bucket: `perMinute` units flow in evenly, at most a minute's worth is kept. It may go into debt when what was
 * taken turns out larger than estimated; then it refuses until the debt has flowed back.
 */
export class TokenBucket {
  #perMinute: number;
  #level: number;
  #atMs: number;

  constructor(perMinute: number, nowMs: number) {
    this.#perMinute = perMinute;
    this.#level = perMinute;
    this.#atMs = nowMs;
  }

  /** Changes the rate; what is in the bucket stays, at most a minute's worth of the new rate. */
  resize(perMinute: number, nowMs: number): void {
    if (perMinute === this.#perMinute) return;
    this.#refill(nowMs);
    this.#perMinute = perMinute;
    this.#level = Math.min(this.#level, perMinute);
  }

  /** Milliseconds until `amount` can be taken; 0 when it can be now. An amount above a minute's worth waits for a full bucket. */
  waitMs(amount: number, nowMs: number): number {
    this.#refill(nowMs);
    const missing = Math.min(amount, this.#perMinute) - this.#level;
    return missing <= 0 ? 0 : Math.ceil((missing * 60_000) / this.#perMinute);
  }

  /** Takes `amount` (negative gives back), into debt if need be. Ask `waitMs` first. */
  take(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#level = Math.min(this.#perMinute, this.#level - amount);
  }

  /** Units that could be taken now, never negative. */
  remaining(nowMs: number): number {
    this.#refill(nowMs);
    return Math.max(0, Math.floor(this.#level));
  }

  #refill(nowMs: number): void {
    const elapsed = nowMs - this.#atMs;
    if (elapsed <= 0) return;
    this.#atMs = nowMs;
    this.#level = Math.min(this.#perMinute, this.#level + (elapsed * this.#perMinute) / 60_000);
  }
}
