import type { Config } from "./schema.ts";

const MINUTE_MS = 60_000;

/** How long Weir waits for upstreams while it serves one class of requests. */
export interface AttemptTimeouts {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

/** The timeouts in effect, with those filled in that follow from others. */
export function attemptTimeouts(timeouts: Config["timeouts"]): {
  interactive: AttemptTimeouts;
  batch: AttemptTimeouts;
} {
  const { upstream_connect_ms: connectMs, upstream_idle_ms: idleMs, upstream_ttfb_ms: firstByteMs, batch } = timeouts;
  const totalMs = timeouts.upstream_total_ms ?? Math.max(10 * MINUTE_MS, firstByteMs);
  const batchFirstByteMs = batch.upstream_ttfb_ms ?? Math.max(10 * MINUTE_MS, firstByteMs);
  const batchTotalMs = batch.upstream_total_ms ?? Math.max(30 * MINUTE_MS, totalMs, batchFirstByteMs);
  return {
    interactive: { connectMs, firstByteMs, idleMs, totalMs },
    batch: { connectMs, firstByteMs: batchFirstByteMs, idleMs, totalMs: batchTotalMs },
  };
}
