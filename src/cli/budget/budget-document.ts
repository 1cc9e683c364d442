import { formatUsd } from "../../core/money.ts";
import type { LimitRule } from "../../ledger/budgets/limits-in-force.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import type { RaiseRecord } from "../../store/ports/spend-limits.ts";
import { isoTime } from "../keys/key-document.ts";

/** A limit or increase as `--json` shows it. */
export type BudgetDocument = Readonly<Record<string, unknown>>;

/** What a subject is called; its id where it has no name. */
export function subjectName(
  { scope, subjectId }: { readonly scope: string; readonly subjectId: string },
  snapshot: DirectorySnapshot,
): string {
  const tables = {
    organization: snapshot.organizations,
    team: snapshot.teams,
    user: snapshot.users,
    key: snapshot.keys,
  } as const;
  const records: readonly { readonly id: string; readonly name: string }[] =
    scope === "organization" || scope === "team" || scope === "user" || scope === "key" ? tables[scope] : [];
  return records.find(({ id }) => id === subjectId)?.name ?? subjectId;
}

export function limitDocument(rule: LimitRule, snapshot: DirectorySnapshot): BudgetDocument {
  return {
    id: rule.id,
    scope: rule.scope,
    subject: { id: rule.subjectId, name: subjectName(rule, snapshot) },
    sharing: rule.sharing,
    window: rule.window,
    limit_usd: rule.limitMicroUsd === null ? null : formatUsd(rule.limitMicroUsd),
    enforcement: rule.enforcement,
    paused: rule.paused,
    source: sourceOf(rule),
  };
}

export function raiseDocument(raise: RaiseRecord, snapshot: DirectorySnapshot): BudgetDocument {
  return {
    id: raise.id,
    scope: raise.scope,
    subject: { id: raise.subjectId, name: subjectName(raise, snapshot) },
    window: raise.window,
    add_usd: formatUsd(raise.addMicroUsd),
    reason: raise.reason,
    created_by: raise.createdBy,
    from: isoTime(raise.fromMs),
    until: isoTime(raise.untilMs),
  };
}

/** Where a limit stands: in the configuration, or in the database. */
export function sourceOf({ id }: { readonly id: string }): "configuration" | "database" {
  return id.startsWith("configured/") ? "configuration" : "database";
}

/** A limit in dollars, for people. */
export function limitText(limitMicroUsd: number | null): string {
  return limitMicroUsd === null ? "unlimited" : `$${formatUsd(limitMicroUsd)}`;
}

/** Whom a limit is about, for people: `team platform, each user`. */
export function titleOf(rule: Pick<LimitRule, "scope" | "subjectId" | "sharing">, snapshot: DirectorySnapshot): string {
  const title = `${rule.scope} ${subjectName(rule, snapshot)}`;
  return rule.sharing === "seat" ? `${title}, each user` : title;
}
