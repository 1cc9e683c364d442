import { WeirError } from "../../core/weir-error.ts";
import { isRefusal, type BudgetSubject, type CostForecast } from "../../ledger/budgets/budget-book.ts";
import { CostForecaster, type RequestSize } from "../../ledger/budgets/cost-forecaster.ts";
import { checkAccess } from "../../policy/access/access-policy.ts";
import { budgetHeaders, budgetRefusal } from "../../policy/budget/budget-answer.ts";
import type { AdmittedExchange } from "../../message/entry.ts";
import type { Route } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import type { GatewayServices } from "../services.ts";
import type { Stage } from "./stage.ts";

export const admit: Stage = {
  name: "admit",
  summary: "Policies in order: access, rate, budget; then the open record",
  run(exchange, services) {
    const identity = required(exchange.identity, "identity");
    const scan = required(exchange.scan, "scan");
    checkAccess(identity.key, { endpoint: exchange.endpoint.name, model: scan.model, client: exchange });
    const route = exchange.snapshot.routes.resolve(scan.model);
    if (route === null) throw new WeirError("weir:model:unknown", `model: ${scan.model}`);
    exchange.route = route;
    if (exchange.endpoint.kind === "count_tokens") return undefined;
    const waiting = enterRate(exchange, services);
    if (waiting !== undefined) return waiting.then(() => reserve(exchange, services, route));
    reserve(exchange, services, route);
    return undefined;
  },
};

/** Takes a place under the rate limits; a promise when it has to wait for one. */
function enterRate(exchange: Exchange, services: GatewayServices): void | Promise<void> {
  const entered = services.rate.enter(
    {
      subjects: exchange.snapshot.limits.subjects(required(exchange.identity, "identity")),
      estimatedTokens: CostForecaster.estimateInputTokens(required(exchange.body, "body").length),
      queue: exchange.snapshot.queue,
    },
    services.clock.monotonicMs(),
  );
  if (!("cancel" in entered)) {
    exchange.ticket = entered;
    return undefined;
  }
  exchange.onClientGone = () => entered.cancel(new ClientGone());
  return entered.ticket.then((ticket) => {
    exchange.onClientGone = null;
    exchange.ticket = ticket;
  });
}

/** Reserves on every counter of the path and writes the open record; what was taken is given back by the settle stage. */
function reserve(exchange: Exchange, services: GatewayServices, route: Route): void {
  const { principal, organization } = required(exchange.identity, "identity");
  const scan = required(exchange.scan, "scan");
  const bytes = required(exchange.body, "body").length;
  const now = services.windowClock.nowMs();
  const path = budgetPath(exchange);
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
  if (isRefusal(reserved)) throw budgetRefusal(reserved, now);
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
    endpoint: exchange.endpoint.name,
    clientFormat: exchange.endpoint.wire ?? "anthropic",
    modelAsked: scan.model,
    modelServed: route.model,
    stream: scan.stream,
    reservedMicroUsd: reserved.amount,
    priceVersion: exchange.snapshot.prices.version,
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

/** What the exchange may cost wherever it ends up: the first target may fail and the next be dearer. */
function dearest(forecasts: readonly CostForecast[]): CostForecast {
  let [expected, worst] = [0, 0];
  for (const forecast of forecasts) {
    expected = Math.max(expected, forecast.expected);
    worst = Math.max(worst, forecast.worst);
  }
  return { expected, worst };
}

/** The subjects that pay for an exchange, from the organisation down. */
function budgetPath(exchange: Exchange): readonly BudgetSubject[] {
  return required(exchange.identity, "identity").path;
}
