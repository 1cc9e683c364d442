import { formatUsd } from "../../core/money.ts";
import type { BudgetRecord, KeyRecord } from "../../store/ports/directory.ts";
import type { Names } from "../directory/names.ts";
import { keyStatus } from "./key-status.ts";

/** A key as `--json` shows it: everything but what identifies the secret. */
export function keyDocument(key: KeyRecord, about: { names: Names; budgets: readonly BudgetRecord[]; nowMs: number }) {
  const { names, budgets, nowMs } = about;
  const user = names.user(key.userId);
  const team = names.teamOfKey(key);
  const status = keyStatus(key, names, nowMs);
  const own = budgets.filter(({ scope, subjectId }) => scope === "key" && subjectId === key.id);
  return {
    id: key.id,
    hint: key.hint,
    name: key.name,
    class: key.keyClass,
    organization_id: key.organizationId,
    user: user === null ? null : { id: user.id, name: user.name, email: user.email },
    team: team === null ? null : { id: team.id, name: team.name },
    status: status.state,
    revoked_by: status.state === "revoked" ? status.by : null,
    scopes: { models: key.scopes.models, endpoints: key.scopes.endpoints, addresses: key.scopes.addresses },
    limits: {
      requests_per_minute: key.limits.requestsPerMinute,
      tokens_per_minute: key.limits.tokensPerMinute,
      max_concurrent_requests: key.limits.maxConcurrent,
    },
    budgets: own.map(({ window, limitMicroUsd, enforcement }) => ({
      window,
      limit_usd: formatUsd(limitMicroUsd),
      enforcement,
    })),
    created_at: isoTime(key.createdAtMs),
    expires_at: key.expiresAtMs === null ? null : isoTime(key.expiresAtMs),
    revoked_at: key.revokedAtMs === null ? null : isoTime(key.revokedAtMs),
    replaces: key.replacesKeyId,
  };
}

/** A moment in ISO 8601, UTC. */
export function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
