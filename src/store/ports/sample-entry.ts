import type { Entry } from "../../message/entry.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";

/** A valid ledger entry for tests, with what a test cares about put in its place. */
export function sampleEntry(given: Partial<Omit<Entry, "usage">> & { usage?: Partial<Usage> } = {}): Entry {
  return {
    exchangeId: "req_1",
    attempt: 1,
    attempts: 1,
    organizationId: "org_acme",
    teamId: "team_core",
    userId: "usr_ada",
    keyId: "key_1",
    userType: "developer",
    sessionId: "session-1",
    agentId: null,
    parentAgentId: null,
    tag: null,
    endpoint: "messages",
    clientFormat: "anthropic",
    modelAsked: "claude-haiku-4-5",
    modelServed: "claude-haiku-4-5",
    target: "anthropic",
    targetModel: "claude-haiku-4-5-20251001",
    routeReason: "order",
    stream: true,
    status: 200,
    outcome: "complete",
    usageSource: "reported",
    costMicroUsd: 1_000,
    cacheMove: null,
    cacheLossMicroUsd: 0,
    priceVersion: "2026-11-01",
    reservedMicroUsd: 5_000,
    admittedAtMs: Date.UTC(2026, 10, 20, 12, 30),
    settledAtMs: Date.UTC(2026, 10, 20, 12, 30, 2),
    latencyMs: 2_000.25,
    timeToFirstTokenMs: 400.5,
    upstreamRequestId: "req_upstream",
    ...given,
    usage: { ...emptyUsage(), inputTokens: 10, outputTokens: 20, ...given.usage },
  };
}
