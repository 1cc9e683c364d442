import type { AffinityDecision } from "./affinity/affinity-decision.ts";
import type { SessionId } from "./affinity/session-id.ts";
import type { WarmCache } from "./affinity/session-table.ts";
import type { StrategyName } from "./balance/strategy-name.ts";
import type { ReasonToken } from "./reason.ts";
import type { AttemptTimeouts, DeploymentSettings } from "./settings.ts";
import type { RouteTarget } from "./target.ts";

export type Urgency = "interactive" | "batch";

/** What is asked of the router for one exchange. */
export interface PlanRequest {
  /** The model as it is listed; each has its own prompt caches. */
  readonly model: string;
  /** In the configuration's order. Give the same array for the same route: what is worked out about it is kept with it. */
  readonly targets: readonly RouteTarget[];
  /** Instead of the general strategy; absent or null for that one. */
  readonly strategy?: StrategyName | null;
  /** Who asks: the key's or the organisation's id. */
  readonly sessionScope: string;
  /** The client's session, or a hash of the beginning of its prompt; null when there is none. */
  readonly session: string | null;
  /** The client's region or zone, where it is known; else `geography.callerRegion` counts. */
  readonly clientRegion: string | null;
  /** Tokens of the whole prompt, and of the answer. */
  readonly expectedInputTokens: number;
  readonly expectedOutputTokens: number;
  readonly urgency: Urgency;
  /** Monotonic milliseconds. */
  readonly nowMs: number;
}

/** A target of a plan with the reason for its place. Shared between plans; one object for each target and reason. */
export interface PlannedTarget {
  readonly target: RouteTarget;
  readonly reason: ReasonToken;
}

/** Where an exchange goes, decided before its first attempt. */
export interface Plan {
  readonly model: string;
  readonly strategy: StrategyName;
  readonly deployment: DeploymentSettings["kind"];
  /** In the order to try. Empty only when no target belongs to the deployment. */
  readonly targets: readonly PlannedTarget[];
  /** Those that cannot be used now, the most hopeful first: when all of `targets` have failed. */
  readonly lastResort: readonly PlannedTarget[];
  /** No target can be used; `targets` holds them all the same, the most hopeful first. */
  readonly panic: boolean;
  readonly affinity: AffinityDecision;
  readonly session: SessionId;
  /** The session's prompt cache when the plan was made. */
  readonly warm: WarmCache | null;
  readonly timeouts: AttemptTimeouts;
  /** Monotonic; no attempt is begun after it. */
  readonly deadlineAtMs: number;
}
