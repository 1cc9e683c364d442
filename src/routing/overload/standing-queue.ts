import type { StandingQueueSettings } from "../settings.ts";

/**
 * Tells a standing queue from a burst, as CoDel does: by the shortest wait within an interval. A burst drains, and somebody waits
 * hardly at all; when even the luckiest waits long, the queue only adds latency.
 */
export class StandingQueue {
  #settings: StandingQueueSettings;
  #isStanding = false;
  #shortestMs = Infinity;
  #intervalEndsAtMs = -Infinity;

  constructor(settings: StandingQueueSettings) {
    this.#settings = settings;
  }

  configure(settings: StandingQueueSettings): void {
    this.#settings = settings;
  }

  get isStanding(): boolean {
    return this.#isStanding;
  }

  /** A request has left the queue, or is its oldest still waiting, after so long. */
  waited(waitMs: number, nowMs: number): void {
    this.#turn(nowMs);
    this.#shortestMs = Math.min(this.#shortestMs, waitMs);
  }

  /** Nobody waits. */
  emptied(): void {
    this.#isStanding = false;
    this.#shortestMs = Infinity;
    this.#intervalEndsAtMs = -Infinity;
  }

  #turn(nowMs: number): void {
    if (nowMs < this.#intervalEndsAtMs) return;
    // An interval without a single wait says nothing: what was found before stands.
    if (this.#intervalEndsAtMs !== -Infinity && this.#shortestMs !== Infinity) {
      this.#isStanding = this.#shortestMs > this.#settings.targetMs;
    }
    this.#shortestMs = Infinity;
    this.#intervalEndsAtMs = nowMs + this.#settings.intervalMs;
  }
}
