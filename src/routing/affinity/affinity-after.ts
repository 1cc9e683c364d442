import type { Plan } from "../plan.ts";
import type { RouteTarget } from "../target.ts";
import type { AffinityDecision } from "./affinity-decision.ts";
import { moveCostMicroUsd } from "./move-cost.ts";

/** What became of a plan's decision: the same when its target served, else the move that failover made of it, with its price. */
export function affinityAfter({ affinity, warm }: Plan, servedBy: RouteTarget): AffinityDecision {
  if (servedBy.key === affinity.target) return affinity;
  if (warm === null) return { ...affinity, target: servedBy.key };
  if (warm.targetKey === servedBy.key) return { target: servedBy.key, moved: false, lostMicroUsd: 0, reason: "warm" };
  const reason = affinity.moved ? affinity.reason : "moved_failed";
  return { target: servedBy.key, moved: true, lostMicroUsd: moveCostMicroUsd(warm, servedBy), reason };
}
