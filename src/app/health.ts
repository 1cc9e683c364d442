import type { Clock } from "../core/clock.ts";
import type { HealthReport } from "../gateway/services.ts";

/** A check that readiness depends on: null while all is well, else why not. */
export interface HealthCheck {
  readonly check: string;
  failure(): string | null;
}

/** What the process says of its own state. */
export class ProcessHealth implements HealthReport {
  draining = false;
  readonly #checks: readonly HealthCheck[];
  readonly #facts: () => Readonly<Record<string, unknown>>;
  readonly #details: () => Readonly<Record<string, unknown>>;
  readonly #clock: Clock;
  readonly #startedAtMs: number;

  constructor(
    checks: readonly HealthCheck[],
    options: {
      clock: Clock;
      facts: () => Readonly<Record<string, unknown>>;
      /** What operators are told besides. */
      details?: () => Readonly<Record<string, unknown>>;
    },
  ) {
    this.#checks = checks;
    this.#facts = options.facts;
    this.#details = options.details ?? (() => ({}));
    this.#clock = options.clock;
    this.#startedAtMs = options.clock.monotonicMs();
  }

  failures(): readonly { check: string; reason: string }[] {
    const failures: { check: string; reason: string }[] = [];
    if (this.draining) failures.push({ check: "serving", reason: "Weir is shutting down" });
    for (const check of this.#checks) {
      const reason = check.failure();
      if (reason !== null) failures.push({ check: check.check, reason });
    }
    return failures;
  }

  describe(): Readonly<Record<string, unknown>> {
    const uptimeSeconds = Math.round((this.#clock.monotonicMs() - this.#startedAtMs) / 1000);
    return { ...this.#facts(), uptime_seconds: uptimeSeconds };
  }
  /** The same for operators, with what names files of this machine. */
  describeInFull(): Readonly<Record<string, unknown>> {
    return { ...this.describe(), ...this.#details() };
  }
}
