import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { RateLoad, TraceLoad } from "../plan/load-plan.ts";
import { expectedRequests, peakRequestsPerSecond, schedule, traceDurationMs, type Arrival } from "./schedule.ts";
import type { RateTrace, RequestTrace } from "./trace.ts";

const noWarmup = { warmupMs: 0, seed: 1 };

function rate(changes: Partial<RateLoad> = {}): RateLoad {
  return { kind: "rate", requestsPerSecond: 10, arrival: "constant", durationMs: 1000, rampMs: 0, ...changes };
}

function replay(trace: TraceLoad["trace"], changes: Partial<TraceLoad> = {}): TraceLoad {
  return { kind: "trace", trace, speed: 1, scale: 1, fromMs: 0, limit: null, durationMs: null, ...changes };
}

function requests(...offsetsMs: number[]): RequestTrace {
  return {
    kind: "requests",
    name: "t",
    requests: offsetsMs.map((offsetMs) => ({ offsetMs, inputTokens: 1000, outputTokens: 10, sharedPrefix: null })),
  };
}

function rates(perSecond: readonly (readonly number[])[], stepMs: number): RateTrace {
  const rows = perSecond.map((row, i) => ({ fromMs: i * stepMs, perSecond: row }));
  return {
    kind: "rates",
    name: "t",
    clients: (perSecond[0] ?? []).map((_, i) => `c${i}`),
    rows,
    endMs: perSecond.length * stepMs,
  };
}

const times = (arrivals: Iterable<Arrival>): readonly number[] => Array.from(arrivals, ({ atMs }) => atMs);

describe("a fixed rate", () => {
  it("spaces requests evenly and ends before the duration does", () => {
    expect(times(schedule(rate({ durationMs: 350 }), noWarmup))).toEqual([0, 100, 200, 300]);
  });

  it("begins with the warm-up, at negative times, and goes on without a gap", () => {
    expect(times(schedule(rate({ durationMs: 200 }), { warmupMs: 200, seed: 1 }))).toEqual([-200, -100, 0, 100]);
  });

  it("rises linearly in a ramp, which sends half of what the full rate would", () => {
    const all = times(schedule(rate({ requestsPerSecond: 100, durationMs: 2000, rampMs: 1000 }), noWarmup));
    expect(all.filter((atMs) => atMs < 1000)).toHaveLength(50);
    expect(all.filter((atMs) => atMs < 500).length).toBe(13);
    expect(all.filter((atMs) => atMs >= 1000)).toHaveLength(100);
  });

  it("as a Poisson process has the same mean, exponential gaps, and repeats with its seed", () => {
    const load = rate({ arrival: "poisson", requestsPerSecond: 1000, durationMs: 20_000 });
    const all = times(schedule(load, noWarmup));
    expect(Math.abs(all.length - 20_000)).toBeLessThan(600);
    const gaps = all.slice(1).map((atMs, i) => atMs - all[i]!);
    expect(gaps.filter((gap) => gap > 1).length / gaps.length).toBeCloseTo(1 / Math.E, 1);
    expect(times(schedule(load, noWarmup))).toEqual(all);
    expect(times(schedule(load, { warmupMs: 0, seed: 2 }))).not.toEqual(all);
  });
});

describe("a replayed trace of requests", () => {
  it("keeps the recorded distances, faster by the speed, from the chosen place, up to the limit", () => {
    const trace = requests(0, 100, 250, 400, 1000);
    expect(times(schedule(replay(trace), noWarmup))).toEqual([0, 100, 250, 400, 1000]);
    expect(times(schedule(replay(trace, { speed: 10 }), noWarmup))).toEqual([0, 10, 25, 40, 100]);
    expect(times(schedule(replay(trace, { fromMs: 200, limit: 2 }), noWarmup))).toEqual([50, 200]);
    expect(times(schedule(replay(trace, { durationMs: 300 }), noWarmup))).toEqual([0, 100, 250]);
  });

  it("is warmed up at its mean rate with requests of the plan's own size", () => {
    const load = replay(requests(...Array.from({ length: 101 }, (_, i) => i * 100)));
    const warmup = [...schedule(load, { warmupMs: 1000, seed: 1 })].filter(({ atMs }) => atMs < 0);
    expect(warmup).toHaveLength(10);
    expect(warmup.every(({ inputTokens }) => inputTokens === null)).toBe(true);
    expect(warmup[0]?.atMs).toBe(-1000);
  });

  it("thinned by a scale keeps about that share, in order", () => {
    const load = replay(requests(...Array.from({ length: 10_000 }, (_, i) => i)), { scale: 0.25 });
    const all = times(schedule(load, noWarmup));
    expect(Math.abs(all.length - 2500)).toBeLessThan(200);
    expect(all).toEqual([...all].sort((a, b) => a - b));
  });
});

describe("a trace of rates", () => {
  it("becomes a Poisson process with each row's rate, none where the rate is zero", () => {
    const load = replay(rates([[100], [0], [300]], 10_000));
    const all = times(schedule(load, noWarmup));
    const within = (fromMs: number): number => all.filter((atMs) => atMs >= fromMs && atMs < fromMs + 10_000).length;
    expect(Math.abs(within(0) - 1000)).toBeLessThan(130);
    expect(within(10_000)).toBe(0);
    expect(Math.abs(within(20_000) - 3000)).toBeLessThan(220);
  });

  it("replayed faster sends as many requests in less time", () => {
    const load = replay(rates([[100], [100]], 10_000), { speed: 10 });
    const all = times(schedule(load, noWarmup));
    expect(Math.abs(all.length - 2000)).toBeLessThan(200);
    expect(Math.max(...all)).toBeLessThan(2000);
  });

  it("deals requests out to its clients in proportion to their rates", () => {
    const load = replay(rates([[90, 0, 10]], 60_000));
    const counts = [0, 0, 0];
    for (const { client } of schedule(load, noWarmup)) counts[client]! += 1;
    expect(counts[1]).toBe(0);
    expect(counts[0]! / (counts[0]! + counts[2]!)).toBeCloseTo(0.9, 1);
  });
});

describe("what is known of a load before it runs", () => {
  it("is how many requests it sends, how long it lasts and its highest rate", () => {
    expect(expectedRequests(rate({ durationMs: 5000 }))).toBe(50);
    const bursty = replay(requests(0, 10, 20, 30, 5000, 9000));
    expect(expectedRequests(bursty)).toBe(6);
    expect(traceDurationMs(bursty)).toBe(9000);
    expect(peakRequestsPerSecond(bursty)).toBe(4);
    expect(peakRequestsPerSecond({ ...bursty, speed: 10 })).toBe(6);
    expect(peakRequestsPerSecond({ ...bursty, fromMs: 5000 })).toBe(1);
    const rated = replay(
      rates(
        [
          [10, 5],
          [20, 0],
        ],
        1000,
      ),
      { speed: 2, scale: 0.5 },
    );
    expect(expectedRequests(rated)).toBe(17.5);
    expect(peakRequestsPerSecond(rated)).toBe(20);
    expect(traceDurationMs(rated)).toBe(1000);
    expect(traceDurationMs({ ...rated, scale: 1, speed: 1, limit: 25 })).toBe(1500);
  });

  it("never counts fewer requests than the schedule of a trace of requests sends", () => {
    const offsets = fc.array(fc.nat(500), { minLength: 1, maxLength: 60 }).map((steps) =>
      steps.map(
        (
          (sum) => (step: number) =>
            (sum += step)
        )(0),
      ),
    );
    const load = fc.record({
      offsets,
      speed: fc.constantFrom(0.5, 1, 7),
      fromMs: fc.constantFrom(0, 300),
      limit: fc.constantFrom(null, 1, 10),
      durationMs: fc.constantFrom(null, 100, 2000),
    });
    fc.assert(
      fc.property(load, ({ offsets, ...rest }) => {
        const traced = replay(requests(...offsets), rest);
        const sent = times(schedule(traced, noWarmup));
        expect(sent.length).toBe(expectedRequests(traced));
        expect(sent).toEqual([...sent].sort((a, b) => a - b));
        for (const [i, atMs] of sent.entries()) {
          const inSecond = sent.slice(0, i + 1).filter((other) => other > atMs - 1000).length;
          expect(inSecond).toBeLessThanOrEqual(peakRequestsPerSecond(traced));
        }
      }),
    );
  });
});
