import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { type DailyCost, forecastMonth } from "./forecast.ts";

/** Mulberry32: the same numbers in every run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface World {
  /** Standard deviation of the logarithm of a day. */
  readonly noise: number;
  readonly weekend: number;
  /** Growth from day to day. */
  readonly growth: number;
  /** How often a day costs five times as much. */
  readonly spikes: number;
}

/** Daily costs of a made-up organisation. */
function worldDays(from: string, count: number, world: World, seed: number): DailyCost[] {
  const random = randomFrom(seed);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const start = Temporal.PlainDate.from(from);
  return Array.from({ length: count }, (_, at) => {
    const day = start.add({ days: at });
    const season = day.dayOfWeek >= 6 ? world.weekend : 1;
    const spike = random() < world.spikes ? 5 : 1;
    const cost = 100_000_000 * season * spike * (1 + world.growth) ** at * Math.exp(world.noise * normal());
    return { day: day.toString(), costMicroUsd: Math.round(cost) };
  });
}

/** Forecasts made on one day of many months, against what came. */
function backTest(world: World, dayOfMonth: number): { inside: number; error: number; naiveError: number } {
  const rounds = 200;
  let [inside, error, naiveError] = [0, 0, 0];
  for (let seed = 1; seed <= rounds; seed++) {
    const days = worldDays("2026-08-01", 122, world, seed);
    const at = days.findIndex(({ day }) => day === `2026-11-${String(dayOfMonth).padStart(2, "0")}`);
    const today = { day: days[at]?.day ?? "", costMicroUsd: 0 };
    const forecast = forecastMonth({ past: days.slice(0, at), today, todayShare: 0 });
    const actual = days.filter(({ day }) => day.startsWith("2026-11")).reduce((sum, day) => sum + day.costMicroUsd, 0);
    if (forecast === null) throw new Error("no forecast");
    if (actual >= forecast.lowMicroUsd && actual <= forecast.highMicroUsd) inside += 1;
    error += Math.abs(forecast.expectedMicroUsd - actual) / actual / rounds;
    // What most dashboards do: the month so far, drawn out.
    const naive = dayOfMonth === 1 ? 0 : (forecast.spentMicroUsd / (dayOfMonth - 1)) * 30;
    naiveError += Math.abs(naive - actual) / actual / rounds;
  }
  return { inside: inside / rounds, error, naiveError };
}

describe("the forecast to the end of the month", () => {
  it("says nothing on fewer than seven days", () => {
    const past = worldDays("2026-11-01", 6, { noise: 0, weekend: 1, growth: 0, spikes: 0 }, 1);
    expect(forecastMonth({ past, today: { day: "2026-11-07", costMicroUsd: 5 }, todayShare: 0.5 })).toBeNull();
  });

  it("is exact where every day costs the same", () => {
    const past = worldDays("2026-10-01", 50, { noise: 0, weekend: 1, growth: 0, spikes: 0 }, 1);
    const forecast = forecastMonth({ past, today: { day: "2026-11-20", costMicroUsd: 50_000_000 }, todayShare: 0.5 });
    expect(forecast).toMatchObject({
      spentMicroUsd: 1_950_000_000,
      expectedMicroUsd: 3_000_000_000,
      lowMicroUsd: 3_000_000_000,
      highMicroUsd: 3_000_000_000,
      basisDays: 50,
    });
    expect(forecast?.days).toHaveLength(11);
  });

  it("knows that weekends are cheaper", () => {
    const past = worldDays("2026-09-28", 56, { noise: 0, weekend: 0.2, growth: 0, spikes: 0 }, 1);
    const forecast = forecastMonth({ past, today: { day: "2026-11-23", costMicroUsd: 0 }, todayShare: 0 });
    const costs = forecast?.days.map(({ costMicroUsd }) => costMicroUsd) ?? [];
    const [monday = 0, saturday = 0] = [costs[0], costs[5]];
    expect(monday).toBeGreaterThan(3 * saturday);
  });

  it("never expects less than was spent, whatever came before", () => {
    const day = fc.nat(2_000_000_000);
    fc.assert(
      fc.property(
        fc.array(day, { minLength: 7, maxLength: 80 }),
        day,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (costs, spent, share) => {
          const first = Temporal.PlainDate.from("2026-11-18").subtract({ days: costs.length });
          const past = costs.map((costMicroUsd, at) => ({ day: first.add({ days: at }).toString(), costMicroUsd }));
          const forecast = forecastMonth({
            past,
            today: { day: "2026-11-18", costMicroUsd: spent },
            todayShare: share,
          });
          if (forecast === null) throw new Error("no forecast");
          expect(forecast.lowMicroUsd).toBeGreaterThanOrEqual(forecast.spentMicroUsd);
          expect(forecast.expectedMicroUsd).toBeGreaterThanOrEqual(forecast.lowMicroUsd);
          expect(forecast.highMicroUsd).toBeGreaterThanOrEqual(forecast.expectedMicroUsd);
          expect(Number.isSafeInteger(forecast.expectedMicroUsd)).toBe(true);
        },
      ),
    );
  });

  describe("on 200 made-up months, on which its constants were also chosen", () => {
    it.each<[string, World, number]>([
      ["office hours", { noise: 0.2, weekend: 0.2, growth: 0, spikes: 0 }, 0.88],
      ["round the clock", { noise: 0.3, weekend: 1, growth: 0, spikes: 0 }, 0.88],
      // 9 % a month that nobody told it of.
      ["slow growth", { noise: 0.2, weekend: 0.3, growth: 0.003, spikes: 0 }, 0.75],
      ["a burst now and then", { noise: 0.2, weekend: 0.3, growth: 0, spikes: 0.03 }, 0.8],
    ])("%s: is near, and its interval holds what it says", (_name, world, least) => {
      for (const dayOfMonth of [4, 10, 20]) {
        const { inside, error, naiveError } = backTest(world, dayOfMonth);
        expect.soft(inside, `inside on day ${dayOfMonth}`).toBeGreaterThanOrEqual(least);
        expect.soft(error, `error on day ${dayOfMonth}`).toBeLessThan(0.15);
        expect.soft(error, `no worse than drawing the month out on day ${dayOfMonth}`).toBeLessThan(naiveError + 0.01);
      }
    });
  });
});
