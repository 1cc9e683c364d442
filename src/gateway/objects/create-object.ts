import { WeirError } from "../../core/weir-error.ts";
import { StoreError } from "../../store/ports/store-error.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import type { Upstream, UpstreamRequest } from "../../upstream/upstream.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { batchForCaller, sendWhole } from "./answer-client.ts";
import { askUpstream, readWhole } from "./ask-upstream.ts";
import { batchMeterOf } from "./batch-meter.ts";
import { parseJsonObject } from "./json-object.ts";
import { followUpHeaders } from "./object-headers.ts";
import { BASE_PATH, isObjectId, type ObjectKind } from "./operation.ts";
import { ownerOf } from "./ownership.ts";
import { stored, storeUnavailable } from "./store-failure.ts";

/** What is created, where, and from what. */
export interface Creation {
  readonly kind: ObjectKind;
  readonly upstream: Upstream;
  readonly headers: string[];
  readonly body: UpstreamRequest["body"];
}

/**
 * Creates an object upstream and records whose it is before the caller learns of it. Once sent, a creation is seen through
 * even when the client goes away: an object that nobody owns could be neither deleted nor metered. When the record cannot be
 * written, the object is undone as far as it can be, and the answer is 503.
 */
export async function createObject(exchange: Exchange, services: GatewayServices, creation: Creation): Promise<void> {
  const { kind, upstream } = creation;
  await stored(`record who owns a ${kind}`, () => services.objects.get(kind, "probe"));
  const path = BASE_PATH[kind] + queryOf(exchange);
  const { headers, body } = creation;
  const answer = await askUpstream(upstream, { path, method: "POST", headers, body });
  const whole = await readWhole(answer);
  if (answer.status < 300) await record(exchange, services, { ...creation, id: createdId(whole, creation) });
  sendWhole(exchange, answer, kind === "batch" ? batchForCaller(exchange, whole) : whole);
}

/** The query of the caller's request, with its question mark; empty when there is none. */
export function queryOf(exchange: Exchange): string {
  const at = exchange.upstreamPath.indexOf("?");
  return at < 0 ? "" : exchange.upstreamPath.slice(at);
}

interface Created extends Creation {
  readonly id: string;
}

function createdId(answer: Buffer, { kind, upstream }: Creation): string {
  const id = parseJsonObject(answer)?.["id"];
  if (typeof id === "string" && isObjectId(id)) return id;
  throw new WeirError(
    "weir:upstream:failed",
    `${upstream.name} answered without an id for the ${kind} that it created.`,
  );
}

async function record(exchange: Exchange, services: GatewayServices, created: Created): Promise<void> {
  const object: OwnedObject = {
    id: created.id,
    kind: created.kind,
    ...ownerOf(required(exchange.identity, "identity")),
    target: created.upstream.name,
    createdAtMs: services.clock.nowMs(),
    settledAtMs: null,
  };
  let failure = await failureOf(services.objects.add(object));
  // Adding again changes nothing if the first did succeed, and a lost connection is renewed by the next use.
  if (failure !== null && !isTaken(failure)) failure = await failureOf(services.objects.add(object));
  if (failure === null) return;
  if (isTaken(failure)) throw takenId(exchange, services, { created, failure });
  await undo(exchange, services, { created, object, failure });
}

async function failureOf(work: Promise<void>): Promise<Error | null> {
  try {
    await work;
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isTaken(error: Error): boolean {
  return error instanceof StoreError && error.kind === "duplicate";
}

/** The upstream gave an id that is another's: whatever it is, it is not the caller's to see, nor Weir's to undo. */
function takenId(
  exchange: Exchange,
  services: GatewayServices,
  { created, failure }: { created: Created; failure: Error },
): WeirError {
  const { id, kind, upstream } = created;
  services.logger.error(
    { request_id: exchange.id, upstream: upstream.name, object: id, error: failure.message },
    "an upstream gave a new object the id of one that somebody else owns",
  );
  return new WeirError("weir:upstream:failed", `${upstream.name} gave the new ${kind} an id that is taken.`);
}

/** Takes back what nobody will own. A batch may have begun: it is cancelled, and metered from memory once it has ended. */
async function undo(
  exchange: Exchange,
  services: GatewayServices,
  { created, object, failure }: { created: Created; object: OwnedObject; failure: Error },
): Promise<never> {
  const { kind, id, upstream } = created;
  const path = `${BASE_PATH[kind]}/${id}${kind === "batch" ? "/cancel" : ""}`;
  const log = { request_id: exchange.id, upstream: upstream.name, object: id };
  services.logger.error(
    { ...log, error: failure.message },
    "the owner of a new object could not be recorded; it is undone",
  );
  if (kind === "batch") batchMeterOf(services).adopt(object);
  let outcome = kind === "batch" ? "it has been cancelled" : "it has been deleted";
  try {
    const headers = followUpHeaders(exchange, upstream);
    const answer = await askUpstream(upstream, {
      path,
      method: kind === "batch" ? "POST" : "DELETE",
      headers,
      body: null,
    });
    await readWhole(answer);
    if (answer.status >= 300) throw new Error(`${upstream.name} answered ${answer.status}`);
  } catch (error) {
    services.logger.error({ ...log, err: error }, "an object without an owner could not be undone upstream");
    outcome = "it cannot be reached";
  }
  throw storeUnavailable(`Weir could not record who owns the new ${kind}, so ${outcome}; try again.`, failure);
}
