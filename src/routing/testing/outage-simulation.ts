import type { AttemptFailure } from "../health/signal.ts";
import type { Plan, PlanRequest } from "../plan.ts";
import type { Random } from "../random.ts";
import { RetryProgress } from "../retry/retry-progress.ts";
import type { Router } from "../router.ts";
import type { RouteTarget } from "../target.ts";
import { request, usage } from "./route-fixtures.ts";

/** How an attempt that begins at a moment will end: after how long, and as what. */
export type Behaviour = (
  upstream: string,
  nowMs: number,
) => { readonly afterMs: number; readonly failure: AttemptFailure | null };

export interface SimulationOptions {
  readonly router: Router;
  readonly targets: readonly RouteTarget[];
  readonly behaviour: Behaviour;
  readonly requestsPerSecond: number;
  readonly forMs: number;
  readonly random: Random;
  /** How many sessions take turns; 0 for requests without one. */
  readonly sessions?: number;
}

/** What became of one request. */
export interface Served {
  readonly atMs: number;
  readonly latencyMs: number;
  /** Null when the client saw a failure. */
  readonly by: string | null;
  readonly attempts: number;
  readonly session: string | null;
  readonly lostMicroUsd: number;
}

/** What the targets saw. */
export interface Seen {
  readonly atMs: number;
  readonly upstream: string;
}

/**
 * Requests at an even rate through a router, on a clock of events: no time passes but what is simulated. Does with each what the
 * gateway does: plan, attempt, and the next step until there is none.
 */
export class OutageSimulation {
  readonly served: Served[] = [];
  readonly seen: Seen[] = [];
  readonly #options: SimulationOptions;
  readonly #events: { readonly atMs: number; readonly order: number; readonly run: (nowMs: number) => void }[] = [];
  #order = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  run(): this {
    const { requestsPerSecond, forMs } = this.#options;
    const everyMs = 1_000 / requestsPerSecond;
    for (let i = 0; i * everyMs < forMs; i++) this.#at(i * everyMs, (nowMs) => this.#arrive(i, nowMs));
    for (let event = this.#pop(); event !== undefined; event = this.#pop()) event.run(event.atMs);
    return this;
  }

  #arrive(number: number, nowMs: number): void {
    const { router, targets, sessions = 0 } = this.#options;
    const session = sessions === 0 ? null : `session ${number % sessions}`;
    const asked: PlanRequest = request(targets, { nowMs, session });
    const plan = router.plan(asked);
    const [first] = plan.targets;
    if (first !== undefined)
      this.#attempt({ plan, progress: new RetryProgress(first), arrivedAtMs: nowMs, session }, nowMs, false);
  }

  #attempt(way: Way, nowMs: number, repeats: boolean): void {
    const { router, behaviour } = this.#options;
    const { current } = way.progress;
    const attempt = router.begun(current, nowMs, repeats);
    this.seen.push({ atMs: nowMs, upstream: current.target.upstream });
    const { afterMs, failure } = behaviour(current.target.upstream, nowMs);
    this.#at(nowMs + afterMs, (endMs) => {
      router.ended(attempt, failure ?? { kind: "ok", latencyMs: afterMs }, endMs);
      if (failure === null) this.#answered(way, endMs);
      else this.#failed(way, failure, endMs);
    });
  }

  #failed(way: Way, failure: AttemptFailure, nowMs: number): void {
    const step = this.#options.router.nextStep(way.plan, way.progress, { failure, relayed: false }, nowMs);
    if (step.kind === "give_up") this.#done(way, { by: null, lostMicroUsd: 0 }, nowMs);
    else this.#at(nowMs + step.delayMs, (laterMs) => this.#attempt(way, laterMs, step.kind === "retry"));
  }

  #answered(way: Way, nowMs: number): void {
    const { current } = way.progress;
    const { lostMicroUsd } = this.#options.router.served(way.plan, current, CACHED, nowMs);
    this.#done(way, { by: current.target.upstream, lostMicroUsd }, nowMs);
  }

  #done(way: Way, what: Pick<Served, "by" | "lostMicroUsd">, nowMs: number): void {
    const { arrivedAtMs, progress, session } = way;
    const latencyMs = nowMs - arrivedAtMs;
    this.served.push({ ...what, atMs: arrivedAtMs, latencyMs, attempts: progress.attempts, session });
  }

  /** A binary heap by time, then by order of arrival. */
  #at(atMs: number, run: (nowMs: number) => void): void {
    const heap = this.#events;
    let at = heap.push({ atMs, order: this.#order++, run }) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!this.#isBefore(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #pop(): { readonly atMs: number; readonly run: (nowMs: number) => void } | undefined {
    const heap = this.#events;
    if (heap.length === 0) return undefined;
    this.#swap(0, heap.length - 1);
    const event = heap.pop();
    for (let at = 0; ;) {
      let least = at;
      for (const child of [2 * at + 1, 2 * at + 2]) {
        if (child < heap.length && this.#isBefore(child, least)) least = child;
      }
      if (least === at) return event;
      this.#swap(at, least);
      at = least;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [left, right] = [this.#events[a], this.#events[b]];
    if (left === undefined || right === undefined) return false;
    return left.atMs < right.atMs || (left.atMs === right.atMs && left.order < right.order);
  }

  #swap(a: number, b: number): void {
    const [left, right] = [this.#events[a], this.#events[b]];
    if (left === undefined || right === undefined) return;
    this.#events[a] = right;
    this.#events[b] = left;
  }
}

interface Way {
  readonly plan: Plan;
  readonly progress: RetryProgress;
  readonly arrivedAtMs: number;
  readonly session: string | null;
}

/** What every answer reports: 20,000 tokens from the cache. */
const CACHED = usage({ cacheReadTokens: 20_000, outputTokens: 300 });
