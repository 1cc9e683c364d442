import type { ResponseTimeSettings } from "../settings.ts";

/**
 * A latency that jumps to every peak and forgets it slowly (peak EWMA, as in Finagle's load balancer): a target that has just
 * been slow is avoided at once and tried again bit by bit. Without news it decays towards zero, so that nobody is avoided for
 * good on the strength of one old figure.
 */
export class PeakEwma {
  #costMs = 0;
  #atMs = -Infinity;

  observe(latencyMs: number, nowMs: number, { decayMs }: ResponseTimeSettings): void {
    const kept = this.#kept(nowMs, decayMs);
    this.#costMs = latencyMs >= this.#costMs ? latencyMs : this.#costMs * kept + latencyMs * (1 - kept);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }

  /** The latency to count with at this moment, in milliseconds; 0 when nothing is known. */
  at(nowMs: number, { decayMs }: ResponseTimeSettings): number {
    return this.#costMs === 0 ? 0 : this.#costMs * this.#kept(nowMs, decayMs);
  }

  #kept(nowMs: number, decayMs: number): number {
    return this.#atMs === -Infinity ? 0 : Math.exp(-Math.max(0, nowMs - this.#atMs) / decayMs);
  }
}
