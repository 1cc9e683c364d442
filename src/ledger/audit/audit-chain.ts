import { hash } from "node:crypto";

import type { AuditAct } from "../../core/audit-act.ts";
import type { AuditRow, ChainTip } from "../../store/ports/audit.ts";
import { canonicalJson, storableText } from "./canonical-json.ts";

/** What stands before the first row of a chain. */
export const GENESIS_HASH = "0".repeat(64);

/** A row that has no place in a chain yet. */
export type RowDraft = Omit<AuditRow, "organizationId" | "retentionClass" | "seq" | "prev" | "hash">;

/** What is written of an act. Throws RangeError when its records are nested too deeply. */
export function draftRow(act: AuditAct, atMs: number): RowDraft {
  return {
    atMs,
    actor: storableText(act.actor),
    action: storableText(act.action),
    object: textOrNull(act.object),
    before: jsonOrNull(act.before),
    after: jsonOrNull(act.after),
    address: textOrNull(act.address),
    requestId: textOrNull(act.requestId),
    result: act.result,
    reason: textOrNull(act.reason),
  };
}

/** The rows that `drafts` become after `tip`, each bound to the one before it. */
export function extendChain(tip: ChainTip, drafts: readonly RowDraft[]): AuditRow[] {
  const { organizationId, retentionClass } = tip;
  let { seq, hash: prev } = tip;
  return drafts.map((draft) => {
    const open = { ...draft, organizationId, retentionClass, seq: ++seq, prev };
    prev = hashOfRow(open);
    return { ...open, hash: prev };
  });
}

/** SHA-256, hex, of a row's canonical JSON in UTF-8: its members but for the hash itself, sorted, with `v` for this form. */
export function hashOfRow(row: Omit<AuditRow, "hash">): string {
  return hash("sha256", canonicalRow(row), "hex");
}

/** The members stand in their sorted order already; `before` and `after` are canonical texts. */
function canonicalRow(row: Omit<AuditRow, "hash">): string {
  const members: readonly string[] = [
    `"action":${JSON.stringify(row.action)}`,
    `"actor":${JSON.stringify(row.actor)}`,
    `"address":${JSON.stringify(row.address)}`,
    `"after":${row.after ?? "null"}`,
    `"at_ms":${row.atMs}`,
    `"before":${row.before ?? "null"}`,
    `"class":${JSON.stringify(row.retentionClass)}`,
    `"object":${JSON.stringify(row.object)}`,
    `"organization_id":${JSON.stringify(row.organizationId)}`,
    `"prev":${JSON.stringify(row.prev)}`,
    `"reason":${JSON.stringify(row.reason)}`,
    `"request_id":${JSON.stringify(row.requestId)}`,
    `"result":${JSON.stringify(row.result)}`,
    `"seq":${row.seq}`,
    `"v":1`,
  ];
  return `{${members.join(",")}}`;
}

/** Whether a stored `before` or `after` is what this program writes: one JSON object in canonical form. */
export function isCanonical(text: string | null): boolean {
  if (text === null) return true;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) && canonicalJson(value) === text;
  } catch {
    return false; // No JSON at all.
  }
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}

function jsonOrNull(value: Readonly<Record<string, unknown>> | null): string | null {
  return value === null ? null : canonicalJson(value);
}
