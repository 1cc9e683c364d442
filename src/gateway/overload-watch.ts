import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { OverloadGate } from "../routing/overload/overload-gate.ts";

const EVERY_MS = 100;

/** Tells the gate ten times a second how late the event loop runs: what came late of a timer is what everything waits. */
export class OverloadWatch implements Component {
  readonly name = "overload watch";
  readonly #gate: OverloadGate;
  readonly #clock: Clock;
  #timer: NodeJS.Timeout | null = null;
  #dueAtMs = 0;

  constructor(gate: OverloadGate, clock: Clock) {
    this.#gate = gate;
    this.#clock = clock;
  }

  async start(): Promise<void> {
    this.#dueAtMs = this.#clock.monotonicMs() + EVERY_MS;
    this.#timer = setInterval(() => this.#tick(), EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    const now = this.#clock.monotonicMs();
    this.#gate.tick(now, Math.max(0, now - this.#dueAtMs));
    this.#dueAtMs = now + EVERY_MS;
  }
}
