import { WeirError } from "../../core/weir-error.ts";

const MAX_PAGE = 1_000;

/** The query of a path as clients write it: names with brackets may come several times. */
export function queryOf(path: string): URLSearchParams {
  const at = path.indexOf("?");
  return new URLSearchParams(at < 0 ? "" : path.slice(at + 1));
}

/** `limit`, 1 to 1000. Throws WeirError 400. */
export function limitParameter(query: URLSearchParams, fallback: number): number {
  const text = query.get("limit");
  if (text === null) return fallback;
  const limit = /^\d{1,4}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= MAX_PAGE) return limit;
  throw badRequest("limit: must be between 1 and 1000");
}

/** One of some words, or null where the parameter is absent. Throws WeirError 400. */
export function wordParameter<T extends string>(query: URLSearchParams, name: string, words: readonly T[]): T | null {
  const text = query.get(name);
  if (text === null) return null;
  const word = words.find((known) => known === text);
  if (word === undefined) throw badRequest(`${name}: must be one of ${words.join(", ")}`);
  return word;
}

/** A refusal of what was sent: 400 `invalid_request_error`. */
export function badRequest(message: string): WeirError {
  return new WeirError("weir:request:invalid_field", message);
}
