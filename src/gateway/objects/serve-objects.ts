import { WeirError } from "../../core/weir-error.ts";
import { checkAccess } from "../../policy/access/access-policy.ts";
import type { RateTicket } from "../../policy/rate/rate-policy.ts";
import { required, type Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import { discardBody } from "../http/discard-body.ts";
import { publicError, sendError } from "../http/error-response.ts";
import type { GatewayServices } from "../services.ts";
import { identify } from "../stages/identify.ts";
import { receive } from "../stages/receive.ts";
import { createBatch } from "./create-batch.ts";
import { listObjects } from "./list-objects.ts";
import { observeObjects } from "./observe.ts";
import { readOperation, type Operation } from "./operation.ts";
import { serveOne } from "./serve-one.ts";
import { uploadFile } from "./upload-file.ts";

/**
 * Message Batches and Files: passed through, but a caller sees only their own. `rest` is what follows the endpoint's path.
 * Every call counts as one request under the rate limits and holds its place until it is answered. Never rejects: what goes
 * wrong is answered here.
 */
export async function serveObjects(exchange: Exchange, rest: string, services: GatewayServices): Promise<void> {
  services.metrics.begun();
  let failure: unknown = null;
  try {
    await receive.run(exchange, services);
    await identify.run(exchange, services);
    const { key } = required(exchange.identity, "identity");
    checkAccess(key, { endpoint: exchange.endpoint.name, model: null, client: exchange });
    const kind = exchange.endpoint.name === "batches" ? "batch" : "file";
    const operation = readOperation(kind, exchange.request.method ?? "", rest);
    exchange.ticket = await enterRate(exchange, services);
    await perform(exchange, services, operation);
  } catch (error) {
    failure = error;
    answerFailure(exchange, services, error);
  }
  if (exchange.ticket !== null) services.rate.leave(exchange.ticket, 0);
  exchange.onClientGone = null;
  observeObjects(exchange, services, failure);
  services.metrics.ended();
}

async function perform(exchange: Exchange, services: GatewayServices, operation: Operation): Promise<void> {
  if (operation.action === "create") {
    await (operation.kind === "batch" ? createBatch(exchange, services) : uploadFile(exchange, services));
    return;
  }
  await discardBody(exchange.request);
  if ("id" in operation) await serveOne(exchange, services, operation);
  else await listObjects(exchange, services, operation.kind);
}

/** A place under the caller's rate limits, waited for if need be. */
async function enterRate(exchange: Exchange, services: GatewayServices): Promise<RateTicket> {
  const entered = services.rate.enter(
    {
      subjects: exchange.snapshot.limits.subjects(required(exchange.identity, "identity")),
      estimatedTokens: 0,
      queue: exchange.snapshot.queue,
    },
    services.clock.monotonicMs(),
  );
  if (!("cancel" in entered)) return entered;
  exchange.onClientGone = () => entered.cancel(new ClientGone());
  const ticket = await entered.ticket;
  exchange.onClientGone = null;
  return ticket;
}

function answerFailure(exchange: Exchange, services: GatewayServices, error: unknown): void {
  if (error instanceof ClientGone || (exchange.clientGone && !(error instanceof WeirError))) return;
  const refusal = publicError(error);
  if (refusal.code === "weir:server:internal") {
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    services.logger.error({ request_id: exchange.id, error: detail }, "internal error");
  }
  exchange.refusal = refusal;
  sendError(exchange, refusal);
}
