import type { AlertMark, RaiseRecord, SpendEvent, SpendLimitRecord } from "../ports/spend-limits.ts";
import type { AlertRow, RaiseRow, SpendEventRow, SpendLimitRow } from "./schema.ts";

/** How rows of limits and what belongs to them are read and written. */

export function limitFromRow(row: SpendLimitRow): SpendLimitRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    scope: row.scope,
    subjectId: row.subject_id,
    sharing: row.sharing,
    window: row.window_kind,
    limitMicroUsd: row.limit_micro_usd,
    enforcement: row.enforcement,
    paused: row.paused,
    createdAtMs: row.created_at.getTime(),
    updatedAtMs: row.updated_at.getTime(),
  };
}

export function limitToRow(record: SpendLimitRecord): SpendLimitRow {
  return {
    id: record.id,
    organization_id: record.organizationId,
    scope: record.scope,
    subject_id: record.subjectId,
    sharing: record.sharing,
    window_kind: record.window,
    limit_micro_usd: record.limitMicroUsd,
    enforcement: record.enforcement,
    paused: record.paused,
    created_at: new Date(record.createdAtMs),
    updated_at: new Date(record.updatedAtMs),
  };
}

export function raiseFromRow(row: RaiseRow): RaiseRecord {
  return {
    id: row.id,
    organizationId: row.organization_id,
    scope: row.scope,
    subjectId: row.subject_id,
    window: row.window_kind,
    addMicroUsd: row.add_micro_usd,
    reason: row.reason,
    createdBy: row.created_by,
    fromMs: row.from_at.getTime(),
    untilMs: row.until_at.getTime(),
  };
}

export function raiseToRow(record: RaiseRecord): RaiseRow {
  return {
    id: record.id,
    organization_id: record.organizationId,
    scope: record.scope,
    subject_id: record.subjectId,
    window_kind: record.window,
    add_micro_usd: record.addMicroUsd,
    reason: record.reason,
    created_by: record.createdBy,
    from_at: new Date(record.fromMs),
    until_at: new Date(record.untilMs),
  };
}

export function eventFromRow(row: SpendEventRow): SpendEvent {
  return {
    id: row.id,
    atMs: row.at.getTime(),
    actor: row.actor,
    action: row.action,
    targetId: row.target_id,
    before: row.before,
    after: row.after,
    reason: row.reason,
  };
}

export function markFromRow(row: AlertRow): AlertMark {
  return {
    organizationId: row.organization_id,
    scope: row.scope,
    subjectId: row.subject_id,
    window: row.window_kind,
    windowStartMs: row.window_start.getTime(),
    thresholdPercent: row.threshold_percent,
    firedAtMs: row.fired_at.getTime(),
    limitMicroUsd: row.limit_micro_usd,
    spentMicroUsd: row.spent_micro_usd,
  };
}

export function markToRow(mark: AlertMark, leaseUntilMs: number): AlertRow {
  return {
    organization_id: mark.organizationId,
    scope: mark.scope,
    subject_id: mark.subjectId,
    window_kind: mark.window,
    window_start: new Date(mark.windowStartMs),
    threshold_percent: mark.thresholdPercent,
    fired_at: new Date(mark.firedAtMs),
    limit_micro_usd: mark.limitMicroUsd,
    spent_micro_usd: mark.spentMicroUsd,
    leased_until: new Date(leaseUntilMs),
    delivered_at: null,
  };
}
