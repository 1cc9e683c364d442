import { hash } from "node:crypto";

import { WeirError } from "../../core/weir-error.ts";
import { isRefusal, type BudgetSubject, type CostForecast } from "../../ledger/budgets/budget-book.ts";
import { CostForecaster, type RequestSize } from "../../ledger/budgets/cost-forecaster.ts";
import { checkAccess } from "../../policy/access/access-policy.ts";
import { checkModelPolicy } from "../../policy/access/model-policy.ts";
import { budgetHeaders, budgetRefusal } from "../../policy/budget/budget-answer.ts";
import { checkRunaway } from "../../policy/runaway/runaway-watch.ts";
import type { AdmittedExchange, AuditedRequest } from "../../message/entry.ts";
import type { Route } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import type { Stage } from "./stage.ts";

export const admit: Stage = {
  name: "admit",
  summary: "Policies in order: access, tokens a minute, budget; then the open record",
  run(exchange, services) {
    const identity = required(exchange.identity, "identity");
    const scan = required(exchange.scan, "scan");
    checkAccess(identity.key, { endpoint: exchange.endpoint.name, model: scan.model, client: exchange });
    const route = exchange.snapshot.routes.resolve(scan.model);
    if (route === null) throw new WeirError("weir:model:unknown", `model: ${scan.model}`);
    checkModelPolicy(exchange.snapshot.managed, identity, route.model);
    exchange.route = route;
    if (exchange.endpoint.kind === "count_tokens") return;
    checkRunaway(services.runaway, identity.principal.organizationId, exchange.sessionId);
    const tokens = CostForecaster.estimateInputTokens(required(exchange.body, "body").length);
    services.rate.takeTokens(required(exchange.ticket, "ticket"), tokens, services.clock.monotonicMs());
    reserve(exchange, services, route);
  },
};

/** Reserves on every counter of the path and writes the open record; what was taken is given back by the settle stage. */
function reserve(exchange: Exchange, services: GatewayServices, route: Route): void {
  const { principal, organization } = required(exchange.identity, "identity");
  const scan = required(exchange.scan, "scan");
  const bytes = required(exchange.body, "body").length;
  const now = services.windowClock.nowMs();
  const path = budgetPath(exchange, services);
  const size: RequestSize = {
    keyId: principal.keyId,
    model: route.model,
    bodyBytes: bytes,
    maxTokens: scan.maxTokens,
    longCacheWrites: scan.longCacheWrites,
    fast: scan.fast,
    inferenceGeo: scan.inferenceGeo,
  };
  const forecasts = route.targets.map((target) => services.forecaster.forecast(size, target.price));
  const reserved = services.budgets.reserve(path, organization.timeZone, dearest(forecasts), now);
  if (isRefusal(reserved)) throw budgetRefusal(reserved, now, exchange.snapshot.blockedMessage);
  exchange.reservation = reserved;
  const fullest = services.budgets.fullest(path, organization.timeZone, now);
  if (fullest !== null) exchange.budgetHeaders = budgetHeaders(fullest, false);
  const admitted: AdmittedExchange = {
    exchangeId: exchange.id,
    organizationId: principal.organizationId,
    teamId: principal.teamId,
    userId: principal.userId,
    keyId: principal.keyId,
    userType: principal.userType,
    sessionId: exchange.sessionId,
    agentId: exchange.header("x-claude-code-agent-id"),
    parentAgentId: exchange.header("x-claude-code-parent-agent-id"),
    tag: exchange.tag,
    endpoint: exchange.endpoint.name,
    clientFormat: exchange.endpoint.wire ?? "anthropic",
    modelAsked: scan.model,
    modelServed: route.model,
    stream: scan.stream,
    reservedMicroUsd: reserved.amount,
    priceVersion: exchange.snapshot.prices.version,
    audited: exchange.snapshot.auditExchanges ? auditedRequest(exchange) : undefined,
    admittedAtMs: now,
  };
  if (!services.journal.open({ ...admitted, estimatedInputTokens: CostForecaster.estimateInputTokens(bytes) })) {
    throw new WeirError(
      "weir:server:journal_full",
      "Weir cannot record usage at the moment and therefore takes no new requests.",
      { retryAfterSeconds: 10 },
    );
  }
  exchange.admitted = admitted;
}

/** Who asked from where, and with what: a digest, never the content. */
function auditedRequest(exchange: Exchange): AuditedRequest {
  const body = exchange.clientBody ?? required(exchange.body, "body");
  return { address: exchange.clientAddress, sha256: hash("sha256", body, "hex") };
}

/** What the exchange may cost wherever it ends up: the first target may fail and the next be dearer. */
function dearest(forecasts: readonly CostForecast[]): CostForecast {
  let [expected, worst] = [0, 0];
  for (const forecast of forecasts) {
    expected = Math.max(expected, forecast.expected);
    worst = Math.max(worst, forecast.worst);
  }
  return { expected, worst };
}

/** The subjects that pay for an exchange, from the organisation down, and the project that it names. */
function budgetPath(exchange: Exchange, { tags }: GatewayServices): readonly BudgetSubject[] {
  const identity = required(exchange.identity, "identity");
  exchange.tag = tags.of(identity.principal.keyId, exchange.request.headers);
  return exchange.tag === null ? identity.path : tags.path(identity, exchange.tag);
}
