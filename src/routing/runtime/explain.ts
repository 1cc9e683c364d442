import { affinityWords } from "../affinity/affinity-decision.ts";
import { cloudWords } from "../deployment/cloud-order.ts";
import type { FailoverState } from "../deployment/failover-state.ts";
import type { DecidingRule, ExplainedTarget, Explanation } from "../explanation.ts";
import type { Health } from "../health/health-state.ts";
import { standingWords } from "../health/target-health.ts";
import type { PlanRequest } from "../plan.ts";
import type { RoutingSettings } from "../settings.ts";
import type { RouteTarget } from "../target.ts";
import { countWords, durationWords, groupedNumber, percentWords } from "../words.ts";
import type { Decision } from "./planner.ts";
import type { PreparedRoute, RouteCandidate } from "./prepared-route.ts";

export interface Explained {
  readonly route: PreparedRoute;
  readonly decision: Decision;
  readonly request: PlanRequest;
  readonly settings: RoutingSettings;
  readonly failover: FailoverState | null;
}

/** A decision that has just been made, with every reason. */
export function explainPlan(explained: Explained): Explanation {
  const { route, decision, request, settings } = explained;
  const { affinity, warm, panic } = decision;
  const use = (kind: "planned" | "last_resort", before: number) => (candidate: RouteCandidate, i: number) =>
    explainTarget(explained, candidate, kind, before + i + 1);
  return {
    model: request.model,
    strategy: decision.balancer.name,
    deployment: settings.deployment.kind,
    decidedBy: decidingRule(explained),
    panic,
    affinity: {
      reason: affinity.reason,
      words: affinityWords(affinity.reason),
      moved: affinity.moved,
      lostMicroUsd: affinity.lostMicroUsd,
      warmTarget: warm?.targetKey ?? null,
      warmTokens: warm?.tokens ?? 0,
      warmForMs: warm === null ? 0 : Math.max(0, warm.expiresAtMs - request.nowMs),
    },
    targets: [
      ...route.line.map(use("planned", 0)),
      ...route.rest.map(use("last_resort", route.line.length)),
      ...route.excluded.map((target) => excluded(target, settings)),
    ],
  };
}

function decidingRule({ route, decision, settings }: Explained): DecidingRule {
  const [first] = route.line;
  if (first === undefined) return "none";
  if (first.token === "affinity") return "affinity";
  if (route.candidates.length === 1) return "only_target";
  if (decision.panic) return "health";
  if (route.asked.length > 1) return "deployment";
  // One usable target among several: the others were out of the question before any strategy was asked.
  if (route.line.length === 1) return "health";
  if (first.token !== decision.balancer.token && settings.deployment.kind !== "none") return "deployment";
  return "strategy";
}

function explainTarget(
  explained: Explained,
  candidate: RouteCandidate,
  use: "planned" | "last_resort",
  place: number,
): ExplainedTarget {
  const { target, runtime, standing, token } = candidate;
  return {
    place,
    use,
    upstream: target.upstream,
    upstreamModel: target.upstreamModel,
    cloud: target.cloud,
    region: target.region,
    standing,
    health: worseHealth(runtime.record.state.health, runtime.upstream.record.state.health),
    reason: token,
    because: reasons(explained, candidate, use),
  };
}

function reasons(explained: Explained, candidate: RouteCandidate, use: "planned" | "last_resort"): readonly string[] {
  const { decision, settings, failover } = explained;
  const { balancer, context, warm, panic } = decision;
  const { runtime, target } = candidate;
  const words: string[] = [];
  if (warm !== null && warm.targetKey === target.key) {
    const left = durationWords(warm.expiresAtMs - context.nowMs);
    words.push(`${groupedNumber(warm.tokens)} tokens of the session are warm there for another ${left}`);
  }
  if (use === "planned" && !panic) {
    const group = candidate.group;
    const cloud = group === null ? null : cloudWords(group, settings.deployment, failover, context.nowMs);
    if (cloud !== null) words.push(cloud);
    words.push(balancer.explain(candidate, context));
    if (candidate.isHeldBack) {
      words.push(heldBackWords(candidate));
    }
  }
  if (candidate.standing === "full") {
    words.push(`full: it may have ${countWords(target.maxConcurrent ?? 0, "request")} at once`);
  }
  words.push(standingWords([runtime.upstream.record, runtime.record], context.nowMs, settings.health));
  return words;
}

function heldBackWords({ share, target }: RouteCandidate): string {
  if (target.weight === 0) return "its weight is 0: only when nothing else is left";
  return `held back by lot: it takes ${percentWords(share / target.weight)} while it recovers`;
}

function excluded(target: RouteTarget, { deployment }: RoutingSettings): ExplainedTarget {
  const cloud = target.cloud === null ? "no cloud is named for it" : `it is in ${target.cloud}`;
  return {
    place: null,
    use: "excluded",
    upstream: target.upstream,
    upstreamModel: target.upstreamModel,
    cloud: target.cloud,
    region: target.region,
    standing: null,
    health: null,
    reason: null,
    because: [`never asked: ${cloud}, and the ${deployment.kind} deployment has other clouds`],
  };
}

function worseHealth(a: Health, b: Health): Health {
  if (a === "unhealthy" || b === "unhealthy") return "unhealthy";
  return a === "degraded" || b === "degraded" ? "degraded" : "healthy";
}
