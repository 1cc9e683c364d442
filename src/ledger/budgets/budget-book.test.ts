import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { windowAt, type WindowKind } from "../../core/calendar-window.ts";
import { ManualClock } from "../../core/clock.ts";
import {
  BudgetBook,
  isRefusal,
  type BudgetRefusal,
  type BudgetSubject,
  type CostForecast,
  type Reservation,
} from "./budget-book.ts";
import { type Budget, limitAt } from "./budget.ts";
import { WINDOW_KINDS } from "./spend-counter.ts";

const START_MS = Date.UTC(2026, 9, 23, 12);
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const ORGANIZATION: BudgetSubject = { scope: "organization", id: "org" };
const TEAM: BudgetSubject = { scope: "team", id: "team" };
const KEY: BudgetSubject = { scope: "key", id: "key" };
const PATH = [ORGANIZATION, TEAM, KEY];

function budget(given: Partial<Budget> = {}): Budget {
  const subjectId = given.subjectId ?? "key";
  const window = given.window ?? "day";
  return {
    id: `${subjectId}/${window}`,
    organizationId: "org",
    scope: "key",
    subjectId,
    window,
    limitMicroUsd: 1_000,
    enforcement: "hard",
    ...given,
  };
}

function setUp(
  budgets: readonly Budget[],
  options: { reserve?: "expected" | "worst_case"; maxOvershoot?: number; startMs?: number } = {},
): {
  book: BudgetBook;
  clock: ManualClock;
  reserve: (expected: number, worst?: number) => Reservation | BudgetRefusal;
} {
  const clock = new ManualClock(options.startMs ?? START_MS);
  const { reserve = "expected", maxOvershoot = 0 } = options;
  const book = new BudgetBook({ clock, reserve, maxOvershoot });
  book.setBudgets(budgets);
  return {
    book,
    clock,
    reserve: (expected, worst = expected) => book.reserve(PATH, "UTC", { expected, worst }, clock.nowMs()),
  };
}

function granted(result: Reservation | BudgetRefusal): Reservation {
  if (isRefusal(result)) throw new Error(`refused by ${result.budget.id}`);
  return result;
}

function refused(result: Reservation | BudgetRefusal): BudgetRefusal {
  if (!isRefusal(result)) throw new Error("not refused");
  return result;
}

describe("BudgetBook.reserve", () => {
  it("admits up to the limit exactly, and not one micro-dollar more", () => {
    const { reserve } = setUp([budget()]);
    granted(reserve(999));

    expect(refused(reserve(2)).budget.id).toBe("key/day");
    granted(reserve(1));
    refused(reserve(1));
  });

  it("counts what is reserved by others that still run", () => {
    const { book, reserve } = setUp([budget()]);
    const first = granted(reserve(600));
    refused(reserve(600));

    book.settle(first, 100);
    granted(reserve(600));
  });

  it("takes nothing anywhere when one budget on the path has no room", () => {
    const { book, clock, reserve } = setUp([
      budget({ subjectId: "org", limitMicroUsd: 10_000 }),
      budget({ subjectId: "key", limitMicroUsd: 100 }),
    ]);
    refused(reserve(101));

    for (const { counter } of book.standings(PATH, "UTC", clock.nowMs())) {
      expect(counter).toMatchObject({ spent: 0, reserved: 0, exposure: 0 });
    }
  });

  it("names the budget that will be full the longest, so that retry-after is not a false hope", () => {
    const { reserve } = setUp([
      budget({ subjectId: "org", window: "day", limitMicroUsd: 10 }),
      budget({ subjectId: "team", window: "month", limitMicroUsd: 10 }),
      budget({ subjectId: "key", window: "week", limitMicroUsd: 10 }),
    ]);

    expect(refused(reserve(11)).budget.id).toBe("team/month");
  });

  it("lets a soft budget refuse nothing", () => {
    const { reserve } = setUp([budget({ enforcement: "soft", limitMicroUsd: 1 })]);

    granted(reserve(1_000_000));
  });

  it("admits nothing under a budget of nothing", () => {
    const { reserve } = setUp([budget({ limitMicroUsd: 0 })]);

    refused(reserve(1));
  });

  it("counts spend before a budget is set, so that the budget knows it at once", () => {
    const { book, reserve } = setUp([]);
    book.settle(granted(reserve(800)), 800);
    book.setBudgets([budget()]);

    refused(reserve(201));
    granted(reserve(200));
  });

  it("lets the latest row of a subject and window win", () => {
    const { reserve } = setUp([budget({ limitMicroUsd: 10 }), budget({ limitMicroUsd: 5_000 })]);

    granted(reserve(5_000));
  });

  it("keeps subjects apart", () => {
    const { book, clock } = setUp([budget({ subjectId: "a" }), budget({ subjectId: "b" })]);
    const reserve = (id: string): Reservation | BudgetRefusal =>
      book.reserve([{ scope: "key", id }], "UTC", { expected: 1_000, worst: 1_000 }, clock.nowMs());

    granted(reserve("a"));
    granted(reserve("b"));
    refused(reserve("a"));
  });
});

describe("the declared bound", () => {
  it("reserves what is expected while the bound lasts, then ever more of the worst case", () => {
    const { reserve } = setUp([budget({ limitMicroUsd: 100_000 })], { maxOvershoot: 150 });

    expect(granted(reserve(10, 110)).amount).toBe(10);
    expect(granted(reserve(10, 110)).amount).toBe(60);
    expect(granted(reserve(10, 110)).amount).toBe(110);
  });

  it("gives the bound back when an exchange ends", () => {
    const { book, reserve } = setUp([budget({ limitMicroUsd: 100_000 })], { maxOvershoot: 100 });
    const first = granted(reserve(10, 110));
    book.settle(first, 30);

    expect(granted(reserve(10, 110)).amount).toBe(10);
  });

  it("is not used up by soft budgets or where there is none", () => {
    const { reserve } = setUp([budget({ enforcement: "soft" })], { maxOvershoot: 0 });

    expect(granted(reserve(10, 110)).amount).toBe(10);
  });

  it("reserves the worst case at once in worst_case mode", () => {
    const { book, reserve } = setUp([budget({ limitMicroUsd: 100 })], { reserve: "worst_case", maxOvershoot: 1_000 });
    refused(reserve(1, 101));
    expect(granted(reserve(1, 100)).amount).toBe(100);

    book.configure({ reserve: "expected", maxOvershoot: 1_000 });
    book.setBudgets([budget({ limitMicroUsd: 200 })]);
    expect(granted(reserve(1, 101)).amount).toBe(1);
  });
});

describe("BudgetBook.settle", () => {
  it("replaces what was reserved by what it cost, once", () => {
    const { book, clock, reserve } = setUp([budget({ limitMicroUsd: 10_000 })]);
    const reservation = granted(reserve(500));
    book.settle(reservation, 300);
    book.settle(reservation, 300);

    expect(book.fullest(PATH, "UTC", clock.nowMs())?.counter).toMatchObject({ spent: 300, reserved: 0, exposure: 0 });
  });

  it.each([
    ["Europe/Berlin", "2026-10-25T22:30Z"],
    ["America/New_York", "2026-11-01T23:30Z"],
    ["Asia/Kathmandu", "2026-11-20T18:00Z"],
    ["UTC", "2028-02-29T23:59Z"],
  ])("counts in the window of the reservation, also after it has turned in %s", (timeZone, before) => {
    const { book, clock } = setUp([budget({ limitMicroUsd: 1_000 })], { startMs: Date.parse(before) });
    const forecast = { expected: 900, worst: 900 };
    const yesterday = granted(book.reserve(PATH, timeZone, forecast, clock.nowMs()));
    const day = windowAt("day", clock.nowMs(), timeZone);
    clock.setWall(day.endMs);
    const today = granted(book.reserve(PATH, timeZone, forecast, clock.nowMs()));
    book.settle(yesterday, 900);

    expect(book.fullest(PATH, timeZone, clock.nowMs())?.counter).toMatchObject({ spent: 0, reserved: 900 });
    const dayCounter = yesterday.counters.find((counter) => counter.kind === "day");
    expect(dayCounter).toMatchObject({ ...day, spent: 900, reserved: 0 });
    book.settle(today, 50);
    expect(book.fullest(PATH, timeZone, clock.nowMs())?.counter.spent).toBe(50);
  });
});

describe("BudgetBook.standings", () => {
  it("shows the fullest budget first, and a budget of nothing as full", () => {
    const { book, clock, reserve } = setUp([
      budget({ subjectId: "org", limitMicroUsd: 10_000 }),
      budget({ subjectId: "key", window: "month", limitMicroUsd: 1_000 }),
    ]);
    granted(reserve(500));
    const standings = book.standings(PATH, "UTC", clock.nowMs());
    expect(standings.map(({ budget, utilization }) => [budget.id, utilization])).toEqual([
      ["key/month", 0.5],
      ["org/day", 0.05],
    ]);

    book.setBudgets([budget({ limitMicroUsd: 0, enforcement: "soft" })]);
    expect(book.fullest(PATH, "UTC", clock.nowMs())?.utilization).toBe(1);
  });

  it("has nothing to show where no budget is set", () => {
    const { book, clock } = setUp([]);

    expect(book.fullest(PATH, "UTC", clock.nowMs())).toBeNull();
    expect(book.standings(PATH, "UTC", clock.nowMs())).toEqual([]);
  });
});

describe("BudgetBook.restore and charge", () => {
  it("restore counts in the one window it names, charge in all four", () => {
    const all = WINDOW_KINDS.map((window) => budget({ window, limitMicroUsd: 1_000 }));
    const { book, clock } = setUp(all);
    book.restore(KEY, "UTC", "month", 40);
    book.charge(PATH, "UTC", 5);

    const spent = book
      .standings([KEY], "UTC", clock.nowMs())
      .map(({ budget, counter }) => [budget.window, counter.spent]);
    expect(Object.fromEntries(spent)).toEqual({ day: 5, week: 5, month: 45, total: 5 });
  });
});

/** What may happen to a book, in any order. */
type Step =
  | { readonly do: "reserve"; readonly path: number; readonly forecast: CostForecast }
  | { readonly do: "settle"; readonly pick: number; readonly share: number }
  | { readonly do: "settle again"; readonly pick: number }
  | { readonly do: "wait"; readonly ms: number }
  | { readonly do: "budget"; readonly pick: number; readonly limit: number; readonly hard: boolean }
  | {
      readonly do: "raise";
      readonly pick: number;
      readonly add: number;
      readonly afterMs: number;
      readonly forMs: number;
    }
  | { readonly do: "configure"; readonly mode: "expected" | "worst_case"; readonly maxOvershoot: number };

/** Two teams of two keys, each of which may name no project tag or one of two. */
const PATHS: readonly (readonly BudgetSubject[])[] = ["a", "b"].flatMap((team) =>
  ["1", "2"].flatMap((key) =>
    [null, "org/search", "org/billing"].map((tag): readonly BudgetSubject[] => [
      ORGANIZATION,
      { scope: "team", id: team },
      { scope: "user", id: `user ${team}${key}` },
      { scope: "key", id: team + key },
      ...(tag === null ? [] : [{ scope: "tag" as const, id: tag }]),
    ]),
  ),
);
const SUBJECTS: readonly BudgetSubject[] = [...new Map(PATHS.flat().map((subject) => [subject.id, subject])).values()];
const SLOTS = SUBJECTS.flatMap((subject) => WINDOW_KINDS.map((window) => ({ subject, window })));

const forecast = fc
  .tuple(fc.integer({ min: 1, max: 500 }), fc.nat(1_000))
  .map(([expected, more]) => ({ expected, worst: expected + more }));
const reserveStep = fc.record({ do: fc.constant("reserve" as const), path: fc.nat(PATHS.length - 1), forecast });
const settleStep = fc.record({
  do: fc.constant("settle" as const),
  pick: fc.nat(),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
});
const settleAgainStep = fc.record({ do: fc.constant("settle again" as const), pick: fc.nat() });
const waitStep = fc.record({ do: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 20 * DAY_MS }) });
const budgetStep = fc.record({
  do: fc.constant("budget" as const),
  pick: fc.nat(SLOTS.length - 1),
  limit: fc.nat(4_000),
  hard: fc.boolean(),
});
const raiseStep = fc.record({
  do: fc.constant("raise" as const),
  pick: fc.nat(SLOTS.length - 1),
  add: fc.integer({ min: 1, max: 3_000 }),
  afterMs: fc.nat(2 * DAY_MS),
  forMs: fc.integer({ min: 1, max: 10 * DAY_MS }),
});
const configureStep = fc.record({
  do: fc.constant("configure" as const),
  mode: fc.constantFrom("expected" as const, "worst_case" as const),
  maxOvershoot: fc.nat(2_000),
});
const traffic: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: reserveStep },
  { weight: 4, arbitrary: settleStep },
  { weight: 1, arbitrary: settleAgainStep },
  { weight: 1, arbitrary: waitStep },
);
const anything: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: traffic },
  { weight: 2, arbitrary: budgetStep },
  { weight: 2, arbitrary: raiseStep },
  { weight: 1, arbitrary: configureStep },
);
const zone = fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu");

/** A counter as it should be, added up anew from all reservations that were ever granted. */
interface Sums {
  spent: number;
  reserved: number;
  exposure: number;
}

/** Runs steps on a book beside the plainest possible account of them, and compares after every step. */
class Audit {
  readonly clock = new ManualClock(START_MS);
  readonly book: BudgetBook;
  readonly budgets = new Map<string, Budget>();
  readonly #timeZone: string;
  readonly #granted: { reservation: Reservation; path: readonly BudgetSubject[]; atMs: number; cost: number | null }[] =
    [];
  #maxOvershoot: number;

  constructor(timeZone: string, options: { reserve: "expected" | "worst_case"; maxOvershoot: number }) {
    this.#timeZone = timeZone;
    this.#maxOvershoot = options.maxOvershoot;
    this.book = new BudgetBook({ clock: this.clock, ...options });
    for (const slot of SLOTS) this.setBudget(slot, { limit: 1_000_000, hard: false });
  }

  setBudget(
    slot: { subject: BudgetSubject; window: WindowKind },
    { limit, hard }: { limit: number; hard: boolean },
  ): void {
    const { subject, window } = slot;
    const enforcement = hard ? "hard" : "soft";
    const { scope } = subject;
    const { raises } = this.budgets.get(`${subject.id}/${window}`) ?? {};
    const plain = budget({ subjectId: subject.id, window, limitMicroUsd: limit, enforcement, scope });
    const record = raises === undefined ? plain : { ...plain, raises };
    this.budgets.set(record.id, record);
    this.book.setBudgets([...this.budgets.values()]);
  }

  run(step: Step): void {
    switch (step.do) {
      case "reserve":
        this.#reserve(PATHS[step.path]!, step.forecast);
        break;
      case "settle": {
        const open = this.#granted.filter(({ cost }) => cost === null);
        const one = open[step.pick % open.length];
        if (one === undefined) break;
        one.cost = Math.round(one.reservation.worst * step.share);
        this.book.settle(one.reservation, one.cost);
        break;
      }
      case "settle again": {
        const settled = this.#granted.filter(({ cost }) => cost !== null);
        const one = settled[step.pick % settled.length];
        if (one !== undefined) this.book.settle(one.reservation, 777);
        break;
      }
      case "wait":
        this.clock.advance(step.ms);
        break;
      case "budget":
        this.setBudget(SLOTS[step.pick]!, step);
        break;
      case "raise":
        this.#raise(step);
        break;
      case "configure":
        this.#maxOvershoot = step.maxOvershoot;
        this.book.configure({ reserve: step.mode, maxOvershoot: step.maxOvershoot });
        break;
    }
    this.#compare();
  }

  /** A temporary increase, now or soon, of whatever limit the slot has then. */
  #raise({ pick, add, afterMs, forMs }: Extract<Step, { readonly do: "raise" }>): void {
    const { subject, window } = SLOTS[pick]!;
    const id = `${subject.id}/${window}`;
    const known = this.budgets.get(id)!;
    const fromMs = this.clock.nowMs() + afterMs;
    const raise = { addMicroUsd: add, fromMs, untilMs: fromMs + forMs };
    this.budgets.set(id, { ...known, raises: [...(known.raises ?? []), raise] });
    this.book.setBudgets([...this.budgets.values()]);
  }

  /** The limit as of now, worked out the plain way. */
  limitOf({ limitMicroUsd, raises = [] }: Budget): number {
    const nowMs = this.clock.nowMs();
    const inForce = raises.filter(({ fromMs, untilMs }) => nowMs >= fromMs && nowMs < untilMs);
    return inForce.reduce((sum, { addMicroUsd }) => sum + addMicroUsd, limitMicroUsd);
  }

  #reserve(path: readonly BudgetSubject[], forecast: CostForecast): void {
    const atMs = this.clock.nowMs();
    const before = new Map(this.hardCounters(path).map(({ id, sums }) => [id, sums.exposure]));
    const result = this.book.reserve(path, this.#timeZone, forecast, atMs);
    if (isRefusal(result)) {
      const { spent, reserved } = this.#sums(result.budget.subjectId, result.budget.window);
      // Even the worst case would have fitted: then there was no ground to refuse.
      expect(result.limitMicroUsd).toBe(this.limitOf(result.budget));
      expect(spent + reserved + forecast.worst).toBeGreaterThan(result.limitMicroUsd);
      expect(result.budget.enforcement).toBe("hard");
      return;
    }
    this.#granted.push({ reservation: result, path, atMs, cost: null });
    expect(result.amount).toBeGreaterThanOrEqual(forecast.expected);
    expect(result.amount).toBeLessThanOrEqual(forecast.worst);
    for (const { id, record, sums } of this.hardCounters(path)) {
      expect(sums.spent + sums.reserved).toBeLessThanOrEqual(this.limitOf(record));
      expect(sums.exposure).toBeLessThanOrEqual(Math.max(this.#maxOvershoot, before.get(id) ?? 0));
    }
  }

  hardCounters(path: readonly BudgetSubject[] = SUBJECTS): { id: string; record: Budget; sums: Sums }[] {
    return [...this.budgets.values()]
      .filter((record) => record.enforcement === "hard" && path.some((subject) => subject.id === record.subjectId))
      .map((record) => ({ id: record.id, record, sums: this.#sums(record.subjectId, record.window) }));
  }

  #sums(subjectId: string, window: WindowKind, atMs = this.clock.nowMs()): Sums {
    const span = windowAt(window, atMs, this.#timeZone);
    const sums = { spent: 0, reserved: 0, exposure: 0 };
    for (const { reservation, path, atMs, cost } of this.#granted) {
      if (atMs < span.startMs || atMs >= span.endMs || !path.some((subject) => subject.id === subjectId)) continue;
      sums.spent += cost ?? 0;
      if (cost === null) sums.reserved += reservation.amount;
      if (cost === null) sums.exposure += reservation.worst - reservation.amount;
    }
    return sums;
  }

  #compare(): void {
    const standings = this.book.standings(SUBJECTS, this.#timeZone, this.clock.nowMs());
    expect(standings).toHaveLength(SLOTS.length);
    for (const { budget, counter } of standings) {
      const { spent, reserved, exposure } = counter;
      expect({ id: budget.id, spent, reserved, exposure }).toEqual({
        id: budget.id,
        ...this.#sums(budget.subjectId, budget.window),
      });
      expect(Math.min(spent, reserved, exposure)).toBeGreaterThanOrEqual(0);
    }
  }

  /** Compares the counters of windows that have long turned over too. */
  compareAllWindows(): void {
    for (const { reservation, path, atMs } of this.#granted) {
      for (const [i, { kind, spent, reserved, exposure }] of reservation.counters.entries()) {
        const subject = path[Math.floor(i / WINDOW_KINDS.length)]!;
        expect({ spent, reserved, exposure }).toEqual(this.#sums(subject.id, kind, atMs));
      }
    }
  }
}

describe("over any interleaving of reservations, settles, window turns, budget and setting changes", () => {
  it("every counter is the sum of its reservations, nothing is granted past a hard limit, exposure stays in its bound", () => {
    const settings = fc.record({
      reserve: fc.constantFrom("expected" as const, "worst_case" as const),
      maxOvershoot: fc.nat(2_000),
    });
    fc.assert(
      fc.property(zone, settings, fc.array(anything, { maxLength: 60 }), (timeZone, settings, steps) => {
        const audit = new Audit(timeZone, settings);
        for (const step of steps) audit.run(step);
        audit.compareAllWindows();
      }),
      { numRuns: 200 },
    );
  });

  const hardBudgets = fc.array(fc.record({ pick: fc.nat(SLOTS.length - 1), limit: fc.nat(4_000) }), {
    minLength: 1,
    maxLength: 6,
  });

  it("spent + reserved never passes a hard limit by more than the bound, at any moment", () => {
    fc.assert(
      fc.property(
        zone,
        fc.nat(2_000),
        hardBudgets,
        fc.array(traffic, { maxLength: 80 }),
        (timeZone, maxOvershoot, budgets, steps) => {
          const audit = new Audit(timeZone, { reserve: "expected", maxOvershoot });
          for (const { pick, limit } of budgets) audit.setBudget(SLOTS[pick]!, { limit, hard: true });
          for (const step of steps) {
            audit.run(step);
            for (const { record, sums } of audit.hardCounters()) {
              expect(sums.spent + sums.reserved).toBeLessThanOrEqual(record.limitMicroUsd + maxOvershoot);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("worst_case never passes a limit at all", () => {
    fc.assert(
      fc.property(
        zone,
        fc.nat(2_000),
        hardBudgets,
        fc.array(traffic, { maxLength: 80 }),
        (timeZone, maxOvershoot, budgets, steps) => {
          const audit = new Audit(timeZone, { reserve: "worst_case", maxOvershoot });
          for (const { pick, limit } of budgets) audit.setBudget(SLOTS[pick]!, { limit, hard: true });
          for (const step of steps) {
            audit.run(step);
            for (const { record, sums } of audit.hardCounters()) {
              expect(sums.spent + sums.reserved).toBeLessThanOrEqual(record.limitMicroUsd);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("with increases that begin and end mid-flight: what is spent and reserved stays below the highest limit of its window, and the bound", () => {
    const raising: fc.Arbitrary<Step> = fc.oneof(
      { weight: 5, arbitrary: traffic },
      { weight: 1, arbitrary: raiseStep },
    );
    fc.assert(
      fc.property(
        zone,
        fc.nat(2_000),
        hardBudgets,
        fc.array(raising, { maxLength: 80 }),
        (timeZone, maxOvershoot, budgets, steps) => {
          const audit = new Audit(timeZone, { reserve: "expected", maxOvershoot });
          for (const { pick, limit } of budgets) audit.setBudget(SLOTS[pick]!, { limit, hard: true });
          const highest = new Map<string, number>();
          for (const step of steps) {
            audit.run(step);
            for (const { id, record, sums } of audit.hardCounters()) {
              const { startMs } = windowAt(record.window, audit.clock.nowMs(), timeZone);
              const window = `${id}@${startMs}`;
              const limit = Math.max(highest.get(window) ?? 0, audit.limitOf(record));
              highest.set(window, limit);
              expect(limitAt(record, audit.clock.nowMs())).toBe(audit.limitOf(record));
              expect(sums.spent + sums.reserved).toBeLessThanOrEqual(limit + maxOvershoot);
            }
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it("the fullest budget is the first of the standings", () => {
    fc.assert(
      fc.property(zone, fc.array(anything, { maxLength: 40 }), fc.nat(PATHS.length - 1), (timeZone, steps, at) => {
        const audit = new Audit(timeZone, { reserve: "expected", maxOvershoot: 500 });
        for (const step of steps) audit.run(step);
        const [path, nowMs] = [PATHS[at]!, audit.clock.nowMs()];
        const [first] = audit.book.standings(path, timeZone, nowMs);

        expect(audit.book.fullest(path, timeZone, nowMs)).toEqual(first);
      }),
      { numRuns: 60 },
    );
  });
});

describe("a limit for every user", () => {
  it("is held by each user's own counter: nobody is refused for what others spend, nor admitted past their own", () => {
    const users = ["a1", "a2", "b1", "b2"].map((id) => `user ${id}`);
    const request = fc.record({ user: fc.nat(users.length - 1), cost: fc.integer({ min: 1, max: 300 }) });
    fc.assert(
      fc.property(fc.nat(1_000), fc.array(request, { maxLength: 60 }), (limitMicroUsd, requests) => {
        const { book, clock } = setUp(
          users.map((subjectId) => budget({ subjectId, scope: "user", window: "month", limitMicroUsd })),
        );
        const spent = new Map<string, number>();
        for (const { user, cost } of requests) {
          const id = users[user]!;
          const path: BudgetSubject[] = [ORGANIZATION, { scope: "user", id }, { scope: "tag", id: "org/search" }];
          const before = spent.get(id) ?? 0;
          const result = book.reserve(path, "UTC", { expected: cost, worst: cost }, clock.nowMs());
          expect(isRefusal(result)).toBe(before + cost > limitMicroUsd);
          if (isRefusal(result)) continue;
          book.settle(result, cost);
          spent.set(id, before + cost);
        }
        const total = [...spent.values()].reduce((sum, one) => sum + one, 0);
        expect(book.spent("org/search", "month", { timeZone: "UTC", atMs: clock.nowMs() })).toBe(total);
      }),
      { numRuns: 100 },
    );
  });
});
