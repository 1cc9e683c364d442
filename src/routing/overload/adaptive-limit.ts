import type { AdaptiveLimitSettings } from "../settings.ts";

/** What the limit goes by at a step. */
export interface LimitSample {
  readonly nowMs: number;
  /** Delay of the event loop lately (a high quantile), in milliseconds. */
  readonly loopDelayMs: number;
  readonly inFlight: number;
  readonly hasQueue: boolean;
}

/**
 * How many requests may be in flight, found by trying: a little more while all places are taken and the event loop is well, at
 * once less, in proportion to how late it is, when it is not (additive increase, multiplicative decrease; the size of the cut is
 * the gradient of delay).
 */
export class AdaptiveLimit {
  #settings: AdaptiveLimitSettings;
  #limit: number;
  #steppedAtMs = -Infinity;

  constructor(settings: AdaptiveLimitSettings) {
    this.#settings = settings;
    this.#limit = settings.initial;
  }

  /** Changes the bounds; the limit is moved into them. Another beginning is one: the level is then sought from there. */
  configure(settings: AdaptiveLimitSettings): void {
    const begins = settings.initial === this.#settings.initial ? this.#limit : settings.initial;
    this.#settings = settings;
    this.#limit = Math.min(settings.max, Math.max(settings.min, begins));
  }

  get value(): number {
    return Math.floor(this.#limit);
  }

  /** Takes a step if one is due. */
  sample({ nowMs, loopDelayMs, inFlight, hasQueue }: LimitSample): void {
    const { min, max, targetLoopDelayMs, largestCut, stepMs } = this.#settings;
    if (nowMs - this.#steppedAtMs < stepMs) return;
    this.#steppedAtMs = nowMs;
    // With fewer in flight than the least limit it is something else that makes the loop late (a collection, a reload): the cut
    // would bring no relief, and the next burst of an idle process would find hardly any place.
    if (loopDelayMs > targetLoopDelayMs && inFlight < min) return;
    if (loopDelayMs > targetLoopDelayMs) {
      const kept = Math.max(largestCut, targetLoopDelayMs / loopDelayMs);
      // From what is in flight: a limit that nobody has reached says nothing of what can be borne.
      this.#limit = Math.max(min, Math.min(this.#limit, Math.max(inFlight, 1)) * kept);
    } else if (hasQueue || inFlight >= this.#limit * 0.9) {
      this.#limit = Math.min(max, this.#limit + Math.sqrt(this.#limit));
    }
  }
}
