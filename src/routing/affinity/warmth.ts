import type { Usage } from "../../message/usage.ts";
import type { RouteTarget } from "../target.ts";
import type { CacheLife, WarmCache } from "./session-table.ts";

const HOUR_MS = 3_600_000;

/**
 * The prompt cache that an answer leaves behind, by the usage that it reported; null when it leaves none. Read and written
 * tokens are warm now. Input that was neither read nor written is not in any cache, except where the target caches without being
 * told. A cache that was written for an hour stays one as long as it is only read; any other is warm for `ttlMs` since its last use.
 */
export function warmthAfter(
  usage: Usage,
  target: RouteTarget,
  before: WarmCache | null,
  { nowMs, ttlMs }: { nowMs: number; ttlMs: number },
): WarmCache | null {
  if (target.promptCache === "none") return null;
  const implicit = target.promptCache === "implicit" ? usage.inputTokens : 0;
  const written = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  const tokens = usage.cacheReadTokens + written + implicit;
  if (tokens === 0) return null;
  const wasHour = before !== null && before.targetKey === target.key && before.life === "1h";
  const life: CacheLife = usage.cacheWrite1hTokens > 0 || (wasHour && usage.cacheReadTokens > 0) ? "1h" : "5m";
  return {
    targetKey: target.key,
    tokens,
    life,
    expiresAtMs: nowMs + (life === "1h" ? Math.max(HOUR_MS, ttlMs) : ttlMs),
  };
}
