import { WeirError } from "../../core/weir-error.ts";
import type { ObjectKind } from "./operation.ts";

/** Which page of the caller's objects is asked for. */
export interface ListQuery {
  readonly limit: number;
  readonly afterId: string | null;
  readonly beforeId: string | null;
  /** Files only: these and no others, on one page. */
  readonly ids: readonly string[] | null;
  /** The rest of the query, with its question mark, for the requests to the upstream. */
  readonly rest: string;
}

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 1_000;
const MAX_IDS = 100;

/** Reads the query of a list. Throws WeirError naming the parameter. */
export function readListQuery(kind: ObjectKind, path: string): ListQuery {
  const at = path.indexOf("?");
  const query = new URLSearchParams(at < 0 ? "" : path.slice(at));
  const take = (name: string): string | null => {
    const value = query.get(name);
    query.delete(name);
    return value === "" ? null : value;
  };
  const limit = readLimit(take("limit"));
  const afterId = take("after_id");
  const beforeId = take("before_id");
  if (kind === "batch") return { limit, afterId, beforeId, ids: null, rest: questionMarked(query) };
  const page = take("page");
  const ids = readIds(query);
  if (query.has("scope_id")) throw invalid("scope_id is not served by Weir: it lists files by their owner alone");
  return { limit, afterId: afterId ?? page, beforeId, ids, rest: questionMarked(query) };
}

function readLimit(text: string | null): number {
  if (text === null) return DEFAULT_LIMIT;
  const limit = Number(text);
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_LIMIT) {
    throw invalid(`limit must be a whole number from 1 to ${MAX_LIMIT}`);
  }
  return limit;
}

function readIds(query: URLSearchParams): readonly string[] | null {
  const ids = new Set([...query.getAll("ids"), ...query.getAll("ids[]")]);
  query.delete("ids");
  query.delete("ids[]");
  if (ids.size > MAX_IDS) throw invalid(`ids must be at most ${MAX_IDS}`);
  return ids.size === 0 ? null : [...ids];
}

function questionMarked(query: URLSearchParams): string {
  return query.size === 0 ? "" : `?${query.toString()}`;
}

function invalid(message: string): WeirError {
  return new WeirError("weir:request:invalid_field", message);
}
