import type { AuditRow, AuditStatement } from "../ports/audit.ts";

/** The hash before the first row, as a bytea. */
export const GENESIS = `\\x${"00".repeat(32)}`;

export const ROW_COLUMNS = [
  "organization_id",
  "class",
  "seq",
  "at_ms",
  "actor",
  "action",
  "object",
  "before",
  "after",
  "address",
  "request_id",
  "result",
  "reason",
  "prev",
  "hash",
] as const;

export interface AuditDbRow {
  readonly organization_id: string;
  readonly class: AuditRow["retentionClass"];
  readonly seq: number;
  readonly at_ms: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  readonly before: string | null;
  readonly after: string | null;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly result: AuditRow["result"];
  readonly reason: string | null;
  readonly prev: Buffer;
  readonly hash: Buffer;
}

export interface StatementDbRow {
  readonly organization_id: string;
  readonly class: AuditRow["retentionClass"];
  readonly seq: number;
  readonly hash: Buffer;
  readonly at_ms: number;
  readonly removed: number | null;
  readonly key_id: string;
  readonly signature: Buffer;
}

export function rowFromDb(row: AuditDbRow): AuditRow {
  return {
    organizationId: row.organization_id,
    retentionClass: row.class,
    seq: row.seq,
    atMs: row.at_ms,
    actor: row.actor,
    action: row.action,
    object: row.object,
    before: row.before,
    after: row.after,
    address: row.address,
    requestId: row.request_id,
    result: row.result,
    reason: row.reason,
    prev: row.prev.toString("hex"),
    hash: row.hash.toString("hex"),
  };
}

/** Rows as one JSON array, for `json_to_recordset`. */
export function rowsJson(rows: readonly AuditRow[]): string {
  return JSON.stringify(
    rows.map(({ organizationId, retentionClass, atMs, requestId, ...same }) => ({
      organization_id: organizationId,
      class: retentionClass,
      at_ms: atMs,
      request_id: requestId,
      ...same,
    })),
  );
}

export function statementFromDb(kind: AuditStatement["kind"], row: StatementDbRow): AuditStatement {
  return {
    kind,
    organizationId: row.organization_id,
    retentionClass: row.class,
    seq: row.seq,
    hash: row.hash.toString("hex"),
    atMs: row.at_ms,
    removed: row.removed,
    keyId: row.key_id,
    signature: row.signature.toString("hex"),
  };
}
