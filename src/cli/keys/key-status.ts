import type { KeyRecord } from "../../store/ports/directory.ts";
import type { Names } from "../directory/names.ts";

/** Whether a key is valid now. */
export type KeyStatus =
  | { readonly state: "active"; readonly expiresAtMs: number | null }
  | { readonly state: "expired"; readonly atMs: number }
  /** By itself, or because its user or team was revoked; then without a time. */
  | { readonly state: "revoked"; readonly by: "key" | "user" | "team"; readonly atMs: number | null };

/** Judges a key as the gateway does (see KeyRing), the organisation left aside: a revoked one has no valid keys at all. */
export function keyStatus(key: KeyRecord, names: Names, nowMs: number): KeyStatus {
  if (key.revokedAtMs !== null) return { state: "revoked", by: "key", atMs: key.revokedAtMs };
  if (names.user(key.userId)?.status === "revoked") return { state: "revoked", by: "user", atMs: null };
  if (names.teamOfKey(key)?.status === "revoked") return { state: "revoked", by: "team", atMs: null };
  if (key.expiresAtMs !== null && nowMs >= key.expiresAtMs) return { state: "expired", atMs: key.expiresAtMs };
  return { state: "active", expiresAtMs: key.expiresAtMs };
}

/** The status in a few words: `active`, `expires in 12 d`, `expired 3 d ago`, `revoked`, `revoked (user)`. */
export function statusText(status: KeyStatus, nowMs: number): string {
  if (status.state === "expired") return `expired ${spanText(nowMs - status.atMs)} ago`;
  if (status.state === "active") {
    return status.expiresAtMs === null ? "active" : `expires in ${spanText(status.expiresAtMs - nowMs)}`;
  }
  if (status.by !== "key") return `revoked (${status.by})`;
  return status.atMs === null ? "revoked" : `revoked ${spanText(nowMs - status.atMs)} ago`;
}

const STEPS: readonly (readonly [ms: number, unit: string])[] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** A span of time in its largest fitting unit, rounded down: `89 d`, `5 h`, `12 min`, `0 s`. */
function spanText(spanMs: number): string {
  const bounded = Math.max(0, spanMs);
  const [ms, unit] = STEPS.find(([step]) => bounded >= step) ?? [1_000, "s"];
  return `${Math.floor(bounded / ms)} ${unit}`;
}
