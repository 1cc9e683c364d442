import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../../core/clock.ts";
import type { ExchangeResult } from "../exchange/exchange.ts";
import { noTokens } from "../exchange/token-usage.ts";
import { Aggregate } from "./aggregate.ts";
import { Recorder, type RecorderOptions } from "./recorder.ts";
import type { Slice } from "./slice.ts";

const MEASURE_FROM_MS = 1000;

function result(dueMs: number, endMs: number, changes: Partial<ExchangeResult> = {}): ExchangeResult {
  return {
    dueMs,
    sentMs: dueMs,
    endMs,
    status: 200,
    failure: null,
    unfinished: false,
    ttfbMs: 1,
    ttftMs: 2,
    bytesSent: 100,
    bytesReceived: 50,
    events: 3,
    tokens: { ...noTokens(), outputTokens: 5 },
    tokensPerSecond: 40,
    ...changes,
  };
}

/** A recorder whose clock stands at the start of the warm-up, and what it has handed on. */
function recording(changes: Partial<RecorderOptions> = {}): {
  clock: ManualClock;
  recorder: Recorder;
  slices: Slice[];
} {
  const clock = new ManualClock(0);
  const slices: Slice[] = [];
  const recorder = new Recorder({
    clock,
    measureFromMs: MEASURE_FROM_MS,
    windowEndMs: null,
    open: true,
    load: () => ({ inFlight: 4, queued: 2 }),
    onSlice: (slice) => slices.push(slice),
    ...changes,
  });
  return { clock, recorder, slices };
}

function aggregateOf(slices: readonly Slice[]): Aggregate {
  const aggregate = new Aggregate();
  for (const slice of slices) aggregate.add(slice, 0);
  return aggregate;
}

describe("what is recorded of a run", () => {
  it("leaves out requests that were due in the warm-up, also when they end after it", () => {
    const { clock, recorder, slices } = recording();
    clock.advance(1500);
    recorder.ended(result(900, 1500));
    recorder.gap(900, 10);
    recorder.ended(result(1200, 1500));
    recorder.flush();
    const { counters, histogram } = {
      counters: aggregateOf(slices).counters,
      histogram: aggregateOf(slices).histogram("latency"),
    };
    expect(counters).toMatchObject({ warmup: 1, ok: 1, bytesSent: 100 });
    expect([histogram.count, histogram.maxMs]).toEqual([1, 300]);
    expect(aggregateOf(slices).histogram("gap").count).toBe(0);
  });

  it("measures from the due time, tells the time from sending apart, and counts late sends", () => {
    const { clock, recorder, slices } = recording();
    clock.advance(2000);
    recorder.ended(result(1000, 2000, { sentMs: 1800 }));
    recorder.ended(result(1000, 2000, { sentMs: 1010 }));
    recorder.ended(result(1000, 2000, { sentMs: 1010.1 }));
    recorder.flush();
    const all = aggregateOf(slices);
    expect(all.histogram("latency").minMs).toBe(1000);
    expect(all.histogram("service").minMs).toBe(200);
    expect(all.histogram("lateness").maxMs).toBe(800);
    expect(all.counters.late).toBe(2);
  });

  it("gives failed requests no share in the latencies, and those cut by the end no share in anything", () => {
    const { clock, recorder, slices } = recording();
    clock.advance(1100);
    recorder.ended(
      result(1000, 1100, {
        status: 429,
        failure: { kind: "http", detail: "429 rate_limit_error", message: "slow down" },
      }),
    );
    recorder.ended(
      result(1000, 1100, { status: 429, failure: { kind: "http", detail: "429 rate_limit_error", message: "again" } }),
    );
    recorder.ended(result(1000, 1100, { status: null, unfinished: true }));
    recorder.unsent(1050);
    recorder.flush();
    const all = aggregateOf(slices);
    expect(all.counters).toMatchObject({ ok: 0, failed: 2, unfinished: 2 });
    expect(all.histogram("latency").count).toBe(0);
    expect(all.histogram("failed").count).toBe(2);
    expect([...all.failures.values()]).toEqual([
      { kind: "http", detail: "429 rate_limit_error", message: "slow down", count: 2, firstAtMs: 100 },
    ]);
    expect([...all.statuses]).toEqual([["429", 2]]);
  });

  it("counts what ends after the window has, but not towards the throughput", () => {
    const { clock, recorder, slices } = recording({ windowEndMs: 3000 });
    clock.advance(2900);
    recorder.ended(result(2000, 2900));
    clock.advance(300);
    recorder.ended(result(2000, 3200));
    recorder.flush();
    const all = aggregateOf(slices);
    expect(all.counters.ok).toBe(2);
    expect(all.inWindow.ok).toBe(1);
    expect(all.rows().map(({ second, ok, inWindow }) => [second, ok, inWindow])).toEqual([
      [0, 0, true],
      [1, 1, true],
      [2, 1, false],
    ]);
  });

  it("keeps failures in bounds when every one has a text of its own", () => {
    const { clock, recorder, slices } = recording();
    clock.advance(1100);
    for (let i = 0; i < 1000; i++)
      recorder.ended(result(1000, 1100, { failure: { kind: "http", detail: `500 error-${i}`, message: "x" } }));
    recorder.flush();
    const { failures } = aggregateOf(slices);
    expect(failures.size).toBeLessThanOrEqual(101);
    expect([...failures.values()].reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  });

  it("adds up over slices, seconds and threads to exactly what ended, in whatever order threads report", () => {
    const step = fc.record({ afterMs: fc.nat(900), tookMs: fc.nat(5000), fails: fc.boolean(), flush: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat(100), (steps, swap) => {
        const { clock, recorder, slices } = recording();
        clock.advance(MEASURE_FROM_MS);
        for (const { afterMs, tookMs, fails, flush } of steps) {
          clock.advance(afterMs);
          const failure = fails ? ({ kind: "reset", detail: "x", message: "y" } as const) : null;
          recorder.ended(result(MEASURE_FROM_MS, MEASURE_FROM_MS + tookMs, { failure }));
          if (flush) recorder.flush();
        }
        recorder.flush();
        const turned = swap < slices.length ? [...slices.slice(swap), ...slices.slice(0, swap)] : slices;
        const all = new Aggregate();
        for (const [i, slice] of turned.entries()) all.add(slice, i % 3);
        const rows = all.rows();
        const failed = steps.filter(({ fails }) => fails).length;
        expect(all.counters).toMatchObject({ ok: steps.length - failed, failed });
        expect(rows.reduce((sum, { ok }) => sum + ok, 0)).toBe(steps.length - failed);
        expect(rows.reduce((sum, row) => sum + row.failed, 0)).toBe(failed);
        expect(rows.map(({ second }) => second)).toEqual(rows.map((_, i) => i));
        expect(all.histogram("latency").count).toBe(steps.length - failed);
      }),
    );
  });

  it("adds requests in flight over threads, not over the slices of one", () => {
    const { clock, recorder, slices } = recording();
    clock.advance(1100);
    recorder.flush();
    recorder.due(1100);
    recorder.flush();
    const all = new Aggregate();
    for (const slice of slices) for (const thread of [0, 1]) all.add(slice, thread);
    expect(all.inFlight).toBe(8);
    expect(all.rows().at(-1)).toMatchObject({ inFlight: 8, queued: 4 });
  });
});
