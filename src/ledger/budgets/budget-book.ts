import type { Clock } from "../../core/clock.ts";
import type { MicroUsd } from "../../core/money.ts";
import type { PayerScope } from "../../store/ports/spend-limits.ts";
import { type Budget, limitAt } from "./budget.ts";
import { SubjectSpend, WINDOW_KINDS, type SpendCounter } from "./spend-counter.ts";

/** One subject on the path organisation → team → user → key (→ project tag). */
export interface BudgetSubject {
  readonly scope: PayerScope;
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
  readonly budget: Budget;
  readonly counter: Readonly<SpendCounter>;
  /** The limit with the increases in force when it was asked. */
  readonly limitMicroUsd: MicroUsd;
}

/** How full a budget is; what headers and reports show. */
export interface BudgetStanding {
  readonly budget: Budget;
  readonly counter: Readonly<SpendCounter>;
  /** The limit with the increases in force at that moment. */
  readonly limitMicroUsd: MicroUsd;
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
 * (only settles of exchanges already admitted can pass the limit, and their exposure is bounded). When a limit falls, because
 * it was lowered or a temporary increase ended, what was admitted before stays admitted and nothing more is until there is room.
 */
export class BudgetBook {
  readonly #clock: Clock;
  #mode: BudgetBookOptions["reserve"];
  #maxOvershoot: MicroUsd;
  readonly #spend = new Map<string, SubjectSpend>();
  /** Hard and soft budgets by subject id, indexed by position in WINDOW_KINDS. */
  #budgets: ReadonlyMap<string, readonly (Budget | undefined)[]> = new Map();

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
  setBudgets(budgets: readonly Budget[]): void {
    const next = new Map<string, (Budget | undefined)[]>();
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
        const limitMicroUsd = limitAt(budget, atMs);
        if (counter.spent + counter.reserved + amount <= limitMicroUsd) continue;
        counter.refused = true;
        if (blocking === null || counter.endMs > blocking.counter.endMs) blocking = { budget, counter, limitMicroUsd };
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
        if (counter !== undefined && budget !== undefined) standings.push(standingOf(budget, counter, atMs));
      }
    }
    return standings.sort((a, b) => b.utilization - a.utilization);
  }

  /** The fullest budget of a path, or null when no budget is set on it. For every request: one object, where there is one. */
  fullest(path: readonly BudgetSubject[], timeZone: string, atMs: number): BudgetStanding | null {
    let budget: Budget | null = null;
    let counter: SpendCounter | null = null;
    let most = -1;
    for (const subject of path) {
      const budgets = this.#budgets.get(subject.id);
      if (budgets === undefined) continue;
      const windows = this.#subject(subject.id, timeZone).at(atMs);
      for (let i = 0; i < windows.length; i++) {
        const candidate = budgets[i];
        const counted = windows[i];
        if (candidate === undefined || counted === undefined) continue;
        const utilization = utilizationOf(counted, limitAt(candidate, atMs));
        if (utilization <= most) continue;
        budget = candidate;
        counter = counted;
        most = utilization;
      }
    }
    return budget === null || counter === null ? null : standingOf(budget, counter, atMs);
  }

  /** Every budget with its counter as it stands, in no order. `timeZoneOf` gives an organisation's zone. */
  *all(timeZoneOf: (organizationId: string) => string, atMs: number): Generator<BudgetStanding> {
    for (const [subjectId, budgets] of this.#budgets) {
      for (let i = 0; i < budgets.length; i++) {
        const budget = budgets[i];
        if (budget === undefined) continue;
        const counter = this.#subject(subjectId, timeZoneOf(budget.organizationId)).at(atMs)[i];
        if (counter !== undefined) yield standingOf(budget, counter, atMs);
      }
    }
  }

  /** What a subject has spent in the window at `atMs`, as far as this process has counted. */
  spent(
    subjectId: string,
    window: SpendCounter["kind"],
    { timeZone, atMs }: { timeZone: string; atMs: number },
  ): MicroUsd {
    const known = this.#spend.get(subjectId);
    if (known === undefined || known.timeZone !== timeZone) return 0;
    return known.at(atMs)[WINDOW_KINDS.indexOf(window)]?.spent ?? 0;
  }

  #subject(id: string, timeZone: string): SubjectSpend {
    const known = this.#spend.get(id);
    if (known !== undefined && known.timeZone === timeZone) return known;
    const created = new SubjectSpend(timeZone, this.#clock.nowMs());
    this.#spend.set(id, created);
    return created;
  }
}

function standingOf(budget: Budget, counter: SpendCounter, atMs: number): BudgetStanding {
  const limitMicroUsd = limitAt(budget, atMs);
  return { budget, counter, limitMicroUsd, utilization: utilizationOf(counter, limitMicroUsd) };
}

function utilizationOf(counter: SpendCounter, limitMicroUsd: MicroUsd): number {
  return limitMicroUsd > 0 ? (counter.spent + counter.reserved) / limitMicroUsd : 1;
}

/** Tells a reservation from a refusal. */
export function isRefusal(result: Reservation | BudgetRefusal): result is BudgetRefusal {
  return "budget" in result;
}
