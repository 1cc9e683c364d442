import type { Price } from "../ledger/prices/price-book.ts";

/**
 * One place that can serve a model, as routing sees it. Immutable, and one object for the life of a configuration: the router
 * keeps what it works out about a list of targets by the list's identity.
 */
export interface RouteTarget {
  /** What health, affinity and metrics know it by; see `targetKey`. */
  readonly key: string;
  readonly upstream: string;
  /** The model's id there. */
  readonly upstreamModel: string;
  readonly cloud: string | null;
  readonly region: string | null;
  /** Relative to the other targets; 0 means only when nothing else is left. */
  readonly weight: number;
  /** Requests that its upstream may have at once, of all models; no limit unless set. */
  readonly maxConcurrent?: number | null;
  readonly price: Price;
  /**
   * How it caches prompts: `explicit` where cache_control says so, `implicit` without being asked (all input stays warm),
   * `none` not at all.
   */
  readonly promptCache: "explicit" | "implicit" | "none";
}

/**
 * The key of a model at an upstream. Take the model's listed name and not what the client spelt, or a client could make up
 * targets. Upstream names contain no slash.
 */
export function targetKey(upstream: string, model: string): string {
  return `${upstream}/${model}`;
}
