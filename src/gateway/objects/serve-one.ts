import { WeirError } from "../../core/weir-error.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { batchForCaller, clientSignal, hasEnded, sendWhole, streamAnswer } from "./answer-client.ts";
import { askUpstream, readWhole } from "./ask-upstream.ts";
import { batchMeterOf } from "./batch-meter.ts";
import { queryOf } from "./create-object.ts";
import { parseJsonObject } from "./json-object.ts";
import { callerHeaders, followUpHeaders } from "./object-headers.ts";
import { upstreamNamed } from "./object-upstreams.ts";
import { upstreamPathOf, type Operation } from "./operation.ts";
import { findOwned, ownerOf } from "./ownership.ts";

type OperationOnOne = Extract<Operation, { id: string }>;

/** An operation on one of the caller's own objects, asked of the upstream that holds it. */
export async function serveOne(
  exchange: Exchange,
  services: GatewayServices,
  operation: OperationOnOne,
): Promise<void> {
  const owner = ownerOf(required(exchange.identity, "identity"));
  const object = await findOwned(services.objects, owner, operation);
  const upstream = upstreamNamed(exchange.snapshot.routes, object.target);
  if (upstream === null) {
    const message = `The upstream ${object.target}, which holds this ${object.kind}, is not configured any more.`;
    throw new WeirError("weir:upstream:no_target", message);
  }
  if (operation.action === "results" || operation.action === "content") {
    await download(exchange, services, { operation, object, upstream });
  } else if (operation.action === "delete") {
    await remove(exchange, services, { operation, object, upstream });
  } else {
    await describe(exchange, services, { operation, object, upstream });
  }
}

interface Work {
  readonly operation: OperationOnOne;
  readonly object: OwnedObject;
  readonly upstream: Upstream;
}

function ask(exchange: Exchange, { operation, upstream }: Work): ReturnType<typeof askUpstream> {
  const path = upstreamPathOf(operation) + queryOf(exchange);
  const method = operation.action === "delete" ? "DELETE" : operation.action === "cancel" ? "POST" : "GET";
  const headers = callerHeaders(exchange, upstream);
  // What changes something is seen through, so that what the caller is told later is what happened.
  const signal = method === "GET" ? clientSignal(exchange) : undefined;
  return askUpstream(upstream, { path, method, headers, body: null }, signal);
}

/** Results of a batch and contents of a file: as large as they like, so they are streamed. */
async function download(exchange: Exchange, services: GatewayServices, work: Work): Promise<void> {
  const answer = await ask(exchange, work);
  if (work.object.kind === "batch" && answer.status === 200) meterBatch(exchange, services, work);
  await streamAnswer(exchange, answer);
}

/** What a batch or file is now, also after it was cancelled. */
async function describe(exchange: Exchange, services: GatewayServices, work: Work): Promise<void> {
  const answer = await ask(exchange, work);
  const body = await readWhole(answer);
  const isBatch = work.object.kind === "batch" && answer.status === 200;
  if (isBatch && hasEnded(parseJsonObject(body))) meterBatch(exchange, services, work);
  sendWhole(exchange, answer, isBatch ? batchForCaller(exchange, body) : body);
}

function meterBatch(exchange: Exchange, services: GatewayServices, { object, upstream }: Work): void {
  if (object.settledAtMs === null) batchMeterOf(services).begin(object, followUpHeaders(exchange, upstream));
}

/** Deletes an object upstream and then the record of it. A batch's usage goes into the ledger first: afterwards it is lost. */
async function remove(exchange: Exchange, services: GatewayServices, work: Work): Promise<void> {
  const { object, upstream } = work;
  let metered = true;
  if (object.kind === "batch") {
    const outcome = await batchMeterOf(services).settle(object, followUpHeaders(exchange, upstream));
    if (outcome === "running") {
      const message = `Message Batch ${object.id} is still being processed; cancel it or wait before deleting it`;
      throw new WeirError("weir:request:invalid_field", message);
    }
    metered = outcome === "settled";
  }
  const answer = await ask(exchange, work);
  const body = await readWhole(answer);
  if (answer.status < 300 || (answer.status === 404 && metered)) await forget(exchange, services, object);
  sendWhole(exchange, answer, body);
}

/** The object is gone upstream; a record that stays behind hurts nobody, since lists leave out what is gone. */
async function forget(exchange: Exchange, services: GatewayServices, { kind, id }: OwnedObject): Promise<void> {
  try {
    await services.objects.remove(kind, id);
  } catch (error) {
    services.logger.warn({ request_id: exchange.id, object: id, err: error }, "the record of a deleted object stays");
  }
}
