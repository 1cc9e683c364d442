import { RetryBudget } from "../retry/retry-budget.ts";
import type { RetryBudgetSettings } from "../settings.ts";
import type { RouteTarget } from "../target.ts";
import { TargetRuntime, UpstreamRuntime } from "./target-runtime.ts";

/** Targets that are remembered. Beyond it the oldest idle one is forgotten: a configuration has fewer, made-up names might not. */
const MAX_TARGETS = 4_096;

/** Everything that is remembered of upstreams and targets, by name: a reload that keeps a name keeps what is known of it. */
export class RuntimeBook {
  readonly #upstreams = new Map<string, UpstreamRuntime>();
  readonly #targets = new Map<string, TargetRuntime>();
  #budget: RetryBudgetSettings;
  #forgotten = 0;

  constructor(budget: RetryBudgetSettings, names: readonly string[]) {
    this.#budget = budget;
    this.configure(budget, names);
  }

  get upstreams(): Iterable<UpstreamRuntime> {
    return this.#upstreams.values();
  }

  get targets(): Iterable<TargetRuntime> {
    return this.#targets.values();
  }

  /** Changes when a target that somebody may still refer to has been forgotten. */
  get generation(): number {
    return this.#forgotten;
  }

  /** New settings; `names` are the upstreams that exist now, the rest is forgotten. */
  configure(budget: RetryBudgetSettings, names: readonly string[]): void {
    const { ratio, minPerSecond, windowMs } = this.#budget;
    const isSame = budget.ratio === ratio && budget.minPerSecond === minPerSecond && budget.windowMs === windowMs;
    this.#budget = budget;
    const kept = new Set(names);
    for (const name of this.#upstreams.keys()) if (!kept.has(name)) this.#upstreams.delete(name);
    for (const [key, { upstream }] of this.#targets) if (!kept.has(upstream.name)) this.#targets.delete(key);
    for (const name of names) this.#upstreams.set(name, this.upstream(name));
    if (!isSame) for (const upstream of this.#upstreams.values()) upstream.retryBudget = new RetryBudget(budget);
  }

  /** An upstream by name. One that is no longer configured, but still used by an exchange, is nobody's and remembered nowhere. */
  upstream(name: string): UpstreamRuntime {
    return this.#upstreams.get(name) ?? new UpstreamRuntime(name, this.#budget);
  }

  target(target: RouteTarget): TargetRuntime {
    const known = this.#targets.get(target.key);
    if (known !== undefined && known.cloud === target.cloud) return known;
    const { key, upstreamModel, cloud } = target;
    const created = new TargetRuntime({ key, upstream: this.upstream(target.upstream), upstreamModel, cloud });
    if (!this.#upstreams.has(target.upstream)) return created;
    if (this.#targets.size >= MAX_TARGETS) this.#forgetOldestIdle();
    this.#targets.set(key, created);
    return created;
  }

  #forgetOldestIdle(): void {
    for (const [key, { activity }] of this.#targets) {
      if (activity.inFlight > 0) continue;
      this.#targets.delete(key);
      this.#forgotten++;
      return;
    }
  }
}
