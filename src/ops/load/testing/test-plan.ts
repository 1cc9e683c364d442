import type { ClosedLoad, Load, LoadLimits, LoadPlan, LoadSecrets, RequestPlan } from "../plan/load-plan.ts";

/** A closed load that ends by its count. */
export function closedLoad(changes: Partial<ClosedLoad> = {}): ClosedLoad {
  return {
    kind: "closed",
    users: 2,
    requestsPerUser: 5,
    durationMs: null,
    thinkMinMs: 0,
    thinkMaxMs: 0,
    rampMs: 0,
    ...changes,
  };
}

/** A small plan without warm-up and preflight; what a test is about is changed. */
export function testPlan(
  url: string,
  changes: {
    load?: Load;
    request?: Partial<RequestPlan>;
    limits?: Partial<LoadLimits>;
    secrets?: Partial<LoadSecrets>;
    plan?: Partial<LoadPlan>;
  } = {},
): LoadPlan {
  return {
    url: `${url}/v1/messages`,
    confirmedHost: null,
    load: changes.load ?? closedLoad(),
    warmupMs: 0,
    request: {
      model: "claude-test",
      maxTokens: 64,
      stream: true,
      body: { label: "2k", sizes: [{ bytes: 2048, weight: 1 }] },
      sharedPrefix: 1,
      ...changes.request,
    },
    limits: {
      timeoutMs: 20_000,
      drainMs: 20_000,
      maxRequestsPerSecond: 20_000,
      maxInFlight: 100,
      maxErrors: null,
      ...changes.limits,
    },
    keepAlive: true,
    threads: 1,
    seed: 1,
    salt: "salt",
    preflight: false,
    secrets: { keys: [], keyHeader: "x-api-key", headers: {}, caPem: null, ...changes.secrets },
    ...changes.plan,
  };
}
