import type { Clock } from "../../core/clock.ts";
import { systemClock } from "../../core/clock.ts";
import { expectedRequests, traceDurationMs } from "./arrival/schedule.ts";
import type { Crew } from "./drive/crew.ts";
import { LocalCrew } from "./drive/local-crew.ts";
import { WorkerCrew } from "./drive/worker-crew.ts";
import { Aggregate } from "./measure/aggregate.ts";
import type { Slice } from "./measure/slice.ts";
import { checkPlan } from "./plan/check-plan.ts";
import type { Load, LoadPlan } from "./plan/load-plan.ts";
import { preflight } from "./preflight.ts";
import type { LoadProgress } from "./progress.ts";
import { buildReport } from "./report/build-report.ts";
import type { LoadReport } from "./report/load-report.ts";

/** How long requests in flight may go on once the user has asked for the end. */
const INTERRUPT_GRACE_MS = 2000;
const PROGRESS_MS = 100;
const RECENT_SECONDS = 40;
/** Threads need a moment to be told when to start. */
const START_DELAY_MS = 20;

interface LoadHooks {
  /** Called about ten times a second while the run goes on. */
  readonly onProgress?: (progress: LoadProgress) => void;
  /** Ends the run early; the report is then marked as partial. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/**
 * Runs a load test and reports what it measured. Throws LoadError when the plan is wrong or refused, or the target does not
 * answer at all; failing requests do not throw, they are the result.
 */
export async function runLoadTest(plan: LoadPlan, hooks: LoadHooks = {}): Promise<LoadReport> {
  checkPlan(plan);
  const clock = hooks.clock ?? systemClock;
  if (plan.preflight && hooks.signal?.aborted !== true) await preflight(plan, clock);
  return new Run(plan, hooks, clock).report();
}

class Run {
  readonly #plan: LoadPlan;
  readonly #hooks: LoadHooks;
  readonly #clock: Clock;
  readonly #measured = new Aggregate();
  readonly #crew: Crew;
  #measureFromMs = 0;
  #stoppedAtMs: number | null = null;
  #stopReason: "interrupted" | "too_many_errors" | null = null;

  constructor(plan: LoadPlan, hooks: LoadHooks, clock: Clock) {
    this.#plan = plan;
    this.#hooks = hooks;
    this.#clock = clock;
    const onSlice = (slice: Slice, thread: number): void => this.#onSlice(slice, thread);
    this.#crew = plan.threads === 1 ? new LocalCrew(plan, clock, onSlice) : new WorkerCrew(plan, clock, onSlice);
  }

  async report(): Promise<LoadReport> {
    try {
      await this.#crew.ready();
      return await this.#run();
    } finally {
      await this.#crew.close();
    }
  }

  async #run(): Promise<LoadReport> {
    const cpuBefore = process.cpuUsage();
    const startMs = this.#clock.monotonicMs() + START_DELAY_MS;
    const startedAtMs = this.#clock.nowMs();
    this.#measureFromMs = startMs + this.#plan.warmupMs;
    const interrupt = (): void => this.#stop("interrupted");
    const { signal, onProgress } = this.#hooks;
    signal?.addEventListener("abort", interrupt);
    const showing = setInterval(() => onProgress?.(this.#progress()), PROGRESS_MS);
    const running = this.#crew.run(startMs);
    if (signal?.aborted === true) interrupt();
    try {
      await running;
    } finally {
      clearInterval(showing);
      signal?.removeEventListener("abort", interrupt);
    }
    onProgress?.(this.#progress());
    const cpu = process.cpuUsage(cpuBefore);
    return buildReport(this.#plan, this.#measured, {
      startedAtMs,
      finishedAtMs: this.#clock.nowMs(),
      windowMs: this.#windowMs(),
      partial:
        this.#stopReason === null ? null : { reason: this.#stopReason, atMs: this.#sinceStart(this.#stoppedAtMs ?? 0) },
      busyShare: this.#crew.busyShare(),
      cpuSeconds: (cpu.user + cpu.system) / 1e6,
    });
  }

  #onSlice(slice: Slice, thread: number): void {
    this.#measured.add(slice, thread);
    const { maxErrors } = this.#plan.limits;
    if (maxErrors !== null && this.#measured.counters.failed >= maxErrors) this.#stop("too_many_errors");
  }

  #stop(reason: "interrupted" | "too_many_errors"): void {
    if (this.#stopReason !== null) return;
    this.#stopReason = reason;
    this.#stoppedAtMs = this.#clock.monotonicMs();
    this.#crew.stop(INTERRUPT_GRACE_MS);
  }

  #windowMs(): number {
    const endMs = Math.min(this.#clock.monotonicMs(), this.#stoppedAtMs ?? Infinity);
    return Math.min(this.#sinceStart(endMs), this.#plan.load.durationMs ?? Infinity);
  }

  #sinceStart(atMs: number): number {
    return Math.max(0, atMs - this.#measureFromMs);
  }

  #progress(): LoadProgress {
    const { counters } = this.#measured;
    const nowMs = this.#clock.monotonicMs();
    const elapsedMs = this.#sinceStart(nowMs);
    const fraction = this.#fraction(elapsedMs);
    const recent = this.#measured.endedPerSecond(Math.floor(elapsedMs / 1000), RECENT_SECONDS);
    const lately = recent.slice(-3);
    const latency = this.#measured.histogram("latency");
    const ttft = this.#measured.histogram("ttft");
    return {
      phase: this.#phase(nowMs),
      elapsedMs,
      fraction,
      etaMs: fraction > 0.01 && fraction < 1 ? (elapsedMs / fraction) * (1 - fraction) : null,
      ok: counters.ok,
      failed: counters.failed,
      late: counters.late,
      inFlight: this.#measured.inFlight,
      perSecond:
        lately.length === 0
          ? ((counters.ok + counters.failed) * 1000) / Math.max(200, elapsedMs)
          : lately.reduce((sum, value) => sum + value, 0) / lately.length,
      p50Ms: latency.count === 0 ? null : latency.quantileMs(0.5),
      p99Ms: latency.count === 0 ? null : latency.quantileMs(0.99),
      ttftP50Ms: ttft.count === 0 ? null : ttft.quantileMs(0.5),
      ttftP99Ms: ttft.count === 0 ? null : ttft.quantileMs(0.99),
      recent,
    };
  }

  #phase(nowMs: number): LoadProgress["phase"] {
    if (nowMs < this.#measureFromMs) return "warmup";
    const { durationMs } = this.#plan.load;
    if (this.#stopReason !== null || (durationMs !== null && this.#sinceStart(nowMs) >= durationMs)) return "drain";
    return "measure";
  }

  #fraction(elapsedMs: number): number {
    const { counters } = this.#measured;
    const byCount = (counters.ok + counters.failed) / Math.max(1, expectedCount(this.#plan.load));
    const { load } = this.#plan;
    const lastsMs = load.kind === "trace" ? traceDurationMs(load) : load.durationMs;
    const byTime = lastsMs === null || lastsMs === 0 ? 0 : elapsedMs / lastsMs;
    return Math.min(1, load.kind === "closed" ? Math.max(byCount, byTime) : byTime);
  }
}

/** How many requests a load will send; infinite when only its time ends it. */
function expectedCount(load: Load): number {
  if (load.kind !== "closed") return expectedRequests(load);
  return load.requestsPerUser === null ? Infinity : load.users * load.requestsPerUser;
}
