import type { FailureKind } from "../exchange/failure.ts";
import type { SparseHistogram } from "./histogram.ts";

/** What is measured as a distribution. All in milliseconds but `pace`, which is output tokens per second of one stream. */
export const MEASURES = ["latency", "service", "ttfb", "ttft", "gap", "pace", "failed", "lateness"] as const;
export type Measure = (typeof MEASURES)[number];

/** What is counted. */
export const COUNTERS = [
  "warmup",
  "due",
  "ok",
  "failed",
  "unfinished",
  "late",
  "capped",
  "bytesSent",
  "bytesReceived",
  "events",
  "inputTokens",
  "outputTokens",
  "cacheReadTokens",
  "cacheWriteTokens",
] as const;
type Counter = (typeof COUNTERS)[number];
export type Counters = Record<Counter, number>;

export function zeroCounters(): Counters {
  return {
    warmup: 0,
    due: 0,
    ok: 0,
    failed: 0,
    unfinished: 0,
    late: 0,
    capped: 0,
    bytesSent: 0,
    bytesReceived: 0,
    events: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
  };
}

/** Like failures, counted together. */
export interface FailureCount {
  readonly kind: FailureKind;
  readonly detail: string;
  readonly count: number;
  /** When the first of them ended, milliseconds from the start of the measured part. */
  readonly firstAtMs: number;
  /** What was said the first time. */
  readonly message: string;
}

/** What happened within a moment of the run, on one thread. Plain data, so that it crosses threads. */
export interface Slice {
  /** Whole seconds from the start of the measured part; below zero in the warm-up. */
  readonly second: number;
  /** False for what ended after the load had: it has latencies but no share in the throughput. */
  readonly inWindow: boolean;
  readonly counters: Counters;
  readonly histograms: Partial<Record<Measure, SparseHistogram>>;
  readonly statuses: Readonly<Record<string, number>>;
  readonly failures: readonly FailureCount[];
  /** At the end of the slice. */
  readonly inFlight: number;
  readonly queued: number;
}
