import type { BudgetRecord, KeyRecord } from "../ports/directory.ts";
import type { ApiKeyRow, BudgetRow, NewApiKeyRow } from "./schema.ts";

/** A key as the directory's readers know it. */
export function keyFromRow(row: ApiKeyRow): KeyRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    teamId: row.team_id,
    userId: row.user_id,
    name: row.name,
    keyClass: row.key_class,
    hmac: row.hmac,
    hint: row.hint,
    scopes: { models: row.scope_models, endpoints: row.scope_endpoints, addresses: row.scope_addresses },
    limits: {
      requestsPerMinute: row.requests_per_minute,
      tokensPerMinute: row.tokens_per_minute,
      maxConcurrent: row.max_concurrent,
    },
    createdAtMs: row.created_at.getTime(),
    expiresAtMs: row.expires_at?.getTime() ?? null,
    revokedAtMs: row.revoked_at?.getTime() ?? null,
    replacesKeyId: row.replaces_key_id,
  };
}

export function keyToRow(record: KeyRecord): NewApiKeyRow {
  return {
    id: record.id,
    organization_id: record.organizationId,
    team_id: record.teamId,
    user_id: record.userId,
    name: record.name,
    key_class: record.keyClass,
    hmac: record.hmac,
    hint: record.hint,
    scope_models: [...record.scopes.models],
    scope_endpoints: [...record.scopes.endpoints],
    scope_addresses: [...record.scopes.addresses],
    requests_per_minute: record.limits.requestsPerMinute,
    tokens_per_minute: record.limits.tokensPerMinute,
    max_concurrent: record.limits.maxConcurrent,
    created_at: new Date(record.createdAtMs),
    expires_at: dateOrNull(record.expiresAtMs),
    revoked_at: dateOrNull(record.revokedAtMs),
    replaces_key_id: record.replacesKeyId,
  };
}

export function budgetFromRow(row: BudgetRow): BudgetRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    scope: row.scope,
    subjectId: row.subject_id,
    window: row.window_kind,
    limitMicroUsd: row.limit_micro_usd,
    enforcement: row.enforcement,
  };
}

export function budgetToRow(record: BudgetRecord): BudgetRow {
  return {
    id: record.id,
    organization_id: record.organizationId,
    scope: record.scope,
    subject_id: record.subjectId,
    window_kind: record.window,
    limit_micro_usd: record.limitMicroUsd,
    enforcement: record.enforcement,
  };
}

function dateOrNull(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
