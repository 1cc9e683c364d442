import { performance, type EventLoopUtilization } from "node:perf_hooks";

import type { Clock } from "../../../core/clock.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import type { Crew, OnThreadSlice } from "./crew.ts";
import { Shard } from "./shard.ts";

/** Drives the whole load from this thread. */
export class LocalCrew implements Crew {
  readonly #shard: Shard;
  #since: EventLoopUtilization = performance.eventLoopUtilization();

  constructor(plan: LoadPlan, clock: Clock, onSlice: OnThreadSlice) {
    this.#shard = new Shard(plan, { index: 0, count: 1, clock, onSlice: (slice) => onSlice(slice, 0) });
  }

  ready(): Promise<void> {
    return Promise.resolve();
  }

  run(startMs: number): Promise<void> {
    this.#since = performance.eventLoopUtilization();
    return this.#shard.run(startMs);
  }

  stop(graceMs: number): void {
    this.#shard.stop(graceMs);
  }

  close(): Promise<void> {
    return Promise.resolve(); // A shard that has run has nothing left open.
  }

  busyShare(): number {
    return performance.eventLoopUtilization(this.#since).utilization;
  }
}
