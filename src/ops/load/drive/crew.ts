import type { Slice } from "../measure/slice.ts";

/** The threads that drive a run. */
export interface Crew {
  /** Resolves when every thread has its bodies and can start. */
  ready(): Promise<void>;
  /** Begins the warm-up at `startMs` of the run's clock; resolves when all threads are done. */
  run(startMs: number): Promise<void>;
  /** Sends no more; what is in flight may end within `graceMs`. */
  stop(graceMs: number): void;
  /** Ends what still runs, also after a failure. */
  close(): Promise<void>;
  /** Share (0..1) of its time that the busiest thread was busy since `run`. */
  busyShare(): number;
}

export type OnThreadSlice = (slice: Slice, thread: number) => void;
