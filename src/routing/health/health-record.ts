import type { HealthSettings } from "../settings.ts";
import { advance } from "./advance.ts";
import { UNKNOWN_HEALTH, type HealthState } from "./health-state.ts";
import { reduceHealth } from "./health-reducer.ts";
import type { HealthEvent } from "./signal.ts";
import { recoveredShare } from "./slow-start.ts";
import { Trials } from "./trials.ts";

/**
 * Whether requests may go somewhere, best first. `trial`: half open with room for one more. `cooling`: it is well, but asked to
 * be left alone. `full`: it is well, and has as many requests as it may. `busy`: half open, and all trials are under way.
 */
export type Standing = "usable" | "trial" | "cooling" | "full" | "busy" | "open";

export const STANDING_RANK: Readonly<Record<Standing, number>> = {
  usable: 0,
  trial: 0,
  cooling: 1,
  full: 1,
  busy: 2,
  open: 3,
};

/** The health of one upstream or of one model there as it changes, with its trials. */
export class HealthRecord {
  state: HealthState = UNKNOWN_HEALTH;
  readonly #trials = new Trials();

  /** The state at this moment. */
  at(nowMs: number, settings: HealthSettings): HealthState {
    if (nowMs >= this.state.nextChangeAtMs) this.state = advance(this.state, nowMs, settings);
    return this.state;
  }

  heard(event: HealthEvent, nowMs: number, settings: HealthSettings): void {
    this.state = reduceHealth(this.state, event, nowMs, settings);
  }

  standing(nowMs: number, settings: HealthSettings): Standing {
    const state = this.at(nowMs, settings);
    if (state.circuit === "open") return "open";
    if (state.cooldownUntilMs > nowMs) return "cooling";
    if (state.circuit === "closed") return "usable";
    return this.#trials.hasRoom(state.sinceMs, nowMs, settings.circuit.trialRequests) ? "trial" : "busy";
  }

  /** The part of its weight that it has now: less while it recovers, and while it is degraded. */
  share(nowMs: number, settings: HealthSettings): number {
    const { state } = this;
    const recovered = recoveredShare(state, nowMs, settings.slowStart);
    return state.health === "degraded" ? recovered * settings.degradedWeight : recovered;
  }

  claimTrial(nowMs: number): void {
    if (this.state.circuit === "half_open") this.#trials.claim(this.state.sinceMs, nowMs);
  }

  attemptBegun(): void {
    if (this.state.circuit === "half_open") this.#trials.begun(this.state.sinceMs);
  }

  attemptEnded(startedAtMs: number): void {
    if (this.state.circuit === "half_open") this.#trials.ended(this.state.sinceMs, startedAtMs);
  }
}
