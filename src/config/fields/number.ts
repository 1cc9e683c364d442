import { z } from "zod";

/** A TCP port; 0 lets the system choose a free one. */
export function port(): z.ZodInt {
  return z.int().min(0).max(65_535);
}

/** A duration in whole milliseconds, at most a day. */
export function durationMs(minMs = 1): z.ZodInt {
  return z.int().min(minMs).max(86_400_000);
}

/** A size in bytes. */
export function byteCount(minBytes = 1): z.ZodInt {
  return z.int().min(minBytes).max(Number.MAX_SAFE_INTEGER);
}

/** A probability. */
export function probability(): z.ZodNumber {
  return z.number().min(0).max(1);
}

/** A limit that can be lifted by the word `unlimited`. */
export function limit(): z.ZodUnion<[z.ZodInt, z.ZodLiteral<"unlimited">]> {
  return z.union([z.int().min(1), z.literal("unlimited")], {
    error: "must be a whole number of at least 1, or the word unlimited",
  });
}

/** What a `limit()` says: a number, or null for `unlimited`. */
export function limitOrNull(value: number | "unlimited"): number | null {
  return value === "unlimited" ? null : value;
}
