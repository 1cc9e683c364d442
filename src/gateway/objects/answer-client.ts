import { pipeline } from "node:stream/promises";

import type { Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import type { UpstreamAnswer } from "./ask-upstream.ts";
import { callerBaseUrl } from "./caller-address.ts";
import { isJsonObject, parseJsonObject, type JsonObject } from "./json-object.ts";
import { answerHeaders } from "./object-headers.ts";
import { BASE_PATH } from "./operation.ts";

/** Aborted when the client goes away. */
export function clientSignal(exchange: Exchange): AbortSignal {
  const controller = new AbortController();
  if (exchange.clientGone) controller.abort(new ClientGone());
  exchange.onClientGone = () => controller.abort(new ClientGone());
  return controller.signal;
}

/** Passes an answer on as it comes, no faster than the client reads. A cut answer is cut for the client too. */
export async function streamAnswer(exchange: Exchange, answer: UpstreamAnswer): Promise<void> {
  const headers = answerHeaders(exchange, answer.upstream, answer.headers);
  const length = answer.headers["content-length"];
  if (length !== undefined) headers["content-length"] = length;
  exchange.response.writeHead(answer.status, headers);
  exchange.response.flushHeaders();
  await pipeline(answer.body, exchange.response);
}

/** Answers with a body that was read whole. */
export function sendWhole(exchange: Exchange, answer: UpstreamAnswer, body: Buffer): void {
  if (exchange.response.destroyed) return;
  const headers = answerHeaders(exchange, answer.upstream, answer.headers);
  headers["content-length"] = String(body.length);
  // What follows on the connection of an upload that was answered early is the rest of that upload.
  if (!exchange.request.complete) headers["connection"] = "close";
  exchange.response.writeHead(answer.status, headers);
  exchange.response.end(body);
}

/** A batch's description for the caller: its bytes as they came, unless it links to its results. */
export function batchForCaller(exchange: Exchange, body: Buffer): Buffer {
  const batch = parseJsonObject(body);
  if (batch === null || typeof batch["results_url"] !== "string") return body;
  return Buffer.from(JSON.stringify(withOwnLinks(exchange, batch)));
}

/** The same object with links that lead to Weir instead of the upstream. */
export function withOwnLinks(exchange: Exchange, object: JsonObject): JsonObject {
  if (typeof object["results_url"] !== "string" || typeof object["id"] !== "string") return object;
  return { ...object, results_url: `${callerBaseUrl(exchange)}${BASE_PATH.batch}/${object["id"]}/results` };
}

/** Whether a batch's description says that its results are there. */
export function hasEnded(batch: unknown): boolean {
  return isJsonObject(batch) && batch["processing_status"] === "ended";
}
