/** How far a run is, for showing while it goes on. */
export interface LoadProgress {
  readonly phase: "warmup" | "measure" | "drain";
  /** Since the start of the current phase; negative never. */
  readonly elapsedMs: number;
  /** Share (0..1) of the run that is done. */
  readonly fraction: number;
  /** How much longer the run is expected to take; null when there is nothing to expect it from. */
  readonly etaMs: number | null;
  readonly ok: number;
  readonly failed: number;
  readonly late: number;
  readonly inFlight: number;
  /** Requests that ended per second, over the last seconds. */
  readonly perSecond: number;
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly ttftP50Ms: number | null;
  readonly ttftP99Ms: number | null;
  /** Requests that ended in each of the last seconds, oldest first. */
  readonly recent: readonly number[];
}
