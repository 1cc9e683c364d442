import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";

/** A stream that is looked after while it is open. */
export interface KeptStream {
  /** Monotonic time of the last bytes sent to the client. */
  readonly lastSentAtMs: number;
  readonly pingAfterMs: number;
  /** Sends a ping if the stream stands between two events. */
  ping(): void;
}

/** How often open streams are looked at; a ping is at most this much late. */
const SWEEP_MS = 1_000;

/** Sends pings on streams whose upstream is silent. One timer for all streams: a timer each would cost more than a ping. */
export class StreamKeeper implements Component {
  readonly name = "stream keeper";
  readonly #clock: Clock;
  readonly #streams = new Set<KeptStream>();
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get open(): number {
    return this.#streams.size;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => this.sweep(), SWEEP_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  add(stream: KeptStream): void {
    this.#streams.add(stream);
  }

  remove(stream: KeptStream): void {
    this.#streams.delete(stream);
  }

  /** Looks at every open stream once. */
  sweep(): void {
    const now = this.#clock.monotonicMs();
    for (const stream of this.#streams) if (now - stream.lastSentAtMs >= stream.pingAfterMs) stream.ping();
  }
}
