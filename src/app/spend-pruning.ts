import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import type { SpendLimitStore } from "../store/ports/spend-limits.ts";

const INTERVAL_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Longer than any window that begins anew, so that nothing is told twice in one. */
const MARK_DAYS = 60;
/** What holds where the configuration has no `admin` section. */
const DEFAULTS = { audit_retention_days: 365, identity_retention_days: 90 } as const;

/** The retention settings of the `admin` section. */
interface Retention {
  readonly audit_retention_days: number;
  readonly identity_retention_days: number;
}

/** Forgets, every hour, what of limits is older than it is to be kept. */
export class SpendPruning implements Component {
  readonly name = "spend pruning";
  readonly #options: {
    readonly store: Pick<SpendLimitStore, "prune">;
    readonly clock: Clock;
    readonly logger: Logger;
    readonly settings: () => Retention | undefined;
  };
  #timer: NodeJS.Timeout | null = null;
  #pruning: Promise<void> | null = null;

  constructor(options: {
    store: Pick<SpendLimitStore, "prune">;
    clock: Clock;
    logger: Logger;
    settings: () => Retention | undefined;
  }) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#timer = setInterval(() => void this.prune(), INTERVAL_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#pruning;
  }

  /** Forgets once. Never rejects: what could not be forgotten now is in an hour. */
  prune(): Promise<void> {
    const { store, clock, logger, settings } = this.#options;
    const { audit_retention_days, identity_retention_days } = settings() ?? DEFAULTS;
    const nowMs = clock.nowMs();
    this.#pruning ??= store
      .prune({
        eventsBeforeMs: nowMs - audit_retention_days * DAY_MS,
        membersBeforeMs: nowMs - identity_retention_days * DAY_MS,
        marksBeforeMs: nowMs - MARK_DAYS * DAY_MS,
      })
      .catch((error: unknown) => logger.warn({ err: error }, "old rows of spend limits cannot be removed"))
      .finally(() => (this.#pruning = null));
    return this.#pruning;
  }
}
