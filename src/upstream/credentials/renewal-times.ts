import type { Issued } from "./issuer.ts";

/** A value is renewed when this part of its life is over, or a little later. */
const RENEW_AT_SHARE = 0.75;
/** Over which part of its life renewals are spread, so that replicas do not ask all at once. */
const RENEW_SPREAD_SHARE = 0.05;
/** Least time between a renewal and the end of the value, unless that is more than half of its life. */
const MIN_LEAD_MS = 5 * 60_000;
/** A value that lives hardly at all must not make a busy loop. */
const MIN_DELAY_MS = 1_000;

const RETRY_BASE_MS = 1_000;
const RETRY_MAX_MS = 60_000;
const RETRY_MIN_MS = 200;

/** How long after it was obtained a value is to be renewed; null for never. */
export function renewDelayMs(issued: Issued<unknown>, nowMs: number, random: () => number): number | null {
  if (issued.renewAfterMs !== undefined) return Math.max(issued.renewAfterMs, MIN_DELAY_MS);
  if (issued.expiresAtMs === null) return null;
  const lifeMs = issued.expiresAtMs - nowMs;
  const share = RENEW_AT_SHARE + RENEW_SPREAD_SHARE * random();
  const leadMs = Math.max(lifeMs * (1 - share), Math.min(MIN_LEAD_MS, lifeMs / 2));
  return Math.max(Math.round(lifeMs - leadMs), MIN_DELAY_MS);
}

/** How long to wait after the `failures`-th failure in a row: a random part of a limit that doubles from 1 s to 60 s. */
export function retryDelayMs(failures: number, random: () => number): number {
  const longestMs = Math.min(RETRY_BASE_MS * 2 ** (failures - 1), RETRY_MAX_MS);
  return Math.max(Math.round(longestMs * random()), RETRY_MIN_MS);
}
