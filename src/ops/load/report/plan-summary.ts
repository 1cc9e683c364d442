import { expectedRequests } from "../arrival/schedule.ts";
import type { Load, LoadPlan } from "../plan/load-plan.ts";
import type { PlanSummary } from "./load-report.ts";

/** What a report says of its plan: everything that the figures depend on, nothing secret. */
export function summarisePlan(plan: LoadPlan): PlanSummary {
  const { request, limits, secrets } = plan;
  return {
    url: withoutQuery(plan.url),
    load: summariseLoad(plan.load),
    warmupMs: plan.warmupMs,
    model: request.model,
    maxTokens: request.maxTokens,
    stream: request.stream,
    body: request.body.label,
    sharedPrefix: request.sharedPrefix,
    timeoutMs: limits.timeoutMs,
    maxInFlight: limits.maxInFlight,
    maxRequestsPerSecond: limits.maxRequestsPerSecond,
    keepAlive: plan.keepAlive,
    threads: plan.threads,
    seed: plan.seed,
    keys: secrets.keys.length,
    headerNames: Object.keys(secrets.headers),
  };
}

function summariseLoad(load: Load): PlanSummary["load"] {
  if (load.kind !== "trace") return load;
  const { trace, ...rest } = load;
  return { ...rest, trace: trace.name, traceKind: trace.kind, expectedRequests: Math.round(expectedRequests(load)) };
}

/** A query may carry a token. */
function withoutQuery(text: string): string {
  const url = new URL(text);
  return url.origin + url.pathname;
}
