import type { TargetRuntime } from "./target-runtime.ts";

/** One attempt under way, as `Router.begun` gives it and `Router.ended` takes it back. */
export class Attempt {
  readonly runtime: TargetRuntime;
  /** Monotonic. */
  readonly startedAtMs: number;
  phase: "waiting" | "answered" | "ended" = "waiting";

  constructor(runtime: TargetRuntime, startedAtMs: number) {
    this.runtime = runtime;
    this.startedAtMs = startedAtMs;
  }
}
