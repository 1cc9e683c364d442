import type { PlannedTarget } from "./plan.ts";

/**
 * The value of `x-weir-route`: `bedrock-eu; reason=affinity; attempt=1`. Printable ASCII whatever the upstream is called.
 * `repeats`: the attempt repeats one at the same target.
 */
export function routeHeader({ target, reason }: PlannedTarget, attempt: number, repeats = false): string {
  const why = repeats ? "retry" : attempt > 1 ? "failover" : reason;
  return `${target.upstream.replace(UNSAFE, "_")}; reason=${why}; attempt=${attempt}`;
}

/** What a token of a structured field must not hold. */
const UNSAFE = /[^A-Za-z0-9._-]/g;
