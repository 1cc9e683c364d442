/** A session shorter than this has no rate worth comparing: one answer would look like a fire. */
const SHORTEST_MS = 5 * 60_000;
const HOUR_MS = 3_600_000;

/**
 * How fast a session spends, in micro-dollars an hour, over the time between its first request and its last answer, and at
 * least over five minutes.
 */
export function burnRate(session: { costMicroUsd: number; firstAtMs: number; lastAtMs: number }): number {
  const spanMs = Math.max(SHORTEST_MS, session.lastAtMs - session.firstAtMs);
  return Math.round((session.costMicroUsd * HOUR_MS) / spanMs);
}
