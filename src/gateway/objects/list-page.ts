import type { JsonObject } from "./json-object.ts";
import type { ListQuery } from "./list-query.ts";
import { mapBounded } from "./map-bounded.ts";

/** One page of what a caller owns, in the order of creation, newest first. */
export interface ListPage {
  readonly data: readonly JsonObject[];
  readonly hasMore: boolean;
}

/** Where a page is made from. */
export interface ListSource<T extends { readonly id: string }> {
  /** At most `limit` ownership records, newest first, beyond the cursors. */
  readonly records: (query: {
    limit: number;
    afterId: string | null;
    beforeId: string | null;
  }) => Promise<readonly T[]>;
  /** The object as the upstream has it now; null when it has it no more. */
  readonly state: (record: T) => Promise<JsonObject | null>;
}

/** Requests to upstreams that one list may have under way. */
export const LIST_CONCURRENCY = 8;

/**
 * A page of objects that still exist. One more than asked for is looked at, so that `hasMore` is true exactly when another
 * existing object follows; those that are gone are passed over and made up for.
 */
export async function livePage<T extends { readonly id: string }>(
  query: Pick<ListQuery, "limit" | "afterId" | "beforeId">,
  source: ListSource<T>,
): Promise<ListPage> {
  const { limit } = query;
  let { afterId, beforeId } = query;
  const backwards = beforeId !== null && afterId === null;
  let live: JsonObject[] = [];
  for (;;) {
    const wanted = limit + 1 - live.length;
    const records = await source.records({ limit: wanted, afterId, beforeId });
    const states = await mapBounded(records, LIST_CONCURRENCY, (record) => source.state(record));
    const present = states.filter((state) => state !== null);
    live = backwards ? [...present, ...live] : [...live, ...present];
    if (live.length > limit || records.length < wanted) break;
    if (backwards) beforeId = records[0]?.id ?? null;
    else afterId = records.at(-1)?.id ?? null;
  }
  return { data: backwards ? live.slice(-limit) : live.slice(0, limit), hasMore: live.length > limit };
}
