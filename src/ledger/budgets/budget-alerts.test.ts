import * as fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import { MemoryDirectoryStore } from "../../store/memory/memory-directory-store.ts";
import { MemorySpendLimitStore } from "../../store/memory/memory-spend-limit-store.ts";
import type { AlertMark } from "../../store/ports/spend-limits.ts";
import type { Budget } from "./budget.ts";
import { BudgetBook, isRefusal } from "./budget-book.ts";
import { BudgetAlerts } from "./budget-alerts.ts";

const START_MS = Date.UTC(2026, 10, 20, 12);
const DAY_MS = 86_400_000;
const PATH = [{ scope: "team", id: "team_1" }] as const;
const BUDGET: Budget = {
  id: "spl_1",
  organizationId: "org_1",
  scope: "team",
  subjectId: "team_1",
  window: "day",
  limitMicroUsd: 1_000,
  enforcement: "hard",
};

let clock: ManualClock;
let store: MemorySpendLimitStore;
let told: string[];
/** Makes the next deliveries fail. */
let failures = 0;

/** One process: its counters as they would be rebuilt, and its alerts. */
function newProcess(spent = 0, budget: Budget = BUDGET): { book: BudgetBook; alerts: BudgetAlerts } {
  const book = new BudgetBook({ clock, reserve: "expected", maxOvershoot: 0 });
  book.setBudgets([budget]);
  book.charge(PATH, "UTC", spent);
  const alerts = new BudgetAlerts({
    book,
    store,
    clock,
    logger: silentLogger,
    timeZoneOf: () => "UTC",
    every: () => () => {},
    sink: {
      deliver: async (mark: AlertMark) => {
        if (failures-- > 0) throw new Error("the mail server is away");
        told.push(`${mark.thresholdPercent} % of ${mark.limitMicroUsd}: ${mark.spentMicroUsd}`);
      },
    },
  });
  return { book, alerts };
}

beforeEach(() => {
  clock = new ManualClock(START_MS);
  store = new MemorySpendLimitStore(new MemoryDirectoryStore());
  told = [];
  failures = 0;
});

describe("budget alerts", () => {
  it("tell of 50, 80, 95 and 100 %, each once a window", async () => {
    const { book, alerts } = newProcess();
    await alerts.start();
    for (const cost of [499, 1, 299, 1, 150, 50, 10]) {
      book.charge(PATH, "UTC", cost);
      await alerts.sweep();
      await alerts.sweep();
    }
    expect(told).toEqual(["50 % of 1000: 500", "80 % of 1000: 800", "95 % of 1000: 950", "100 % of 1000: 1000"]);

    clock.advance(DAY_MS);
    book.charge(PATH, "UTC", 600);
    await alerts.sweep();
    expect(told.at(-1)).toBe("50 % of 1000: 600");
    expect(told).toHaveLength(5);
  });

  it("tell once across restarts and replicas", async () => {
    const first = newProcess(600);
    await first.alerts.start();
    await first.alerts.sweep();
    const [second, third] = [newProcess(600), newProcess(850)];
    await Promise.all([second.alerts.start(), third.alerts.start()]);
    await Promise.all([second.alerts.sweep(), third.alerts.sweep(), first.alerts.sweep()]);

    expect(told).toEqual(["50 % of 1000: 600", "80 % of 1000: 850"]);
  });

  it("are tried again when they could not be delivered, by whichever process, and told once", async () => {
    failures = 1;
    const first = newProcess(600);
    await first.alerts.start();
    await first.alerts.sweep();
    expect(told).toEqual([]);

    const second = newProcess(600);
    await second.alerts.start();
    await second.alerts.sweep();
    expect(told).toEqual([]);
    clock.advance(61_000);
    await Promise.all([second.alerts.sweep(), first.alerts.sweep()]);
    await first.alerts.sweep();
    expect(told).toEqual(["50 % of 1000: 600"]);
  });

  it("tell that a budget is used up when what is left fits nothing", async () => {
    const { book, alerts } = newProcess(900);
    await alerts.start();
    const refused = book.reserve(PATH, "UTC", { expected: 200, worst: 200 }, clock.nowMs());
    expect(isRefusal(refused)).toBe(true);
    await alerts.sweep();

    expect(told).toEqual(["50 % of 1000: 900", "80 % of 1000: 900", "100 % of 1000: 900"]);
  });

  it("do not cry wolf when one large request does not fit into a budget that is nearly whole", async () => {
    const { book, alerts } = newProcess(100);
    book.reserve(PATH, "UTC", { expected: 5_000, worst: 5_000 }, clock.nowMs());
    await alerts.start();
    await alerts.sweep();

    expect(told).toEqual([]);
  });

  it("go by the raised limit while it is raised", async () => {
    const raises = [{ addMicroUsd: 1_000, fromMs: START_MS, untilMs: START_MS + 1_000 }];
    const { alerts } = newProcess(900, { ...BUDGET, raises });
    await alerts.start();
    await alerts.sweep();
    expect(told).toEqual([]);

    clock.advance(1_000);
    await alerts.sweep();
    expect(told).toEqual(["50 % of 1000: 900", "80 % of 1000: 900"]);
  });

  it("given any spending, restarts and failures, tell each passed threshold exactly once a window", async () => {
    const step = fc.oneof(
      fc.record({ do: fc.constant("spend" as const), cost: fc.nat(400) }),
      fc.record({ do: fc.constant("restart" as const) }),
      fc.record({ do: fc.constant("fail" as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        clock = new ManualClock(START_MS);
        store = new MemorySpendLimitStore(new MemoryDirectoryStore());
        [told, failures] = [[], 0];
        let spent = 0;
        let process = newProcess();
        await process.alerts.start();
        for (const one of steps) {
          if (one.do === "spend") {
            spent += one.cost;
            process.book.charge(PATH, "UTC", one.cost);
          } else if (one.do === "fail") failures = 1;
          else {
            process = newProcess(spent);
            await process.alerts.start();
          }
          await process.alerts.sweep();
          clock.advance(61_000);
        }
        failures = 0;
        await process.alerts.sweep();
        clock.advance(61_000);
        await process.alerts.sweep();
        const passed = [50, 80, 95, 100].filter((threshold) => spent * 100 >= threshold * 1_000);
        expect(told.map((line) => Number.parseInt(line, 10)).sort((a, b) => a - b)).toEqual(passed);
      }),
      { numRuns: 60 },
    );
  });
});
