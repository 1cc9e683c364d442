import type { Clock } from "../../../core/clock.ts";
import type { ExchangeResult } from "../exchange/exchange.ts";
import type { Failure } from "../exchange/failure.ts";
import { Histogram } from "./histogram.ts";
import { MEASURES, zeroCounters, type Counters, type FailureCount, type Measure, type Slice } from "./slice.ts";

/** A request sent later than this after it was due is counted as late: timers alone stay well below. */
export const LATE_AFTER_MS = 10;
/** Servers may give every error a text of its own. */
const MAX_FAILURE_ROWS = 50;

export interface RecorderOptions {
  readonly clock: Clock;
  /** Monotonic time at which the measured part starts. Requests due earlier are warm-up. */
  readonly measureFromMs: number;
  /** Monotonic time at which the load ends, when that is known; `endWindow` ends it otherwise. */
  readonly windowEndMs: number | null;
  /** Whether requests have due times that the sender can miss. */
  readonly open: boolean;
  readonly load: () => { readonly inFlight: number; readonly queued: number };
  readonly onSlice: (slice: Slice) => void;
}

/** Collects what one thread measures and hands it on in slices, none of which spans two seconds or the window's end. */
export class Recorder {
  readonly #options: RecorderOptions;
  readonly #histograms = new Map<Measure, Histogram>(MEASURES.map((measure) => [measure, new Histogram()]));
  #counters: Counters = zeroCounters();
  #statuses: Record<string, number> = {};
  #failures = new Map<string, { failure: Failure; count: number; firstAtMs: number }>();
  #second: number;
  #inWindow = true;

  constructor(options: RecorderOptions) {
    this.#options = options;
    this.#second = this.#secondNow();
  }

  /** A request that is due now. Of each, `ended` or `unsent` tells what became of it. */
  due(dueMs: number): void {
    if (dueMs < this.#options.measureFromMs) return;
    this.#turn();
    this.#counters.due += 1;
  }

  /** A request that a rate cap held back before it was due. */
  capped(): void {
    this.#counters.capped += 1;
  }

  /** The time between two deltas of the same stream. */
  gap(dueMs: number, gapMs: number): void {
    if (dueMs < this.#options.measureFromMs) return;
    this.#turn();
    this.#histogram("gap").record(gapMs);
  }

  /** A request that was due but never sent because the run ended. */
  unsent(dueMs: number): void {
    if (dueMs >= this.#options.measureFromMs) this.#counters.unfinished += 1;
  }

  /** A request that has just ended. */
  ended(result: ExchangeResult): void {
    this.#turn();
    const counters = this.#counters;
    if (result.dueMs < this.#options.measureFromMs) {
      counters.warmup += 1;
      return;
    }
    counters.bytesSent += result.bytesSent;
    counters.bytesReceived += result.bytesReceived;
    counters.events += result.events;
    counters.inputTokens += result.tokens.inputTokens;
    counters.outputTokens += result.tokens.outputTokens;
    counters.cacheReadTokens += result.tokens.cacheReadTokens;
    counters.cacheWriteTokens += result.tokens.cacheWriteTokens;
    if (this.#options.open) this.#lateness(result.sentMs - result.dueMs);
    if (result.unfinished) {
      counters.unfinished += 1;
      return;
    }
    if (result.status !== null) this.#statuses[result.status] = (this.#statuses[result.status] ?? 0) + 1;
    if (result.failure === null) this.#succeeded(result);
    else this.#failed(result.failure, result);
  }

  /** Ends the part that the throughput is taken from. */
  endWindow(): void {
    if (!this.#inWindow) return;
    this.flush();
    this.#inWindow = false;
  }

  /** Hands on what was collected since the last time. */
  flush(): void {
    const histograms: Partial<Record<Measure, ReturnType<Histogram["toSparse"]>>> = {};
    for (const [measure, histogram] of this.#histograms) {
      if (histogram.count > 0) histograms[measure] = histogram.toSparse();
      histogram.clear();
    }
    const { inFlight, queued } = this.#options.load();
    const failures: FailureCount[] = [...this.#failures.values()].map(({ failure, count, firstAtMs }) => ({
      ...failure,
      count,
      firstAtMs,
    }));
    const { counters, statuses } = { counters: this.#counters, statuses: this.#statuses };
    this.#counters = zeroCounters();
    this.#statuses = {};
    this.#failures = new Map();
    this.#options.onSlice({
      second: this.#second,
      inWindow: this.#inWindow,
      counters,
      histograms,
      statuses,
      failures,
      inFlight,
      queued,
    });
  }

  /** Begins a new slice when the second or the window has ended since the last call. */
  #turn(): void {
    const second = this.#secondNow();
    if (second !== this.#second) {
      this.flush();
      this.#second = second;
    }
    const { windowEndMs, clock } = this.#options;
    if (this.#inWindow && windowEndMs !== null && clock.monotonicMs() >= windowEndMs) this.endWindow();
  }

  #succeeded(result: ExchangeResult): void {
    this.#counters.ok += 1;
    this.#histogram("latency").record(result.endMs - result.dueMs);
    this.#histogram("service").record(result.endMs - result.sentMs);
    if (result.ttfbMs !== null) this.#histogram("ttfb").record(result.ttfbMs);
    if (result.ttftMs !== null) this.#histogram("ttft").record(result.ttftMs);
    if (result.tokensPerSecond !== null) this.#histogram("pace").record(result.tokensPerSecond);
  }

  #failed(failure: Failure, result: ExchangeResult): void {
    this.#counters.failed += 1;
    this.#histogram("failed").record(result.endMs - result.dueMs);
    const key = `${failure.kind} ${failure.detail}`;
    const known = this.#failures.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#failures.size < MAX_FAILURE_ROWS) this.#failures.set(key, this.#firstOf(failure, result));
    else this.#countOther(failure, result);
  }

  #countOther(failure: Failure, result: ExchangeResult): void {
    const key = `${failure.kind} (other)`;
    const known = this.#failures.get(key);
    if (known !== undefined) known.count += 1;
    else this.#failures.set(key, this.#firstOf({ ...failure, detail: "(other)" }, result));
  }

  #firstOf(failure: Failure, result: ExchangeResult): { failure: Failure; count: number; firstAtMs: number } {
    return { failure, count: 1, firstAtMs: result.endMs - this.#options.measureFromMs };
  }

  #lateness(latenessMs: number): void {
    this.#histogram("lateness").record(latenessMs);
    if (latenessMs > LATE_AFTER_MS) this.#counters.late += 1;
  }

  #histogram(measure: Measure): Histogram {
    // Not undefined: the map was filled from the list of all measures.
    return this.#histograms.get(measure) as Histogram;
  }

  #secondNow(): number {
    return Math.floor((this.#options.clock.monotonicMs() - this.#options.measureFromMs) / 1000);
  }
}
