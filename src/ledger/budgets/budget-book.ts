import type { Clock } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { BudgetRecord, BudgetScope } from "../../store/ports/directory.ts";
import { SubjectSpend, WINDOW_KINDS, type SpendCounter } from "./spend-counter.ts";

/** One subject on the path organisation → team → user → key. */
export interface BudgetSubject {
  readonly scope: BudgetScope;
  readonly id: string;
}

/** What an exchange may cost: `expected` is what it probably does, `worst` what it cannot pass. `worst >= expected`. */
export interface CostForecast {
  readonly expected: MicroUsd;
  readonly worst: MicroUsd;
}

/** An amount held on every counter of a path. Settled exactly once. */
export interface Reservation {
  readonly amount: MicroUsd;
  readonly worst: MicroUsd;
  readonly counters: readonly SpendCounter[];
  settled: boolean;
}

/** Why a reservation was refused: the budget that had no room. */
export interface BudgetRefusal {
  readonly budget: BudgetRecord;
  readonly counter: Readonly<SpendCounter>;
}

/** How full a budget is; what headers and reports show. */
export interface BudgetStanding {
  readonly budget: BudgetRecord;
  readonly counter: Readonly<SpendCounter>;
  /** (spent + reserved) / limit. */
  readonly utilization: number;
}

export interface BudgetBookOptions {
  readonly clock: Clock;
  /** `worst_case` reserves what an exchange can at most cost, `expected` what it probably does. */
  readonly reserve: "expected" | "worst_case";
  /**
   * The declared bound: for each budget, how much open exchanges together may cost beyond what they reserved. When it is
   * used up, reservations grow towards the worst case instead.
   */
  readonly maxOvershoot: MicroUsd;
}

/**
 * The counters of every subject, and the budgets over them. Spend is counted for every subject and window whether or not a
 * budget is set, so that a budget set later knows at once what was spent.
 *
 * Invariant, for every hard budget at every moment: spent + reserved <= limit + bound, where the bound is `maxOvershoot`
 * (only settles of exchanges already admitted can pass the limit, and their exposure is bounded).
 */
export class BudgetBook {
  readonly #clock: Clock;
  #mode: BudgetBookOptions["reserve"];
  #maxOvershoot: MicroUsd;
  readonly #spend = new Map<string, SubjectSpend>();
  /** Hard and soft budgets by subject id, indexed by position in WINDOW_KINDS. */
  #budgets: ReadonlyMap<string, readonly (BudgetRecord | undefined)[]> = new Map();

  constructor(options: BudgetBookOptions) {
    this.#clock = options.clock;
    this.#mode = options.reserve;
    this.#maxOvershoot = options.maxOvershoot;
  }

  /** Replaces the settings of reservation; open reservations stay as they are. */
  configure(options: Pick<BudgetBookOptions, "reserve" | "maxOvershoot">): void {
    this.#mode = options.reserve;
    this.#maxOvershoot = options.maxOvershoot;
  }

  /** Replaces all budgets. The latest row of a (subject, window) wins. */
  setBudgets(budgets: readonly BudgetRecord[]): void {
    const next = new Map<string, (BudgetRecord | undefined)[]>();
    for (const budget of budgets) {
      const row = next.get(budget.subjectId) ?? [undefined, undefined, undefined, undefined];
      row[WINDOW_KINDS.indexOf(budget.window)] = budget;
      next.set(budget.subjectId, row);
    }
    this.#budgets = next;
  }

  /** Adds spend that was settled before this process began (rebuilding at boot). */
  restore(subject: BudgetSubject, timeZone: string, window: SpendCounter["kind"], spent: MicroUsd): void {
    const counter = this.#subject(subject.id, timeZone).at(this.#clock.nowMs())[WINDOW_KINDS.indexOf(window)];
    if (counter !== undefined) counter.spent += spent;
  }

  /**
   * Reserves on every counter of the path, or on none. Synchronous, hence atomic in this process. `atMs` decides the
   * windows and becomes the entry's admission time.
   */
  reserve(
    path: readonly BudgetSubject[],
    timeZone: string,
    forecast: CostForecast,
    atMs: number,
  ): Reservation | BudgetRefusal {
    const counters: SpendCounter[] = [];
    let amount = this.#mode === "worst_case" ? forecast.worst : forecast.expected;
    let blocking: BudgetRefusal | null = null;
    for (const subject of path) {
      const windows = this.#subject(subject.id, timeZone).at(atMs);
      const budgets = this.#budgets.get(subject.id);
      for (let i = 0; i < windows.length; i++) {
        const counter = windows[i];
        if (counter === undefined) continue;
        counters.push(counter);
        const budget = budgets?.[i];
        if (budget !== undefined && budget.enforcement === "hard") {
          amount = Math.max(amount, forecast.worst - Math.max(0, this.#maxOvershoot - counter.exposure));
        }
      }
    }
    // A second look, now that the amount is known: every hard budget on the path must have room for it.
    let at = 0;
    for (const subject of path) {
      const budgets = this.#budgets.get(subject.id);
      for (let i = 0; i < WINDOW_KINDS.length; i++, at++) {
        const counter = counters[at];
        const budget = budgets?.[i];
        if (counter === undefined || budget === undefined || budget.enforcement !== "hard") continue;
        const full = counter.spent + counter.reserved + amount > budget.limitMicroUsd;
        if (full && (blocking === null || counter.endMs > blocking.counter.endMs)) blocking = { budget, counter };
      }
    }
    if (blocking !== null) return blocking;
    for (const counter of counters) {
      counter.reserved += amount;
      counter.exposure += forecast.worst - amount;
    }
    return { amount, worst: forecast.worst, counters, settled: false };
  }

  /** Replaces what was reserved by what it cost. A second call does nothing. */
  settle(reservation: Reservation, actual: MicroUsd): void {
    if (reservation.settled) return;
    reservation.settled = true;
    for (const counter of reservation.counters) {
      counter.reserved -= reservation.amount;
      counter.exposure -= reservation.worst - reservation.amount;
      counter.spent += actual;
    }
  }

  /** Counts spend that was never reserved (a batch's results). */
  charge(path: readonly BudgetSubject[], timeZone: string, cost: MicroUsd): void {
    const now = this.#clock.nowMs();
    for (const subject of path)
      for (const counter of this.#subject(subject.id, timeZone).at(now)) counter.spent += cost;
  }

  /** How full the budgets of a path are, fullest first. */
  standings(path: readonly BudgetSubject[], timeZone: string, atMs: number): readonly BudgetStanding[] {
    const standings: BudgetStanding[] = [];
    for (const subject of path) {
      const budgets = this.#budgets.get(subject.id);
      if (budgets === undefined) continue;
      const windows = this.#subject(subject.id, timeZone).at(atMs);
      for (let i = 0; i < windows.length; i++) {
        const counter = windows[i];
        const budget = budgets[i];
        if (counter === undefined || budget === undefined) continue;
        const used = counter.spent + counter.reserved;
        const utilization = budget.limitMicroUsd > 0 ? used / budget.limitMicroUsd : 1;
        standings.push({ budget, counter, utilization });
      }
    }
    return standings.sort((a, b) => b.utilization - a.utilization);
  }

  /** The fullest budget of a path, or null when no budget is set on it. */
  fullest(path: readonly BudgetSubject[], timeZone: string, atMs: number): BudgetStanding | null {
    if (!path.some((subject) => this.#budgets.has(subject.id))) return null;
    return this.standings(path, timeZone, atMs)[0] ?? null;
  }

  #subject(id: string, timeZone: string): SubjectSpend {
    const known = this.#spend.get(id);
    if (known !== undefined && known.timeZone === timeZone) return known;
    const created = new SubjectSpend(timeZone, this.#clock.nowMs());
    this.#spend.set(id, created);
    return created;
  }
}

/** Tells a reservation from a refusal. */
export function isRefusal(result: Reservation | BudgetRefusal): result is BudgetRefusal {
  return "budget" in result;
}
