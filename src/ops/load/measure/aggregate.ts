import { Histogram } from "./histogram.ts";
import {
  COUNTERS,
  MEASURES,
  zeroCounters,
  type Counters,
  type FailureCount,
  type Measure,
  type Slice,
} from "./slice.ts";

/** One second of the run, all threads together. Latencies are null when nothing ended well in it. */
interface SecondRow {
  readonly second: number;
  readonly inWindow: boolean;
  readonly due: number;
  readonly ok: number;
  readonly failed: number;
  readonly late: number;
  readonly outputTokens: number;
  readonly inFlight: number;
  readonly queued: number;
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  readonly latencyP99Ms: number | null;
  readonly ttftP50Ms: number | null;
  readonly ttftP95Ms: number | null;
}

/** A second is closed, and its histograms dropped, once slices of this many seconds later have come. */
const CLOSE_AFTER_SECONDS = 5;
/** Kinds of failure told apart in a report; a server that gives each error its own text must not fill it. */
const MAX_FAILURE_ROWS = 100;

interface OpenSecond {
  row: SecondRow;
  readonly latency: Histogram;
  readonly ttft: Histogram;
  /** The highest that each thread reported: what is in flight adds up over threads, not over slices. */
  readonly gauges: Map<number, { readonly inFlight: number; readonly queued: number }>;
}

/** All that a run measured so far, put together from the slices of its threads. */
export class Aggregate {
  readonly counters: Counters = zeroCounters();
  readonly statuses = new Map<string, number>();
  readonly failures = new Map<string, FailureCount>();
  /** Requests that ended well and badly within the window. */
  readonly inWindow = { ok: 0, failed: 0, outputTokens: 0 };
  readonly #histograms = new Map<Measure, Histogram>(MEASURES.map((measure) => [measure, new Histogram()]));
  readonly #open = new Map<number, OpenSecond>();
  readonly #closed = new Map<number, SecondRow>();
  readonly #gauges = new Map<number, { readonly inFlight: number; readonly queued: number }>();

  histogram(measure: Measure): Histogram {
    // Not undefined: the map was filled from the list of all measures.
    return this.#histograms.get(measure) as Histogram;
  }

  /** Requests in flight on all threads, as last reported. */
  get inFlight(): number {
    return sum(this.#gauges, ({ inFlight }) => inFlight);
  }

  /** Takes in what `thread` measured. */
  add(slice: Slice, thread: number): void {
    for (const counter of COUNTERS) this.counters[counter] += slice.counters[counter];
    for (const measure of MEASURES) {
      const sparse = slice.histograms[measure];
      if (sparse !== undefined) this.histogram(measure).add(sparse);
    }
    for (const [status, count] of Object.entries(slice.statuses)) {
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + count);
    }
    for (const failure of slice.failures) this.#addFailure(failure);
    this.#gauges.set(thread, { inFlight: slice.inFlight, queued: slice.queued });
    if (slice.inWindow) {
      this.inWindow.ok += slice.counters.ok;
      this.inWindow.failed += slice.counters.failed;
      this.inWindow.outputTokens += slice.counters.outputTokens;
    }
    if (slice.second >= 0) this.#addToSecond(slice, thread);
  }

  /** Every second from the first to the last in which something was measured, in order. */
  rows(): readonly SecondRow[] {
    const rows = [...this.#closed.values(), ...[...this.#open.values()].map(finished)];
    rows.sort((a, b) => a.second - b.second);
    const filled: SecondRow[] = [];
    for (const row of rows) {
      for (let second = filled.length; second < row.second; second++) filled.push(emptyRow(second, row.inWindow));
      filled.push(row);
    }
    return filled;
  }

  /** How many requests ended in each of the last `count` seconds before `second`, oldest first. */
  endedPerSecond(second: number, count: number): readonly number[] {
    const first = Math.max(0, second - count);
    return Array.from({ length: Math.max(0, second - first) }, (_, i) => {
      const row = this.#open.get(first + i)?.row ?? this.#closed.get(first + i);
      return row === undefined ? 0 : row.ok + row.failed;
    });
  }

  #addFailure(failure: FailureCount): void {
    let named = failure;
    let key = `${failure.kind} ${failure.detail}`;
    if (!this.failures.has(key) && this.failures.size >= MAX_FAILURE_ROWS) {
      named = { ...failure, detail: "(other)" };
      key = `${failure.kind} (other)`;
    }
    const known = this.failures.get(key);
    if (known === undefined) this.failures.set(key, named);
    else {
      const first = named.firstAtMs < known.firstAtMs ? named : known;
      this.failures.set(key, { ...first, count: known.count + named.count });
    }
  }

  #addToSecond(slice: Slice, thread: number): void {
    const closed = this.#closed.get(slice.second);
    // Only a thread that hung for seconds reports so late; its requests count, the second's percentiles stand.
    if (closed !== undefined) {
      this.#closed.set(slice.second, counted(closed, slice));
      return;
    }
    const open = this.#open.get(slice.second) ?? this.#openSecond(slice.second);
    const { latency, ttft } = slice.histograms;
    if (latency !== undefined) open.latency.add(latency);
    if (ttft !== undefined) open.ttft.add(ttft);
    const before = open.gauges.get(thread) ?? { inFlight: 0, queued: 0 };
    open.gauges.set(thread, {
      inFlight: Math.max(before.inFlight, slice.inFlight),
      queued: Math.max(before.queued, slice.queued),
    });
    open.row = counted(open.row, slice);
  }

  #openSecond(second: number): OpenSecond {
    const opened: OpenSecond = {
      row: emptyRow(second, true),
      latency: new Histogram(),
      ttft: new Histogram(),
      gauges: new Map(),
    };
    for (const [openSecond, open] of this.#open) {
      if (openSecond > second - CLOSE_AFTER_SECONDS) continue;
      this.#closed.set(openSecond, finished(open));
      this.#open.delete(openSecond);
    }
    this.#open.set(second, opened);
    return opened;
  }
}

function counted(row: SecondRow, { counters, inWindow }: Slice): SecondRow {
  return {
    ...row,
    inWindow: row.inWindow && inWindow,
    due: row.due + counters.due,
    ok: row.ok + counters.ok,
    failed: row.failed + counters.failed,
    late: row.late + counters.late,
    outputTokens: row.outputTokens + counters.outputTokens,
  };
}

function finished({ row, latency, ttft, gauges }: OpenSecond): SecondRow {
  const quantile = (histogram: Histogram, q: number): number | null =>
    histogram.count === 0 ? null : histogram.quantileMs(q);
  return {
    ...row,
    inFlight: sum(gauges, ({ inFlight }) => inFlight),
    queued: sum(gauges, ({ queued }) => queued),
    latencyP50Ms: quantile(latency, 0.5),
    latencyP95Ms: quantile(latency, 0.95),
    latencyP99Ms: quantile(latency, 0.99),
    ttftP50Ms: quantile(ttft, 0.5),
    ttftP95Ms: quantile(ttft, 0.95),
  };
}

function emptyRow(second: number, inWindow: boolean): SecondRow {
  return {
    second,
    inWindow,
    due: 0,
    ok: 0,
    failed: 0,
    late: 0,
    outputTokens: 0,
    inFlight: 0,
    queued: 0,
    latencyP50Ms: null,
    latencyP95Ms: null,
    latencyP99Ms: null,
    ttftP50Ms: null,
    ttftP95Ms: null,
  };
}

function sum<T>(map: ReadonlyMap<number, T>, of: (value: T) => number): number {
  let total = 0;
  for (const value of map.values()) total += of(value);
  return total;
}
