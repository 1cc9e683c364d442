import type { AuditAct, AuditTrail } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import type { IdGenerator } from "../../core/id.ts";
import { performAudited } from "../../core/perform-audited.ts";
import type { BudgetRecord, DirectoryStore } from "../../store/ports/directory.ts";
import type { RaiseRecord, SpendAct, SpendLimitRecord, SpendLimitStore } from "../../store/ports/spend-limits.ts";
import { limitKey } from "./limits-in-force.ts";

/** Who administers, from where. */
export interface Administrator {
  /** `admin-key:<id>`, `oidc:<sub>`, `cli:<system user>`. */
  readonly actor: string;
  readonly address: string | null;
  readonly requestId: string | null;
}

export interface SpendAdminOptions {
  readonly limits: SpendLimitStore;
  readonly directory: DirectoryStore;
  readonly audit: AuditTrail;
  readonly ids: IdGenerator;
  readonly clock: Clock;
}

/** What is set of a limit. */
export type LimitChange = Omit<SpendLimitRecord, "id" | "createdAtMs" | "updatedAtMs">;
export type RaiseChange = Omit<RaiseRecord, "id" | "createdBy">;

/**
 * Changes of spend limits, by whichever way they are asked for. Each is written to the audit trail before it happens, and does
 * not happen when that fails (`AuditUnavailable`).
 */
export class SpendAdmin {
  readonly #options: SpendAdminOptions;

  constructor(options: SpendAdminOptions) {
    this.#options = options;
  }

  /** The limits of an organisation in the order of their creation, those that an earlier version wrote first. */
  async list(organizationId: string): Promise<readonly SpendLimitRecord[]> {
    const { limits, directory } = this.#options;
    const [records, { budgets }] = await Promise.all([limits.list(organizationId), directory.load()]);
    const known = new Set(records.map(limitKey));
    const older = budgets.filter((budget) => budget.organizationId === organizationId).map(limitOf);
    return [...older.filter((limit) => !known.has(limitKey(limit))), ...records];
  }

  /** A limit of the organisation; null when it has none of that id. */
  async get(organizationId: string, id: string): Promise<SpendLimitRecord | null> {
    return (await this.list(organizationId)).find((limit) => limit.id === id) ?? null;
  }

  /** Creates a limit, or replaces the one of the same thing. */
  async put(change: LimitChange, by: Administrator): Promise<SpendLimitRecord> {
    const { limits, ids } = this.#options;
    const { organizationId } = change;
    const nowMs = this.#nowMs();
    const before = (await this.list(organizationId)).find((limit) => limitKey(limit) === limitKey(change)) ?? null;
    const id = before?.id.startsWith("spl_") === true ? before.id : ids.next("spl");
    const record = { ...change, id, createdAtMs: nowMs, updatedAtMs: nowMs };
    const act = { organizationId, action: "spend_limit.upsert", object: `spend_limit:${id}`, before, after: record };
    return await this.#perform(act, by, (spendAct) => limits.put(record, spendAct));
  }

  /** Removes a limit of the organisation; null when it has none of that id. */
  async remove(organizationId: string, id: string, by: Administrator): Promise<SpendLimitRecord | null> {
    const { limits, directory } = this.#options;
    const before = await this.get(organizationId, id);
    if (before === null) return null;
    const act = { organizationId, action: "spend_limit.delete", object: `spend_limit:${id}`, before, after: null };
    return await this.#perform(act, by, async (spendAct) => {
      if (id.startsWith("spl_")) return await limits.remove(organizationId, id, spendAct);
      return (await directory.removeBudget(organizationId, id)) ? before : null;
    });
  }

  /** Raises a limit for a while. */
  async raise(change: RaiseChange, by: Administrator): Promise<RaiseRecord> {
    const { limits, ids } = this.#options;
    const { organizationId, reason } = change;
    const raise = { ...change, id: ids.next("rse"), createdBy: by.actor };
    const object = `spend_raise:${raise.id}`;
    const act = { organizationId, action: "spend_raise.create", object, before: null, after: raise, reason };
    await this.#perform(act, by, (spendAct) => limits.addRaise(raise, spendAct));
    return raise;
  }

  /** Ends a raise before its time; null when the organisation has none of that id that has not ended. */
  async endRaise(organizationId: string, id: string, by: Administrator): Promise<RaiseRecord | null> {
    const { limits } = this.#options;
    const { raises } = await limits.load(this.#nowMs());
    const before = raises.find((raise) => raise.id === id && raise.organizationId === organizationId);
    if (before === undefined) return null;
    const act = { organizationId, action: "spend_raise.end", object: `spend_raise:${id}`, before, after: null };
    return await this.#perform(act, by, (spendAct) => limits.endRaise(organizationId, id, spendAct));
  }

  /** Gives a key its project tag for good, or takes it away with null. */
  async setKeyTag(
    key: { readonly organizationId: string; readonly keyId: string; readonly before: string | null },
    tag: string | null,
    by: Administrator,
  ): Promise<void> {
    const { organizationId, keyId, before } = key;
    const shown = (value: string | null): { tag: string } | null => (value === null ? null : { tag: value });
    const object = `key:${keyId}`;
    const act = { organizationId, action: "key_tag.set", object, before: shown(before), after: shown(tag) };
    await this.#perform(act, by, (spendAct) =>
      this.#options.limits.setKeyTag({ organizationId, keyId }, tag, spendAct),
    );
  }

  async #perform<T>(
    act: {
      readonly organizationId: string;
      readonly action: string;
      readonly object: string;
      readonly before: object | null;
      readonly after: object | null;
      readonly reason?: string;
    },
    by: Administrator,
    work: (act: SpendAct) => Promise<T>,
  ): Promise<T> {
    const { reason = null } = act;
    const { actor, address, requestId } = by;
    const row: AuditAct = {
      organizationId: act.organizationId,
      actor,
      action: act.action,
      object: act.object,
      before: plain(act.before),
      after: plain(act.after),
      address,
      requestId,
      result: "done",
      reason,
    };
    return await performAudited(this.#options.audit, row, () => work({ actor, atMs: this.#nowMs(), reason }));
  }

  #nowMs(): number {
    return Math.floor(this.#options.clock.nowMs());
  }
}

/** A budget of the older form as a limit. Nobody knows when it was made. */
function limitOf(budget: BudgetRecord): SpendLimitRecord {
  return { ...budget, sharing: "shared", paused: false, createdAtMs: 0, updatedAtMs: 0 };
}

function plain(record: object | null): Readonly<Record<string, unknown>> | null {
  return record === null ? null : { ...record };
}
