import type { AffinitySettings } from "../settings.ts";
import type { RouteTarget } from "../target.ts";
import type { AffinityDecision, AffinityReason } from "./affinity-decision.ts";
import { moveCostMicroUsd } from "./move-cost.ts";
import type { WarmCache } from "./session-table.ts";

/** What an affinity decision is made of. */
export interface AffinityQuestion {
  readonly hasSession: boolean;
  /** Null when nothing is warm. */
  readonly warm: WarmCache | null;
  /** How the warm target stands: null when it no longer serves the model. */
  readonly warmTarget: { readonly isUsable: boolean; readonly isDegraded: boolean } | null;
  /** Where strategy and health would send the request. */
  readonly first: RouteTarget;
  /** Whether the strategy has already counted the warm cache in, so that its order is the answer. */
  readonly countsCache: boolean;
  /** Whether the deployment has failed over, away from the warm target's cloud. */
  readonly failedOver: boolean;
}

/** Whether a session stays where its prompt cache is warm. Pure. */
export function decideAffinity(question: AffinityQuestion, settings: AffinitySettings): AffinityDecision {
  const { warm, first } = question;
  if (!question.hasSession) return stays(first.key, "no_session");
  if (warm === null) return stays(first.key, "cold");
  if (warm.targetKey === first.key) return stays(first.key, "warm");
  const lostMicroUsd = moveCostMicroUsd(warm, first);
  const reason = reasonToMove(question, lostMicroUsd, settings);
  if (reason === null) return stays(warm.targetKey, "warm");
  return { target: first.key, moved: true, lostMicroUsd, reason };
}

function reasonToMove(
  { warmTarget, countsCache, failedOver }: AffinityQuestion,
  lostMicroUsd: number,
  settings: AffinitySettings,
): AffinityReason | null {
  if (warmTarget === null) return "moved_gone";
  if (!warmTarget.isUsable) return "moved_unusable";
  if (failedOver) return "moved_failover";
  if (warmTarget.isDegraded && lostMicroUsd <= settings.leaveDegradedBelowMicroUsd) return "moved_degraded";
  return countsCache ? "moved_cheaper" : null;
}

function stays(target: string, reason: AffinityReason): AffinityDecision {
  return { target, moved: false, lostMicroUsd: 0, reason };
}
