import type { AuditRow } from "../../store/ports/audit.ts";
import { isoTime } from "../keys/key-document.ts";

/** An audit row as `--json` shows it. */
export function auditRowDocument(row: AuditRow) {
  return {
    organization_id: row.organizationId,
    class: row.retentionClass,
    seq: row.seq,
    at: isoTime(row.atMs),
    actor: row.actor,
    action: row.action,
    object: row.object,
    result: row.result,
    before: recordOf(row.before),
    after: recordOf(row.after),
    address: row.address,
    request_id: row.requestId,
    reason: row.reason,
    prev: row.prev,
    hash: row.hash,
  };
}

/** A record's JSON, or the text itself where somebody damaged it. */
function recordOf(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
