import type { Entry, OpenRecord } from "./entry.ts";

/**
 * What a journal written by an earlier Weir means by leaving out a field that it did not know. A field that is added to the
 * records gets its meaning here, and the columns of the ledger the same default.
 */
export const OPEN_DEFAULTS = {
  clientFormat: "anthropic",
  tag: null,
} as const satisfies Partial<OpenRecord>;

export const ENTRY_DEFAULTS = {
  ...OPEN_DEFAULTS,
  targetModel: null,
  routeReason: null,
  cacheMove: null,
  cacheLossMicroUsd: 0,
} as const satisfies Partial<Entry>;
