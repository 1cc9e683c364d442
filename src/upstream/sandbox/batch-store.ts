import { ApiError, invalid } from "./api-error.ts";
import { isObject, textOf } from "./json-value.ts";
import type { Listed } from "./page.ts";

/** The outcome of one request of a batch, as the results file has it. */
export type BatchResult =
  | { readonly type: "succeeded"; readonly message: object }
  | { readonly type: "errored"; readonly error: object }
  | { readonly type: "canceled" };

export interface BatchItem {
  readonly customId: string;
  readonly params: unknown;
  result: BatchResult | null;
}

/** One message batch. Times are milliseconds since the epoch. */
export interface Batch {
  readonly id: string;
  readonly createdMs: number;
  /** The `anthropic-version` under which it was created. */
  readonly apiVersion: string;
  readonly items: readonly BatchItem[];
  cancelledMs: number | null;
  endedMs: number | null;
}

const MAX_REQUESTS = 100_000;
const MAX_KEPT_BATCHES = 200;
const EXPIRES_AFTER_MS = 86_400_000;
const CUSTOM_ID = /^[a-zA-Z0-9_-]{1,64}$/;

/** The batches of a sandbox, newest first, in memory. The oldest ended one is dropped when there are too many. */
export class BatchStore {
  #batches: readonly Batch[] = [];

  get all(): readonly Batch[] {
    return this.#batches;
  }

  /** The batch with this id. Throws a 404 ApiError. */
  get(id: string): Batch {
    const batch = this.#batches.find((candidate) => candidate.id === id);
    if (batch === undefined) throw new ApiError(404, `Message Batch ${id} not found`);
    return batch;
  }

  add(batch: Batch): void {
    const kept = [batch, ...this.#batches];
    const dropped =
      kept.length > MAX_KEPT_BATCHES ? kept.findLast((candidate) => candidate.endedMs !== null) : undefined;
    this.#batches = kept.filter((candidate) => candidate !== dropped);
  }

  remove(id: string): void {
    this.#batches = this.#batches.filter((batch) => batch.id !== id);
  }
}

/** The items of a create request. Their `params` are checked only when they are processed, as the API does. */
export function readBatchItems(body: unknown): readonly BatchItem[] {
  const requests = isObject(body) ? body["requests"] : undefined;
  if (requests === undefined) throw invalid("requests: Field required");
  if (!Array.isArray(requests)) throw invalid("requests: Input should be a valid list");
  if (requests.length === 0) throw invalid("requests: List should have at least 1 item after validation, not 0");
  if (requests.length > MAX_REQUESTS) {
    throw invalid(`requests: List should have at most ${MAX_REQUESTS} items after validation, not ${requests.length}`);
  }
  const seen = new Set<string>();
  return requests.map((entry: unknown, index) => {
    if (!isObject(entry)) throw invalid(`requests.${index}: Input should be a valid dictionary`);
    if (entry["custom_id"] === undefined) throw invalid(`requests.${index}.custom_id: Field required`);
    const customId = textOf(entry, "custom_id");
    if (!CUSTOM_ID.test(customId)) {
      throw invalid(`requests.${index}.custom_id: String should match pattern '^[a-zA-Z0-9_-]{1,64}$'`);
    }
    if (seen.has(customId)) throw invalid(`requests.${index}.custom_id: Duplicate custom_id: ${customId}`);
    seen.add(customId);
    if (entry["params"] === undefined) throw invalid(`requests.${index}.params: Field required`);
    return { customId, params: entry["params"], result: null };
  });
}

/** The batch as the API shows it. While it runs all its requests count as processing, as the API reports them. */
export function batchJson(batch: Batch, baseUrl: string): Listed {
  const running = batch.cancelledMs === null ? "in_progress" : "canceling";
  return {
    id: batch.id,
    type: "message_batch",
    processing_status: batch.endedMs === null ? running : "ended",
    request_counts: requestCounts(batch),
    created_at: new Date(batch.createdMs).toISOString(),
    expires_at: new Date(batch.createdMs + EXPIRES_AFTER_MS).toISOString(),
    ended_at: isoOrNull(batch.endedMs),
    cancel_initiated_at: isoOrNull(batch.cancelledMs),
    archived_at: null,
    results_url: batch.endedMs === null ? null : `${baseUrl}/v1/messages/batches/${batch.id}/results`,
  };
}

/** The results file: one JSON object a line. */
export function resultLines(batch: Batch): string {
  return batch.items.map((item) => `${JSON.stringify({ custom_id: item.customId, result: item.result })}\n`).join("");
}

function requestCounts(batch: Batch): object {
  const counts = { processing: 0, succeeded: 0, errored: 0, canceled: 0, expired: 0 };
  if (batch.endedMs === null) return { ...counts, processing: batch.items.length };
  for (const item of batch.items) counts[item.result?.type ?? "canceled"] += 1;
  return counts;
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
