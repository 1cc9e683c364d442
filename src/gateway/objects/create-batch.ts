import { WeirError } from "../../core/weir-error.ts";
import { required, type Exchange } from "../exchange.ts";
import { readBody } from "../http/body-reader.ts";
import { requireJson } from "../http/require-json.ts";
import type { GatewayServices } from "../services.ts";
import { checkBatchBudget } from "./batch-budget.ts";
import { bodyForUpstream, forecastBatch, planBatch } from "./batch-plan.ts";
import { scanBatch } from "./batch-scan.ts";
import { createObject } from "./create-object.ts";
import { checkFileOwnership } from "./file-references.ts";
import { callerHeaders } from "./object-headers.ts";

/** `POST /v1/messages/batches`: validated, allowed for every model in it, affordable, then passed on and owned. */
export async function createBatch(exchange: Exchange, services: GatewayServices): Promise<void> {
  requireJson(exchange.header("content-type"));
  const { snapshot } = exchange;
  const identity = required(exchange.identity, "identity");
  const body = await readBody(exchange.request, snapshot);
  const requests = await scanBatch(body, { maxDepth: snapshot.maxJsonDepth });
  const { routes, managed } = snapshot;
  const plan = planBatch(requests, { identity, routes, managed, client: exchange });
  const mentionsFiles = requests.some(({ scan }) => scan.mentionsFiles);
  const holder = mentionsFiles ? await checkFileOwnership(body, identity, services.objects) : null;
  if (holder !== null && holder !== plan.upstream.name) {
    throw new WeirError("weir:request:invalid_field", `The files of this batch are at ${holder}, its models are not.`);
  }
  const keyId = identity.principal.keyId;
  checkBatchBudget(
    exchange,
    services,
    forecastBatch(requests, plan, { keyId, forecaster: services.forecaster, routes }),
  );
  if (services.journal.state !== "open") {
    const message = "Weir cannot record usage at the moment and therefore takes no new batches.";
    throw new WeirError("weir:server:journal_full", message, { retryAfterSeconds: 10 });
  }
  const headers = callerHeaders(exchange, plan.upstream);
  if (exchange.header("content-type") === null) headers.push("content-type", "application/json");
  const { upstream } = plan;
  await createObject(exchange, services, {
    kind: "batch",
    upstream,
    headers,
    body: bodyForUpstream(body, requests, plan),
  });
}
