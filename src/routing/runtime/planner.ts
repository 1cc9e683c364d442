import { decideAffinity } from "../affinity/decide.ts";
import type { AffinityDecision } from "../affinity/affinity-decision.ts";
import { NO_SESSION, sessionId, type SessionId } from "../affinity/session-id.ts";
import type { SessionTable, WarmCache } from "../affinity/session-table.ts";
import { BALANCERS } from "../balance/all-balancers.ts";
import type { Balancer, BalanceContext } from "../balance/balancer.ts";
import { Distances } from "../balance/distances.ts";
import { sortByScore } from "../balance/sort-by-score.ts";
import { cloudChosen, cloudToken, orderClouds } from "../deployment/cloud-order.ts";
import type { FailoverState } from "../deployment/failover-state.ts";
import { STANDING_RANK } from "../health/health-record.ts";
import { lastResortRank, worseStanding } from "../health/target-health.ts";
import type { PlanRequest } from "../plan.ts";
import type { Random } from "../random.ts";
import type { RoutingSettings } from "../settings.ts";
import type { PreparedRoute, RouteCandidate } from "./prepared-route.ts";

/** What a decision found besides the order, which stands in the prepared route's `line` and `rest`. */
export interface Decision {
  readonly affinity: AffinityDecision;
  readonly session: SessionId;
  readonly warm: WarmCache | null;
  readonly panic: boolean;
  readonly balancer: Balancer;
  readonly context: BalanceContext;
}

export interface PlannerOptions {
  readonly settings: RoutingSettings;
  readonly sessions: SessionTable;
  readonly random: Random;
}

interface Arrangement {
  readonly balancer: Balancer;
  readonly context: BalanceContext;
  readonly failover: FailoverState | null;
}

interface Staying {
  readonly session: SessionId;
  readonly warm: WarmCache | null;
  readonly failover: FailoverState | null;
  readonly balancer: Balancer;
}

/** Puts the targets of a route into order: health, then deployment, then strategy, then affinity. */
export class Planner {
  readonly #settings: RoutingSettings;
  readonly #sessions: SessionTable;
  readonly #random: Random;
  readonly #distances: Distances;

  constructor({ settings, sessions, random }: PlannerOptions) {
    this.#settings = settings;
    this.#sessions = sessions;
    this.#random = random;
    this.#distances = new Distances(settings.geography);
  }

  /** Orders `route` for a request. Changes nothing that another plan would see; see `commit`. */
  decide(route: PreparedRoute, request: PlanRequest, failover: FailoverState | null): Decision {
    const session = this.#sessionOf(request);
    const warm = session === NO_SESSION ? null : this.#sessions.find(session, request.nowMs);
    const context = this.#context(request, warm);
    const balancer = BALANCERS[request.strategy ?? this.#settings.strategy];
    this.#sortOut(route, request.nowMs);
    const panic = route.asked.length === 0;
    if (panic) this.#panic(route);
    else this.#arrange(route, { balancer, context, failover });
    this.#token(route, balancer, panic);
    const affinity = this.#keepWarm(route, { session, warm, failover, balancer });
    return { affinity, session, warm, panic, balancer, context };
  }

  /** Makes a decision count: turns are taken, a trial's place is held. */
  commit(route: PreparedRoute, decision: Decision): void {
    const first = route.line[0];
    if (first === undefined || decision.panic) return;
    const group = first.group;
    if (group !== null) {
      decision.balancer.chosen?.(group.usable, first);
      cloudChosen(route.asked, group, this.#settings.deployment);
    }
    if (first.standing === "trial") {
      first.runtime.record.claimTrial(decision.context.nowMs);
      first.runtime.upstream.record.claimTrial(decision.context.nowMs);
    }
  }

  #sessionOf({ session, sessionScope, model }: PlanRequest): SessionId {
    const isOff = session === null || !this.#settings.affinity.enabled;
    return isOff ? NO_SESSION : sessionId(sessionScope, session, model);
  }

  #context(request: PlanRequest, warm: WarmCache | null): BalanceContext {
    return {
      nowMs: request.nowMs,
      random: this.#random,
      clientRegion: request.clientRegion ?? this.#settings.geography.callerRegion,
      inputTokens: request.expectedInputTokens,
      outputTokens: request.expectedOutputTokens,
      warmKey: warm === null ? null : warm.targetKey,
      warmTokens: warm === null ? 0 : warm.tokens,
      warmFor: warm === null ? "5m" : warm.life,
      responseTime: this.#settings.responseTime,
      distances: this.#distances,
    };
  }

  /** Tells those that can be used from the rest. */
  #sortOut(route: PreparedRoute, nowMs: number): void {
    const { health } = this.#settings;
    route.line.length = 0;
    route.rest.length = 0;
    route.asked.length = 0;
    for (const group of route.groups) {
      group.usable.length = 0;
      for (const candidate of group.members) {
        const { record, upstream } = candidate.runtime;
        candidate.isHeldBack = false;
        const standing = worseStanding(upstream.record.standing(nowMs, health), record.standing(nowMs, health));
        const isFull = STANDING_RANK[standing] === 0 && upstream.isFull(candidate.target);
        candidate.standing = isFull ? "full" : standing;
        if (STANDING_RANK[candidate.standing] === 0) {
          const left = Math.min(record.share(nowMs, health), upstream.record.share(nowMs, health));
          candidate.share = candidate.target.weight * left;
          group.usable.push(candidate);
        } else {
          candidate.score = lastResortRank(candidate.standing, [upstream.record.state, record.state], nowMs);
          route.rest.push(candidate);
        }
      }
      if (group.usable.length > 0) route.asked.push(group);
    }
    if (route.rest.length > 1) sortByScore(route.rest);
  }

  /** Nothing can be used: better to try than to refuse. */
  #panic(route: PreparedRoute): void {
    for (const candidate of route.rest) route.line.push(candidate);
    route.rest.length = 0;
  }

  #arrange(route: PreparedRoute, { balancer, context, failover }: Arrangement): void {
    orderClouds(route.asked, this.#settings.deployment, failover, context);
    for (const group of route.asked) {
      balancer.arrange(group.usable, context);
      if (balancer.ignoresShare && group.usable.length > 1) this.#holdBack(group.usable, context);
      for (const candidate of group.usable) route.line.push(candidate);
    }
  }

  /**
   * Under a strategy that knows no shares, a recovering target takes its part by lot; the sessions that are warm there it keeps.
   */
  #holdBack(usable: RouteCandidate[], context: BalanceContext): void {
    let heldBack = 0;
    for (const candidate of usable) {
      if (candidate.target.key === context.warmKey || !this.#losesLot(candidate)) continue;
      candidate.isHeldBack = true;
      heldBack++;
    }
    if (heldBack === usable.length) for (const candidate of usable) candidate.isHeldBack = false;
    else if (heldBack > 0) moveHeldBack(usable);
  }

  /** Whether a target steps back this time: always with weight 0, by lot while it recovers. Degraded ones keep their place. */
  #losesLot({ target, share, runtime }: RouteCandidate): boolean {
    if (target.weight === 0) return true;
    const isDegraded = [runtime.record, runtime.upstream.record].some(({ state }) => state.health === "degraded");
    return !isDegraded && share < target.weight && this.#random() * target.weight >= share;
  }

  /** Moves the target with the session's warm cache to the front, if it stays. */
  #keepWarm(route: PreparedRoute, { session, warm, failover, balancer }: Staying): AffinityDecision {
    const { line } = route;
    const first = line[0];
    if (first === undefined) return { target: "", moved: false, lostMicroUsd: 0, reason: "no_session" };
    const warmCandidate = warm === null ? null : route.find(warm.targetKey);
    const decision = decideAffinity(
      {
        hasSession: session !== NO_SESSION,
        warm,
        warmTarget: warmCandidate === null ? null : warmStanding(warmCandidate),
        first: first.target,
        countsCache: balancer.name === "cheapest" && warmCandidate !== null && first.group === warmCandidate.group,
        failedOver: this.#hasFailedOver(failover, warmCandidate),
      },
      this.#settings.affinity,
    );
    if (warmCandidate !== null && decision.reason === "warm") {
      moveToFront(line, warmCandidate);
      warmCandidate.token = "affinity";
    }
    return decision;
  }

  #hasFailedOver(failover: FailoverState | null, warm: RouteCandidate | null): boolean {
    const { deployment } = this.#settings;
    if (deployment.kind !== "active_passive" || failover === null || warm === null) return false;
    return failover.phase === "backup" && warm.target.cloud === deployment.primary;
  }

  /** Gives each the reason for its place. */
  #token(route: PreparedRoute, balancer: Balancer, panic: boolean): void {
    const { deployment } = this.#settings;
    for (const candidate of route.rest) candidate.token = "last-resort";
    for (const candidate of route.line) {
      if (panic) candidate.token = "last-resort";
      else if (candidate.standing === "trial") candidate.token = "trial";
      else if (deployment.kind === "none") candidate.token = balancer.token;
      else {
        const group = candidate.group;
        candidate.token = (group === null ? null : cloudToken(group, deployment)) ?? balancer.token;
      }
    }
  }
}

function warmStanding({ standing, runtime }: RouteCandidate): { isUsable: boolean; isDegraded: boolean } {
  const isDegraded = runtime.record.state.health === "degraded" || runtime.upstream.record.state.health === "degraded";
  return { isUsable: STANDING_RANK[standing] === 0, isDegraded };
}

/** Those that were held back go behind the others; within both the order stays. */
function moveHeldBack(usable: RouteCandidate[]): void {
  for (let place = 0; place < usable.length; place++) {
    const candidate = usable[place];
    if (candidate !== undefined) candidate.score = place + (candidate.isHeldBack ? usable.length : 0);
  }
  sortByScore(usable);
}

function moveToFront(line: RouteCandidate[], candidate: RouteCandidate): void {
  for (let place = line.indexOf(candidate); place > 0; place--) {
    const before = line[place - 1];
    if (before !== undefined) line[place] = before;
  }
  line[0] = candidate;
}
