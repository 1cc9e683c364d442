import { windowAt } from "../../core/calendar-window.ts";
import type { Clock } from "../../core/clock.ts";
import type { BudgetBook } from "../../ledger/budgets/budget-book.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { UsageStore } from "../../store/ports/usage.ts";

/** Users or teams whose spend one question reads at most. */
const MAX_SUBJECTS = 100_000;

/**
 * What subjects have spent in the window that is running. The ledger knows of every replica but lags by what is not shipped
 * yet; this process's counters know at once but of themselves alone. Both can only be too low, so the higher is nearer.
 */
export class SpendReader {
  readonly #usage: UsageStore;
  readonly #book: BudgetBook;
  readonly #clock: Clock;

  constructor(parts: { usage: UsageStore; book: BudgetBook; clock: Clock }) {
    this.#usage = parts.usage;
    this.#book = parts.book;
    this.#clock = parts.clock;
  }

  /** Micro-dollars by the id of each user (or team) of an organisation that has spent anything. */
  async spent(
    by: "user" | "team",
    { organizationId, timeZone, window }: { organizationId: string; timeZone: string; window: BudgetWindow },
    subjectIds: readonly string[],
  ): Promise<ReadonlyMap<string, number>> {
    const atMs = this.#clock.nowMs();
    const span = windowAt(window, atMs, timeZone);
    const rows = await this.#usage.report({
      organizationId,
      fromMs: span.startMs,
      toMs: span.endMs,
      groupBy: [by],
      timeZone,
      limit: MAX_SUBJECTS,
    });
    const spent = new Map<string, number>();
    for (const { group, costMicroUsd } of rows) {
      const id = group[by];
      if (typeof id === "string") spent.set(id, costMicroUsd);
    }
    for (const id of subjectIds) {
      const counted = this.#book.spent(id, window, { timeZone, atMs });
      if (counted > (spent.get(id) ?? 0)) spent.set(id, counted);
    }
    return spent;
  }
}
