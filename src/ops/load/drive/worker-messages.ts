import type { Slice } from "../measure/slice.ts";
import type { LoadPlan } from "../plan/load-plan.ts";

/** What a load thread is given when it is made. */
export interface WorkerSetup {
  readonly plan: LoadPlan;
  readonly index: number;
  readonly count: number;
}

export type ToWorker =
  /** Begin at this time of `process.hrtime`, in milliseconds, which all threads of a process share. */
  { readonly type: "start"; readonly startAtHrMs: number } | { readonly type: "stop"; readonly graceMs: number };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "slice"; readonly slice: Slice }
  | { readonly type: "done"; readonly busyShare: number };
