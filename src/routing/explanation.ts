import type { AffinityReason } from "./affinity/affinity-decision.ts";
import type { StrategyName } from "./balance/strategy-name.ts";
import type { Standing } from "./health/health-record.ts";
import type { Health } from "./health/health-state.ts";
import type { ReasonToken } from "./reason.ts";
import type { DeploymentSettings } from "./settings.ts";

/** Which rule put the first target first. */
export type DecidingRule = "affinity" | "deployment" | "strategy" | "health" | "only_target" | "none";

/** Why a request goes where it goes, as data. Everything in words is a clause without a full stop. */
export interface Explanation {
  readonly model: string;
  readonly strategy: StrategyName;
  readonly deployment: DeploymentSettings["kind"];
  readonly decidedBy: DecidingRule;
  /** Nothing can be used, and everything is tried all the same. */
  readonly panic: boolean;
  readonly affinity: ExplainedAffinity;
  /** In the order to try, then the last resorts, then those that are never asked. */
  readonly targets: readonly ExplainedTarget[];
}

interface ExplainedAffinity {
  readonly reason: AffinityReason;
  readonly words: string;
  readonly moved: boolean;
  readonly lostMicroUsd: number;
  /** Of the session's prompt cache, wherever it is. */
  readonly warmTarget: string | null;
  readonly warmTokens: number;
  readonly warmForMs: number;
}

export interface ExplainedTarget {
  /** From 1; null when it is never asked. */
  readonly place: number | null;
  readonly use: "planned" | "last_resort" | "excluded";
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly cloud: string | null;
  readonly region: string | null;
  readonly standing: Standing | null;
  readonly health: Health | null;
  readonly reason: ReasonToken | null;
  /** How it stands, what deployment and strategy say of it, and what kept it from a better place. */
  readonly because: readonly string[];
}
