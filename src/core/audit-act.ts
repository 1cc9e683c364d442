/** What an administrative act came to. */
export type AuditResult = "done" | "refused" | "failed";

/** How long a row is kept: acts of administration for years, what happens every second for months. */
export type RetentionClass = "audit" | "security";

/** The organisation under which acts stand that concern the whole installation: start, stop, configuration. */
export const INSTALLATION = "installation";

/** One administrative act: who did what to what, from where, with what result. Secrets are never among the values. */
export interface AuditAct {
  readonly organizationId: string;
  /** Who: `user:usr_…`, `key:key_…`, `cli:<system user>`, `system`. */
  readonly actor: string;
  /** What, as noun and verb: `key.create`, `spend_limit.delete`, `sign_in.complete`. */
  readonly action: string;
  /** What it was done to: `key:key_…`; null where the act has no object. */
  readonly object: string | null;
  /** The record before and after, as far as it changed; null where there was or is none. */
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  /** The address that it came from; null for acts of the process itself. */
  readonly address: string | null;
  readonly requestId: string | null;
  readonly result: AuditResult;
  /** Why it was done or refused, in a sentence. */
  readonly reason: string | null;
  /** Which chain it goes into; by default the action decides (ledger/audit/retention-class.ts). */
  readonly retentionClass?: RetentionClass;
}

/** Where administrative acts are written before they take effect. */
export interface AuditTrail {
  /** Resolves once the act is stored; rejects with `AuditUnavailable` when it cannot be: the act must then not happen. */
  record(act: AuditAct): Promise<void>;
}

/** An act's row could not be written, so the act is refused. */
export class AuditUnavailable extends Error {
  readonly remedy =
    "Nothing was changed. Administrative acts need the audit trail: check that PostgreSQL runs and that Weir may write to weir.audit_rows, then try again.";

  constructor(act: Pick<AuditAct, "action">, cause: unknown) {
    const detail = cause instanceof Error ? cause.message : String(cause);
    super(`${act.action} is refused, because its audit row cannot be written: ${detail}`, { cause });
    this.name = "AuditUnavailable";
  }
}
