import type { IdGenerator } from "../../core/id.ts";
import { hintOfSecret, type KeyHasher, newKeySecret } from "../../identity/key-secret.ts";
import type { BudgetRecord, DirectorySnapshot, DirectoryStore, KeyRecord } from "../../store/ports/directory.ts";
import { CliError } from "../cli-error.ts";
import { quoted } from "../directory/find-record.ts";
import { Names } from "../directory/names.ts";
import { addSpan, type Span } from "../options/parse-span.ts";
import { expiryMs } from "./create-key.ts";
import type { Expiry } from "./key-options.ts";
import { keyStatus, statusText } from "./key-status.ts";

export interface RotationOptions {
  /** How long the old key still works. */
  readonly overlap: Span | "none";
  /** When the new key expires; it lives as long as the old one was to unless given. */
  readonly expires?: Expiry;
}

/** What rotating a key will write. Nothing has been written yet. */
export interface Rotation {
  readonly old: KeyRecord;
  readonly fresh: KeyRecord;
  readonly secret: string;
  /** The old key's budgets, for the new one. */
  readonly budgets: readonly BudgetRecord[];
  /** When the old key ends, milliseconds since the epoch. */
  readonly oldEndMs: number;
}

export interface RotationFacts {
  readonly snapshot: DirectorySnapshot;
  readonly hasher: KeyHasher;
  readonly ids: IdGenerator;
  readonly nowMs: number;
}

/** Works out a key that takes the place of `old`. Throws CliError when `old` cannot be rotated. */
export function planRotation(old: KeyRecord, options: RotationOptions, facts: RotationFacts): Rotation {
  const { snapshot, hasher, ids, nowMs } = facts;
  checkRotatable(old, snapshot, nowMs);
  const timeZone = snapshot.organizations.find(({ id }) => id === old.organizationId)?.timeZone ?? "UTC";
  const lifetimeMs = old.expiresAtMs === null ? null : old.expiresAtMs - old.createdAtMs;
  const sameLifeMs = lifetimeMs === null ? null : nowMs + lifetimeMs;
  const secret = newKeySecret(old.keyClass);
  const fresh: KeyRecord = {
    ...old,
    id: ids.next("key"),
    hmac: hasher.hmac(secret),
    hint: hintOfSecret(secret),
    createdAtMs: nowMs,
    expiresAtMs: options.expires === undefined ? sameLifeMs : expiryMs(options.expires, nowMs, timeZone),
    replacesKeyId: old.id,
  };
  const budgets = snapshot.budgets
    .filter(({ scope, subjectId }) => scope === "key" && subjectId === old.id)
    .map((budget) => ({ ...budget, id: ids.next("bud"), subjectId: fresh.id }));
  const overlapEndMs = options.overlap === "none" ? nowMs : addSpan(nowMs, options.overlap, timeZone);
  return { old, fresh, secret, budgets, oldEndMs: Math.min(overlapEndMs, old.expiresAtMs ?? overlapEndMs) };
}

/** Writes what was planned. The old key ends last, so that a failure on the way locks nobody out. */
export async function writeRotation(rotation: Rotation, directory: DirectoryStore): Promise<void> {
  for (const budget of rotation.budgets) await directory.putBudget(budget);
  await directory.createKey(rotation.fresh);
  await directory.expireKey(rotation.old.id, rotation.oldEndMs);
}

/** Refuses keys that are not valid any more, or have been replaced already: whose secret would the new one stand for? */
function checkRotatable(key: KeyRecord, snapshot: DirectorySnapshot, nowMs: number): void {
  const status = keyStatus(key, new Names(snapshot), nowMs);
  if (status.state !== "active") {
    throw new CliError("conflict", `key ${quoted(key.name)} (${key.id}) is not active: ${statusText(status, nowMs)}`, {
      remedy: "Create a new key with `weir keys create`.",
    });
  }
  const successor = snapshot.keys.find((other) => other.replacesKeyId === key.id && other.revokedAtMs === null);
  if (successor === undefined) return;
  throw new CliError("conflict", `key ${quoted(key.name)} (${key.id}) has been replaced by ${successor.id} already`, {
    remedy: `Rotate ${successor.id} instead.`,
    details: { replaced_by: successor.id },
  });
}
