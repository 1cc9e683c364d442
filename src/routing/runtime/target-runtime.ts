import { TargetActivity } from "../balance/candidate.ts";
import { HealthRecord } from "../health/health-record.ts";
import { RetryBudget } from "../retry/retry-budget.ts";
import type { RetryBudgetSettings } from "../settings.ts";
import type { RouteTarget } from "../target.ts";

/** What the router remembers of an upstream, over all its models and over reloads. */
export class UpstreamRuntime {
  readonly name: string;
  readonly record = new HealthRecord();
  retryBudget: RetryBudget;
  inFlight = 0;
  /** When a client's request was last answered there. */
  answeredAtMs = -Infinity;
  /** When the last probe began, and whether it is under way. */
  probedAtMs = -Infinity;
  isProbing = false;

  constructor(name: string, budget: RetryBudgetSettings) {
    this.name = name;
    this.retryBudget = new RetryBudget(budget);
  }

  /** Whether a target there finds as many requests under way as there may be. */
  isFull({ maxConcurrent }: RouteTarget): boolean {
    return this.inFlight >= (maxConcurrent ?? Infinity);
  }
}

/** What the router remembers of a model at an upstream. */
export class TargetRuntime {
  readonly key: string;
  readonly upstream: UpstreamRuntime;
  readonly upstreamModel: string;
  readonly cloud: string | null;
  readonly record = new HealthRecord();
  readonly activity = new TargetActivity();

  constructor(init: { key: string; upstream: UpstreamRuntime; upstreamModel: string; cloud: string | null }) {
    this.key = init.key;
    this.upstream = init.upstream;
    this.upstreamModel = init.upstreamModel;
    this.cloud = init.cloud;
  }
}
