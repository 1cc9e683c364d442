import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Logger } from "../../core/logger.ts";
import type { AlertMark, SpendLimitStore } from "../../store/ports/spend-limits.ts";
import { alertId, type AlertSink } from "./alert-sink.ts";
import type { BudgetBook, BudgetStanding } from "./budget-book.ts";

/** Shares of a limit at which is told, in percent. */
const ALERT_THRESHOLDS: readonly number[] = [50, 80, 95, 100];
/** From this share on, a refusal says that the budget is used up: what is left is too little for what is asked. */
const USED_UP_PERCENT = 80;
const INTERVAL_MS = 2_000;
/** How long a delivery may take before another process tries. */
const LEASE_MS = 60_000;
/** The longest window but the total, with a day for time zones. */
const LONGEST_WINDOW_MS = 32 * 86_400_000;

export interface BudgetAlertsOptions {
  readonly book: BudgetBook;
  readonly store: Pick<SpendLimitStore, "marks" | "claimMark" | "claimUndelivered" | "delivered">;
  readonly sink: AlertSink;
  /** The clock that decides windows. */
  readonly clock: Clock;
  readonly logger: Logger;
  readonly timeZoneOf: (organizationId: string) => string;
  /** Calls `run` again and again until the returned function is called; replaced in tests. */
  readonly every?: (run: () => void, intervalMs: number) => () => void;
}

/**
 * Tells when a budget passes 50, 80, 95 and 100 %: each once in a window. A row claims each telling before it is done, so that
 * neither a restart nor a second replica repeats it; a delivery that failed, or whose process died, is taken up again. Stands
 * beside the hot path and looks at its counters every two seconds.
 */
export class BudgetAlerts implements Component {
  readonly name = "budget alerts";
  readonly #options: Required<BudgetAlertsOptions>;
  /** Thresholds told, by payer and window, of the window that began at `startMs`. */
  readonly #told = new Map<string, { startMs: number; readonly thresholds: Set<number> }>();
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> | null = null;

  constructor(options: BudgetAlertsOptions) {
    this.#options = { every: everyInterval, ...options };
  }

  async start(): Promise<void> {
    const { store, clock, every } = this.#options;
    for (const mark of await store.marks(clock.nowMs() - LONGEST_WINDOW_MS)) this.#remember(mark);
    this.#cancel = every(() => void this.sweep(), INTERVAL_MS);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.#sweeping;
  }

  /** Looks at every budget once. Never rejects; a sweep that is under way is joined. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => {
        this.#options.logger.warn({ err: error }, "budget alerts cannot be recorded; the next look tries again");
      })
      .finally(() => (this.#sweeping = null));
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    const { book, store, clock, timeZoneOf } = this.#options;
    const nowMs = clock.nowMs();
    const due = [...book.all(timeZoneOf, nowMs)].flatMap((standing) => this.#due(standing, nowMs));
    for (const mark of due) {
      const isOurs = await store.claimMark(mark, nowMs + LEASE_MS);
      this.#remember(mark);
      if (isOurs) await this.#deliver(mark);
    }
    for (const mark of await store.claimUndelivered(nowMs, nowMs + LEASE_MS)) await this.#deliver(mark);
  }

  /** What is to be told of a budget now and has not been in its window. */
  #due({ budget, counter, limitMicroUsd }: BudgetStanding, nowMs: number): AlertMark[] {
    if (counter.spent === 0 && !counter.refused) return [];
    const told = this.#told.get(`${budget.subjectId}/${budget.window}`);
    const known = told !== undefined && told.startMs === counter.startMs ? told.thresholds : null;
    return ALERT_THRESHOLDS.filter(
      (threshold) => known?.has(threshold) !== true && isReached(threshold, counter, limitMicroUsd),
    ).map((thresholdPercent) => ({
      organizationId: budget.organizationId,
      scope: budget.scope,
      subjectId: budget.subjectId,
      window: budget.window,
      windowStartMs: counter.startMs,
      thresholdPercent,
      firedAtMs: Math.floor(nowMs),
      limitMicroUsd,
      spentMicroUsd: counter.spent,
    }));
  }

  async #deliver(mark: AlertMark): Promise<void> {
    const { sink, store, clock, logger } = this.#options;
    try {
      await sink.deliver(mark, alertId(mark));
    } catch (error) {
      logger.warn({ err: error, alert: alertId(mark) }, "a budget alert was not delivered; it is tried again");
      return;
    }
    await store.delivered(mark, Math.floor(clock.nowMs()));
  }

  #remember({ subjectId, window, windowStartMs, thresholdPercent }: AlertMark): void {
    const payer = `${subjectId}/${window}`;
    const told = this.#told.get(payer);
    if (told === undefined || told.startMs < windowStartMs) {
      this.#told.set(payer, { startMs: windowStartMs, thresholds: new Set([thresholdPercent]) });
    } else if (told.startMs === windowStartMs) told.thresholds.add(thresholdPercent);
  }
}

/** Whether a threshold is passed by what was really spent; the last one also when nothing fits any more. */
function isReached(threshold: number, counter: BudgetStanding["counter"], limitMicroUsd: number): boolean {
  const spent = counter.spent * 100;
  if (spent >= threshold * limitMicroUsd && limitMicroUsd > 0) return true;
  if (threshold < 100 || !counter.refused) return false;
  return (counter.spent + counter.reserved) * 100 >= USED_UP_PERCENT * limitMicroUsd;
}

function everyInterval(run: () => void, intervalMs: number): () => void {
  const timer = setInterval(run, intervalMs).unref();
  return () => clearInterval(timer);
}
