import { affinityAfter } from "./affinity/affinity-after.ts";
import type { AffinityDecision } from "./affinity/affinity-decision.ts";
import { moveCostMicroUsd } from "./affinity/move-cost.ts";
import { NO_SESSION } from "./affinity/session-id.ts";
import { SessionTable } from "./affinity/session-table.ts";
import { warmthAfter } from "./affinity/warmth.ts";
import { initialFailover, reduceFailover, type FailoverState } from "./deployment/failover-state.ts";
import type { Explanation } from "./explanation.ts";
import { STANDING_RANK } from "./health/health-record.ts";
import { dueProbes } from "./health/probe-schedule.ts";
import type { AttemptEnd, AttemptFailure, ProbeEnd } from "./health/signal.ts";
import { worseStanding } from "./health/target-health.ts";
import { judge } from "./health/verdict.ts";
import type { Usage } from "../message/usage.ts";
import type { Plan, PlannedTarget, PlanRequest } from "./plan.ts";
import type { Random } from "./random.ts";
import { nextStep, type NextStep } from "./retry/next-step.ts";
import type { RetryProgress } from "./retry/retry-progress.ts";
import type { RouterDescription } from "./router-description.ts";
import { Attempt } from "./runtime/attempt.ts";
import { vitalsOf } from "./runtime/cloud-vitals.ts";
import { describeRouter } from "./runtime/describe.ts";
import { explainPlan } from "./runtime/explain.ts";
import { Planner } from "./runtime/planner.ts";
import { PreparedRoute } from "./runtime/prepared-route.ts";
import { probeSubjects } from "./runtime/probe-subjects.ts";
import { RuntimeBook } from "./runtime/runtime-book.ts";
import type { ActivePassiveSettings, RoutingSettings } from "./settings.ts";
import type { RouteTarget } from "./target.ts";

export interface RouterOptions {
  readonly settings: RoutingSettings;
  /** Names of the upstreams that exist. */
  readonly upstreams: readonly string[];
  readonly random: Random;
  /** Different in each replica: spreads their probes. */
  readonly seed: number;
}

/** For upstreams: their latency is a mixture of models, and is not judged. */
const ANSWERED: AttemptEnd = { kind: "ok", latencyMs: null };

const NONE: readonly PlannedTarget[] = [];

/**
 * Decides where exchanges go, and learns from how they end. Holds all state of routing and does nothing by itself: no timers, no
 * I/O, every time is told (monotonic milliseconds). Outlives reloads of the configuration: see `configure`.
 */
export class Router {
  readonly #random: Random;
  readonly #seed: number;
  readonly #book: RuntimeBook;
  #settings: RoutingSettings;
  #sessions: SessionTable;
  #planner: Planner;
  #prepared = new WeakMap<readonly RouteTarget[], PreparedRoute>();
  #generation = 0;
  #failover: FailoverState | null;
  #judgedAtMs = -Infinity;

  constructor({ settings, upstreams, random, seed }: RouterOptions) {
    this.#random = random;
    this.#seed = seed;
    this.#settings = settings;
    this.#book = new RuntimeBook(settings.retry.budget, upstreams);
    this.#sessions = new SessionTable(settings.affinity.maxSessions);
    this.#planner = new Planner({ settings, sessions: this.#sessions, random });
    this.#failover = firstFailover(settings);
  }

  /** Takes a new configuration. What is known of upstreams and targets whose names stay is kept, and so are sessions. */
  configure(settings: RoutingSettings, upstreams: readonly string[]): void {
    const before = this.#settings;
    this.#settings = settings;
    this.#book.configure(settings.retry.budget, upstreams);
    if (settings.affinity.maxSessions !== before.affinity.maxSessions) {
      this.#sessions = new SessionTable(settings.affinity.maxSessions);
    }
    this.#planner = new Planner({ settings, sessions: this.#sessions, random: this.#random });
    if (!sameClouds(before, settings)) this.#failover = firstFailover(settings);
    this.#prepared = new WeakMap();
  }

  /** Where an exchange goes. */
  plan(request: PlanRequest): Plan {
    const route = this.#route(request.targets);
    this.#judgeClouds(request.nowMs);
    const decision = this.#planner.decide(route, request, this.#failover);
    this.#planner.commit(route, decision);
    const settings = this.#settings;
    const timeouts = settings.timeouts[request.urgency];
    return {
      model: request.model,
      strategy: decision.balancer.name,
      deployment: settings.deployment.kind,
      targets: plannedOf(route.line),
      lastResort: plannedOf(route.rest),
      panic: decision.panic,
      affinity: decision.affinity,
      session: decision.session,
      warm: decision.warm,
      timeouts,
      deadlineAtMs: request.nowMs + timeouts.totalMs,
    };
  }

  /** The same decision with every reason, changing nothing. Strategies that draw lots draw anew. */
  explain(request: PlanRequest): Explanation {
    const route = this.#route(request.targets);
    const decision = this.#planner.decide(route, request, this.#failover);
    return explainPlan({
      route,
      decision,
      request,
      settings: this.#settings,
      failover: this.#failover,
    });
  }

  /** An attempt begins. Every attempt must be `ended`, once. `repeats` when it repeats the one before at the same target. */
  begun({ target }: PlannedTarget, nowMs: number, repeats = false): Attempt {
    const runtime = this.#book.target(target);
    const { upstream } = runtime;
    runtime.activity.inFlight++;
    upstream.inFlight++;
    if (!repeats) upstream.retryBudget.requested(nowMs);
    runtime.record.at(nowMs, this.#settings.health);
    upstream.record.at(nowMs, this.#settings.health);
    runtime.record.attemptBegun();
    upstream.record.attemptBegun();
    return new Attempt(runtime, nowMs);
  }

  /**
   * The first byte of a good answer has come: all that health has to know, long before a stream ends. `latencyMs` since the
   * attempt began, null where it would not compare.
   */
  answered(attempt: Attempt, latencyMs: number | null, nowMs: number): void {
    if (attempt.phase !== "waiting") return;
    attempt.phase = "answered";
    endTrial(attempt);
    this.#learn(attempt, { kind: "ok", latencyMs }, nowMs);
  }

  /** An attempt is over. `ok` after `answered` says nothing new. A second call does nothing. */
  ended(attempt: Attempt, end: AttemptEnd, nowMs: number): void {
    if (attempt.phase === "ended") return;
    const wasAnswered = attempt.phase === "answered";
    attempt.phase = "ended";
    const { runtime } = attempt;
    runtime.activity.inFlight--;
    runtime.upstream.inFlight--;
    if (!wasAnswered) endTrial(attempt);
    if (!wasAnswered || end.kind !== "ok") this.#learn(attempt, end, nowMs);
  }

  /**
   * What to do after a failed attempt, and takes the step: the progress moves on, a repeat is taken from the budget. Call it
   * after `ended`. `relayed`: a byte of the answer has gone to the client.
   */
  nextStep(plan: Plan, progress: RetryProgress, after: FailedAttempt, nowMs: number): NextStep {
    const next = this.#nextUntried(plan, progress, nowMs);
    const { retryBudget } = this.#book.upstream(progress.current.target.upstream);
    const step = nextStep(
      {
        failure: after.failure,
        relayed: after.relayed,
        current: progress.current,
        next,
        nextIsUsable: next !== null && this.#isUsable(next, nowMs),
        attempts: progress.attempts,
        sameTargetRetries: progress.sameTargetRetries,
        remainingMs: plan.deadlineAtMs - nowMs,
        moveCostMicroUsd: moveCostFrom(plan, progress.current, next),
        retryBudgetLeft: retryBudget.left(nowMs),
      },
      { retry: this.#settings.retry, affinity: this.#settings.affinity, random: this.#random },
    );
    if (step.kind === "retry") {
      retryBudget.take(nowMs);
      progress.repeats();
    } else if (step.kind === "failover") {
      progress.movesTo(step.target);
    }
    return step;
  }

  /** Remembers where the session's prompt cache is now, by the usage of the answer, and says what the ledger should note. */
  served(plan: Plan, by: PlannedTarget, usage: Usage, nowMs: number): AffinityDecision {
    const decision = affinityAfter(plan, by.target);
    if (plan.session === NO_SESSION) return decision;
    const warm = warmthAfter(usage, by.target, plan.warm, { nowMs, ttlMs: this.#settings.affinity.ttlMs });
    if (warm !== null) this.#sessions.put(plan.session, warm);
    return decision;
  }

  /** The upstreams to probe now, all or `among` some; each is to be told of by `probeBegun`, then `probed`. */
  dueProbes(nowMs: number, among: ReadonlySet<string> | null = null): readonly string[] {
    const { health, probes } = this.#settings;
    const all = probeSubjects(this.#book, nowMs, health);
    const subjects = among === null ? all : all.filter(({ upstream }) => among.has(upstream));
    return dueProbes(subjects, nowMs, probes, this.#seed);
  }

  probeBegun(upstream: string, nowMs: number): void {
    const runtime = this.#book.upstream(upstream);
    runtime.isProbing = true;
    runtime.probedAtMs = nowMs;
  }

  probed(upstream: string, end: ProbeEnd, nowMs: number): void {
    const runtime = this.#book.upstream(upstream);
    const { health } = this.#settings;
    const event = { signal: end, startedAtMs: runtime.probedAtMs };
    runtime.isProbing = false;
    runtime.record.heard(event, nowMs, health);
    if (end.kind !== "probe_ok") return;
    // What could not be reached opened the circuits of the models there as well, and has doubled their time since.
    for (const target of this.#book.targets) {
      const { record } = target;
      if (target.upstream === runtime && record.at(nowMs, health).circuit !== "closed")
        record.heard(event, nowMs, health);
    }
  }

  /** All that is known, for the admin API and the metrics. Times become wall-clock time by `wallOffsetMs` (wall less monotonic). */
  describe(nowMs: number, wallOffsetMs: number): RouterDescription {
    return describeRouter({
      book: this.#book,
      settings: this.#settings,
      sessions: this.#sessions,
      failover: this.#failover,
      nowMs,
      wallOffsetMs,
    });
  }

  #route(targets: readonly RouteTarget[]): PreparedRoute {
    if (this.#generation !== this.#book.generation) {
      this.#generation = this.#book.generation;
      this.#prepared = new WeakMap();
    }
    const known = this.#prepared.get(targets);
    if (known !== undefined) return known;
    const prepared = new PreparedRoute(targets, this.#book, this.#settings.deployment);
    this.#prepared.set(targets, prepared);
    return prepared;
  }

  #learn({ runtime, startedAtMs }: Attempt, end: AttemptEnd, nowMs: number): void {
    const { effect, scope } = judge(end);
    const { upstream, activity } = runtime;
    const { responseTime, health } = this.#settings;
    runtime.record.heard({ signal: end, startedAtMs }, nowMs, health);
    if (scope === "upstream") {
      const signal = end.kind === "ok" ? ANSWERED : end;
      upstream.record.heard({ signal, startedAtMs }, nowMs, health);
    }
    if (effect === "success") upstream.answeredAtMs = nowMs;
    if (end.kind === "ok" && end.latencyMs !== null) activity.latency.observe(end.latencyMs, nowMs, responseTime);
    if (effect === "failure" || effect === "rate_limited") {
      activity.latency.observe(Math.max(responseTime.failurePenaltyMs, nowMs - startedAtMs), nowMs, responseTime);
    }
  }

  #isUsable({ target }: PlannedTarget, nowMs: number): boolean {
    const { record, upstream } = this.#book.target(target);
    const { health } = this.#settings;
    if (upstream.isFull(target)) return false;
    return STANDING_RANK[worseStanding(upstream.record.standing(nowMs, health), record.standing(nowMs, health))] === 0;
  }

  /** The first untried target that can be used now, else the first untried one. Health may have changed since the plan. */
  #nextUntried(plan: Plan, progress: RetryProgress, nowMs: number): PlannedTarget | null {
    let fallback: PlannedTarget | null = null;
    for (const list of [plan.targets, plan.lastResort]) {
      for (const planned of list) {
        if (progress.hasTried(planned)) continue;
        if (this.#isUsable(planned, nowMs)) return planned;
        fallback ??= planned;
      }
    }
    return fallback;
  }

  #judgeClouds(nowMs: number): void {
    const { deployment, health } = this.#settings;
    if (deployment.kind !== "active_passive" || this.#failover === null) return;
    if (nowMs - this.#judgedAtMs < deployment.failBack.evaluateEveryMs) return;
    this.#judgedAtMs = nowMs;
    const primary = vitalsOf(this.#book.targets, deployment.primary, nowMs, health);
    const backup = vitalsOf(this.#book.targets, deployment.backup, nowMs, health);
    this.#failover = reduceFailover(this.#failover, { primary, backup }, nowMs, deployment);
  }
}

/** A failed attempt as the retry rules see it. */
export interface FailedAttempt {
  readonly failure: AttemptFailure;
  readonly relayed: boolean;
}

/** Gives the trial's place back, where the attempt was one: before what it found out changes the circuit. */
function endTrial({ runtime, startedAtMs }: Attempt): void {
  runtime.record.attemptEnded(startedAtMs);
  runtime.upstream.record.attemptEnded(startedAtMs);
}

function plannedOf(candidates: PreparedRoute["line"]): readonly PlannedTarget[] {
  if (candidates.length === 0) return NONE;
  const planned: PlannedTarget[] = [];
  for (const candidate of candidates) planned.push(candidate.planned(candidate.token));
  return planned;
}

function moveCostFrom(plan: Plan, current: PlannedTarget, next: PlannedTarget | null): number {
  if (plan.warm === null || next === null || plan.warm.targetKey !== current.target.key) return 0;
  return moveCostMicroUsd(plan.warm, next.target);
}

function firstFailover({ deployment }: RoutingSettings): FailoverState | null {
  return deployment.kind === "active_passive" ? initialFailover(deployment) : null;
}

function sameClouds(before: RoutingSettings, after: RoutingSettings): boolean {
  const [a, b] = [before.deployment, after.deployment];
  if (a.kind !== "active_passive" || b.kind !== "active_passive") return false;
  return (["primary", "backup"] as const satisfies (keyof ActivePassiveSettings)[]).every(
    (role) => a[role] === b[role],
  );
}
