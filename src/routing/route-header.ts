import type { PlannedTarget } from "./plan.ts";

/** The value of `x-weir-route`: `bedrock-eu; reason=affinity; attempt=1`. Printable ASCII whatever the upstream is called. */
export function routeHeader({ target, reason }: PlannedTarget, attempt: number): string {
  return `${target.upstream.replace(UNSAFE, "_")}; reason=${attempt > 1 ? "failover" : reason}; attempt=${attempt}`;
}

/** What a token of a structured field must not hold. */
const UNSAFE = /[^A-Za-z0-9._-]/g;
