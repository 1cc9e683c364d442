import { WeirError } from "../../core/weir-error.ts";
import type { Outcome } from "../../message/entry.ts";
import type { Exchange } from "../exchange.ts";
import { refusalOutcome } from "../refusal-outcome.ts";
import type { GatewayServices } from "../services.ts";

/** Metrics and the access line of one call on batches or files. What a batch used is recorded when it is settled. */
export function observeObjects(exchange: Exchange, services: GatewayServices, failure: unknown): void {
  const milliseconds = services.clock.monotonicMs() - exchange.startedAtMs;
  const principal = exchange.identity?.principal ?? null;
  const { response } = exchange;
  const status = response.headersSent ? response.statusCode : 499;
  const outcome = outcomeOf(exchange, failure);
  services.metrics.record({
    model: "none",
    status,
    userType: principal?.userType ?? "unknown",
    userId: principal?.userId ?? principal?.keyId ?? "none",
    seconds: milliseconds / 1000,
    firstTokenSeconds: null,
    tokens: 0,
    costMicroUsd: 0,
    errorType: exchange.refusal?.row.type ?? null,
    outcome,
  });
  services.accessLog.write({
    requestId: exchange.id,
    keyId: principal?.keyId ?? null,
    endpoint: exchange.endpoint.name,
    model: "none",
    target: null,
    status,
    outcome,
    milliseconds,
    inputTokens: 0,
    outputTokens: 0,
    costMicroUsd: 0,
  });
}

function outcomeOf(exchange: Exchange, failure: unknown): Outcome {
  if (failure instanceof WeirError) {
    if (failure.code === "weir:upstream:timeout") return "timeout";
    // A failure after the head has been sent: the answer broke off.
    if (exchange.response.statusCode < 400) return "upstream_cut";
    return failure.code.startsWith("weir:upstream:") ? "upstream_error" : refusalOutcome(failure);
  }
  if (exchange.refusal !== null) return refusalOutcome(exchange.refusal);
  return failure === null && !exchange.clientGone ? "complete" : "client_gone";
}
