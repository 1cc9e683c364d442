import { invalid } from "./api-error.ts";
import type { JsonObject } from "./json-value.ts";

/** The JSON of something that has an id and can be listed. */
export type Listed = JsonObject & { readonly id: string };

/** One page of a list, as the list endpoints of the Messages API return it. */
export interface Page<T> {
  readonly data: readonly T[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;

/** The page of `items` that `limit`, `after_id` and `before_id` ask for. Throws a 400 ApiError for a bad limit. */
export function pageOf<T extends { readonly id: string }>(items: readonly T[], queryText: string): Page<T> {
  const query = new URLSearchParams(queryText);
  const limit = readLimit(query);
  const after = indexOf(items, query.get("after_id"));
  const before = indexOf(items, query.get("before_id"));
  const start = before === null ? (after ?? -1) + 1 : Math.max(0, before - limit);
  const end = before ?? start + limit;
  const data = items.slice(start, end);
  return {
    data,
    has_more: before === null ? end < items.length : start > 0,
    first_id: data[0]?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
  };
}

function readLimit(query: URLSearchParams): number {
  const written = query.get("limit");
  if (written === null) return DEFAULT_LIMIT;
  const limit = Number(written);
  if (!Number.isInteger(limit)) throw invalid("limit: Input should be a valid integer");
  if (limit < 1) throw invalid("limit: Input should be greater than or equal to 1");
  if (limit > MAX_LIMIT) throw invalid(`limit: Input should be less than or equal to ${MAX_LIMIT}`);
  return limit;
}

function indexOf(items: readonly { readonly id: string }[], id: string | null): number | null {
  if (id === null) return null;
  const at = items.findIndex((item) => item.id === id);
  if (at < 0) throw invalid(`Invalid cursor: ${id}`);
  return at;
}
