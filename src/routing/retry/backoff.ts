import type { Random } from "../random.ts";
import type { RetrySettings } from "../settings.ts";

/**
 * Milliseconds before repeat number `retry` (from 0) at the same target: exponential with full jitter (drawn from zero to the
 * bound, so that clients that failed together do not return together), and never before `retryAfterMs`, which is passed by a
 * little for the same reason.
 */
export function backoffMs(retry: number, retryAfterMs: number | null, settings: RetrySettings, random: Random): number {
  const bound = Math.min(settings.maxDelayMs, settings.baseDelayMs * 2 ** Math.min(retry, 30));
  const jitter = random() * bound;
  return retryAfterMs === null ? jitter : retryAfterMs + jitter * 0.25;
}
