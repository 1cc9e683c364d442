import { formatUsd } from "../../core/money.ts";
import { snakeKeys } from "../../core/snake-keys.ts";
import type { BudgetRecord, KeyRecord } from "../../store/ports/directory.ts";
import { isoTime } from "./key-document.ts";

/** A key as the audit trail keeps it: never what identifies its secret. */
export function auditedKey(key: KeyRecord, budgets: readonly BudgetRecord[] = []): Record<string, unknown> {
  const own = budgets.filter(({ scope, subjectId }) => scope === "key" && subjectId === key.id);
  return {
    id: key.id,
    hint: key.hint,
    name: key.name,
    class: key.keyClass,
    user_id: key.userId,
    team_id: key.teamId,
    scopes: key.scopes,
    limits: snakeKeys(key.limits),
    budgets: own.map(({ window, limitMicroUsd, enforcement }) => ({
      window,
      limit_usd: formatUsd(limitMicroUsd),
      enforcement,
    })),
    created_at: isoTime(key.createdAtMs),
    ...keyEnds(key),
    replaces: key.replacesKeyId,
  };
}

/** When a key ends: all that changes about one. */
export function keyEnds(key: Pick<KeyRecord, "expiresAtMs" | "revokedAtMs">): Record<string, string | null> {
  return {
    expires_at: key.expiresAtMs === null ? null : isoTime(key.expiresAtMs),
    revoked_at: key.revokedAtMs === null ? null : isoTime(key.revokedAtMs),
  };
}
