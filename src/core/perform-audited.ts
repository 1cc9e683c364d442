import type { AuditAct, AuditTrail } from "./audit-act.ts";

/**
 * Writes the act down, then does it. When the row cannot be written the act does not happen (`AuditUnavailable`); when the
 * act itself fails, a second row says so and the failure is thrown.
 */
export async function performAudited<T>(trail: AuditTrail, act: AuditAct, work: () => Promise<T>): Promise<T> {
  await trail.record(act);
  try {
    return await work();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    try {
      await trail.record({ ...act, result: "failed", reason });
    } catch (unwritten) {
      throw new AggregateError([error, unwritten], `${reason} (and the audit trail could not be told)`, {
        cause: unwritten,
      });
    }
    throw error;
  }
}
