import { randomUUID } from "node:crypto";
import type { Clock } from "../../core/clock.ts";
import { decideAnswer, type EngineContext } from "./answer-engine.ts";
import { ApiError, errorEnvelope, invalid } from "./api-error.ts";
import {
  batchJson,
  BatchStore,
  readBatchItems,
  resultLines,
  type Batch,
  type BatchItem,
  type BatchResult,
} from "./batch-store.ts";
import { sendBody, sendJson, versionOf, type Call } from "./call.ts";
import { readConversation } from "./conversation.ts";
import { readDirective } from "./directive.ts";
import { statusError } from "./fault-rules.ts";
import { messageJson } from "./message-json.ts";
import { pageOf } from "./page.ts";
import { parseMessageRequest } from "./parse-message-request.ts";
import { parseJson } from "./read-body.ts";
import { stableId } from "./seeded-random.ts";

/** A batch is worked off in at most so many steps, spread evenly over its duration. */
const MAX_STEPS = 20;

export interface BatchesOptions {
  /** From creation to the end of a batch, milliseconds. */
  readonly durationMs: number;
  readonly clock: Clock;
  /** Where the sandbox is reached, for `results_url`. */
  readonly baseUrl: () => string;
}

/** /v1/messages/batches and all below it. Requests are answered in the background by the same engine as direct ones. */
export class BatchesEndpoint {
  readonly #engine: EngineContext;
  readonly #options: BatchesOptions;
  readonly #store = new BatchStore();
  readonly #timers = new Set<NodeJS.Timeout>();
  #created = 0;
  /** Ids must not come again after a restart: whoever kept one would meet another's batch. */
  readonly #start = randomUUID();

  constructor(engine: EngineContext, options: BatchesOptions) {
    this.#engine = engine;
    this.#options = options;
  }

  create(call: Call): void {
    const items = readBatchItems(parseJson(call.body));
    const id = stableId("msgbatch_sandbox_", `${this.#start}:${this.#created++}`);
    const batch: Batch = {
      id,
      createdMs: this.#options.clock.nowMs(),
      apiVersion: versionOf(call),
      items,
      cancelledMs: null,
      endedMs: null,
    };
    this.#store.add(batch);
    this.#process(batch);
    this.#send(call, batch);
  }

  list(call: Call): void {
    const batches = this.#store.all.map((batch) => batchJson(batch, this.#options.baseUrl()));
    sendJson(call, pageOf(batches, call.query));
  }

  retrieve(call: Call): void {
    this.#send(call, this.#find(call));
  }

  cancel(call: Call): void {
    const batch = this.#find(call);
    if (batch.endedMs !== null) throw invalid(`Message Batch ${batch.id} has already ended and cannot be canceled`);
    batch.cancelledMs ??= this.#options.clock.nowMs();
    this.#send(call, batch);
  }

  remove(call: Call): void {
    const batch = this.#find(call);
    if (batch.endedMs === null)
      throw invalid(`Message Batch ${batch.id} is still being processed; cancel it before deleting it`);
    this.#store.remove(batch.id);
    sendJson(call, { id: batch.id, type: "message_batch_deleted" });
  }

  results(call: Call): void {
    const batch = this.#find(call);
    if (batch.endedMs === null) throw new ApiError(404, `Message Batch ${batch.id} has no available results`);
    sendBody(call, resultLines(batch), { "content-type": "application/x-jsonl" });
  }

  /** Stops all background work; batches under way stay unfinished. */
  stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #find(call: Call): Batch {
    return this.#store.get(call.params[0] ?? "");
  }

  #send(call: Call, batch: Batch): void {
    sendJson(call, batchJson(batch, this.#options.baseUrl()));
  }

  #process(batch: Batch): void {
    const steps = Math.min(MAX_STEPS, batch.items.length);
    const step = (number: number): void => {
      const timer = setTimeout(() => {
        this.#timers.delete(timer);
        const upTo = Math.ceil((batch.items.length * number) / steps);
        for (const item of batch.items.slice(0, upTo)) item.result ??= this.#answer(batch, item);
        if (number < steps && batch.cancelledMs === null) step(number + 1);
        else this.#end(batch);
      }, this.#options.durationMs / steps);
      this.#timers.add(timer);
    };
    step(1);
  }

  #end(batch: Batch): void {
    for (const item of batch.items) item.result ??= { type: "canceled" };
    batch.endedMs = this.#options.clock.nowMs();
  }

  #answer(batch: Batch, item: BatchItem): BatchResult {
    if (batch.cancelledMs !== null) return { type: "canceled" };
    const nowMs = this.#options.clock.monotonicMs();
    try {
      const request = parseMessageRequest(item.params, { needsMaxTokens: true, apiVersion: batch.apiVersion });
      const directive = readDirective(readConversation(request).lastText, request.model);
      if (directive?.fault?.kind === "status") throw statusError(directive.fault.status, request.model);
      const decided = decideAnswer(request, this.#engine, { nowMs, betas: "", directive, serviceTier: "batch" });
      this.#engine.cache.commit(decided.cacheUse, nowMs);
      return { type: "succeeded", message: messageJson(decided.answer) };
    } catch (error) {
      const shown = error instanceof ApiError ? error : new ApiError(500, "Internal server error");
      return { type: "errored", error: errorEnvelope(shown, null) };
    }
  }
}
