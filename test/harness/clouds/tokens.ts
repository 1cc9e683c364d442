import { systemClock, type Clock } from "../../../src/core/clock.ts";
import type { CloudRequest } from "./cloud-request.ts";
import { bearerOf } from "./cloud-request.ts";

/** What a bearer token is worth. */
export type TokenState = "valid" | "expired" | "unknown" | "absent";

/** The bearer tokens that a cloud knows. They expire by the clock, or when a test says so. */
export class TokenBook {
  readonly #clock: Clock;
  readonly #endsAtMs = new Map<string, number>();

  constructor(tokens: readonly string[] = [], clock: Clock = systemClock) {
    this.#clock = clock;
    for (const token of tokens) this.issue(token);
  }

  /** Makes a token known, for `lifetimeMs` or for good. */
  issue(token: string, lifetimeMs = Number.POSITIVE_INFINITY): void {
    this.#endsAtMs.set(token, this.#clock.nowMs() + lifetimeMs);
  }

  /** Ends one token, or all that are known now. */
  expire(token?: string): void {
    for (const known of token === undefined ? this.#endsAtMs.keys() : [token]) this.#endsAtMs.set(known, 0);
  }

  stateOf(request: CloudRequest): TokenState {
    const token = bearerOf(request);
    if (token === null) return "absent";
    const endsAtMs = this.#endsAtMs.get(token);
    if (endsAtMs === undefined) return "unknown";
    return endsAtMs > this.#clock.nowMs() ? "valid" : "expired";
  }
}
