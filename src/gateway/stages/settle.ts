import { costOf } from "../../ledger/prices/price-book.ts";
import type { AdmittedExchange, Entry } from "../../message/entry.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import type { AttemptEnd } from "../../routing/health/signal.ts";
import type { Exchange, Result } from "../exchange.ts";
import { refusalOutcome } from "../refusal-outcome.ts";
import { sendError } from "../http/error-response.ts";
import type { GatewayServices } from "../services.ts";
import type { Stage } from "./stage.ts";

export const settle: Stage = {
  name: "settle",
  summary: "Exactly once, whatever happened: entry durable, counters corrected, then the held end is released",
  async run(exchange, services) {
    const result = exchange.result ?? refused(exchange);
    const cost = result.target === null ? 0 : costOf(result.usage, result.target.price);
    giveBack(exchange, services, result, cost);
    tellRouter(exchange, services, result);
    exchange.place?.leave();
    observe(exchange, services, result, cost);
    const { admitted } = exchange;
    const durable =
      admitted === null || (await record(services, entryOf(exchange, services, { admitted, result, cost })));
    if (exchange.refusal !== null) sendError(exchange, exchange.refusal);
    else exchange.relay?.release(durable);
  },
};

function giveBack(exchange: Exchange, services: GatewayServices, result: Result, cost: number): void {
  if (exchange.reservation !== null) services.budgets.settle(exchange.reservation, cost);
  if (exchange.ticket !== null) {
    const now = services.clock.monotonicMs();
    // What was refused after all has used nothing of its caller's limits.
    if (exchange.admitted === null) services.rate.withdraw(exchange.ticket, now);
    else services.rate.leave(exchange.ticket, totalTokens(result.usage), now);
  }
  if (
    exchange.admitted !== null &&
    result.outcome === "complete" &&
    exchange.route !== null &&
    exchange.identity !== null
  ) {
    services.forecaster.observe(exchange.identity.principal.keyId, exchange.route.model, cost);
  }
}

/** What the router learns of the attempt that was relayed. One that failed before has told it already. */
function tellRouter(exchange: Exchange, { router, clock }: GatewayServices, result: Result): void {
  const { attempt, plan } = exchange;
  if (attempt === null || plan === null) return;
  const now = clock.monotonicMs();
  router.ended(attempt.attempt, attemptEnd(result), now);
  if (result.outcome === "complete") exchange.affinity = router.served(plan, attempt.planned, result.usage, now);
}

function attemptEnd({ outcome, status, errorType }: Result): AttemptEnd {
  switch (outcome) {
    case "complete":
      return { kind: "ok", latencyMs: null };
    case "client_gone":
    case "interrupted":
    // Weir's own doing, which says nothing of the upstream.
    case "refused":
    case "internal_error":
      return { kind: "client_gone" };
    case "timeout":
      return { kind: "timeout", phase: "idle" };
    case "upstream_cut":
      return { kind: "cut" };
    case "upstream_error":
    default:
      return status < 400
        ? { kind: "in_band_error", errorType: errorType ?? "api_error", retryAfterMs: null }
        : { kind: "status", status, retryAfterMs: null };
  }
}

/** Resolves when the entry is on the disk: true, or false when it cannot be put there. */
function record(services: GatewayServices, entry: Entry): Promise<boolean> {
  services.runaway.observe(entry);
  return new Promise((resolve) => {
    services.journal.settle(entry, recorded.bind(null, { services, entry, resolve }));
  });
}

interface Recording {
  readonly services: GatewayServices;
  readonly entry: Entry;
  readonly resolve: (durable: boolean) => void;
}

function recorded({ services, entry, resolve }: Recording, error: Error | null): void {
  if (error !== null) {
    services.logger.error({ request_id: entry.exchangeId, error: error.message }, "entry not recorded");
  }
  resolve(error === null);
}

function entryOf(
  exchange: Exchange,
  services: GatewayServices,
  { admitted, result, cost }: { admitted: AdmittedExchange; result: Result; cost: number },
): Entry {
  return {
    ...admitted,
    attempt: result.attempts,
    attempts: result.attempts,
    target: result.target?.upstream.name ?? null,
    targetModel: result.target?.upstreamModel ?? null,
    routeReason: result.target === null ? null : (exchange.attempt?.planned.reason ?? null),
    status: result.status,
    outcome: result.outcome,
    usage: result.usage,
    usageSource: result.usageSource,
    costMicroUsd: cost,
    cacheMove: exchange.affinity?.moved === true ? exchange.affinity.reason : null,
    cacheLossMicroUsd: exchange.affinity?.lostMicroUsd ?? 0,
    settledAtMs: services.windowClock.nowMs(),
    latencyMs: Math.round(services.clock.monotonicMs() - exchange.startedAtMs),
    timeToFirstTokenMs:
      result.firstTokenAtMs === null ? null : Math.round(result.firstTokenAtMs - exchange.startedAtMs),
    upstreamRequestId: result.upstreamRequestId,
  };
}

function observe(exchange: Exchange, services: GatewayServices, result: Result, cost: number): void {
  const milliseconds = services.clock.monotonicMs() - exchange.startedAtMs;
  const principal = exchange.identity?.principal ?? null;
  const model = exchange.route?.model ?? "none";
  services.metrics.record({
    model,
    status: result.status,
    userType: principal?.userType ?? "unknown",
    userId: principal?.userId ?? principal?.keyId ?? "none",
    seconds: milliseconds / 1000,
    firstTokenSeconds: result.firstTokenAtMs === null ? null : (result.firstTokenAtMs - exchange.startedAtMs) / 1000,
    tokens: totalTokens(result.usage),
    costMicroUsd: cost,
    errorType: result.errorType,
    outcome: result.outcome,
  });
  services.accessLog.write({
    requestId: exchange.id,
    keyId: principal?.keyId ?? null,
    endpoint: exchange.endpoint.name,
    model,
    target: result.target?.upstream.name ?? null,
    status: result.status,
    outcome: result.outcome,
    milliseconds,
    inputTokens: result.usage.inputTokens,
    outputTokens: result.usage.outputTokens,
    costMicroUsd: cost,
  });
}

/** An exchange that ended before an upstream was asked: refused by a policy, or by its own body. */
function refused(exchange: Exchange): Result {
  const { refusal } = exchange;
  return {
    status: exchange.clientGone ? 499 : (refusal?.row.status ?? exchange.response.statusCode),
    outcome: exchange.clientGone ? exchange.outcomeWhenLeft : refusalOutcome(refusal),
    usage: emptyUsage(),
    usageSource: "estimated",
    target: null,
    attempts: 0,
    upstreamRequestId: null,
    firstTokenAtMs: null,
    errorType: refusal?.row.type ?? null,
  };
}

function totalTokens(usage: Usage): number {
  return (
    usage.inputTokens + usage.outputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens
  );
}
