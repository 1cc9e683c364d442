import type { KeyHasher } from "../../identity/key-secret.ts";
import { canonicalModel } from "../../message/models.ts";
import type { DirectorySnapshot, OrganizationRecord } from "../../store/ports/directory.ts";
import type { UsageDimension, UsageQuery } from "../../store/ports/usage.ts";
import { requireRecord } from "../directory/find-record.ts";
import { findKey } from "../keys/find-key.ts";

/** What a report may be confined to. */
export interface FilterOptions {
  readonly user?: string;
  readonly team?: string;
  readonly key?: string;
  readonly model?: string;
}

interface FilterFacts {
  readonly snapshot: DirectorySnapshot;
  readonly organization: OrganizationRecord;
  readonly hasher: KeyHasher;
  readonly nowMs: number;
}

/** The filters of a report, names resolved to ids. Throws CliError when a name names nothing. */
export function usageFilters(
  options: FilterOptions,
  { snapshot, organization, hasher, nowMs }: FilterFacts,
): UsageQuery["where"] {
  const inside = <T extends { organizationId: string }>(records: readonly T[]): T[] =>
    records.filter(({ organizationId }) => organizationId === organization.id);
  const where: Partial<Record<UsageDimension, string>> = {};
  if (options.user !== undefined) {
    const sought = { kind: "user", remedy: "`weir usage --by user` shows who has usage." } as const;
    const aliases = ({ email }: { email: string | null }) => [email];
    where.user = requireRecord(inside(snapshot.users), options.user, { sought, aliases }).id;
  }
  if (options.team !== undefined) {
    const sought = { kind: "team", remedy: "`weir usage --by team` shows which teams have usage." } as const;
    where.team = requireRecord(inside(snapshot.teams), options.team, { sought }).id;
  }
  if (options.key !== undefined) {
    const keys = inside(snapshot.keys);
    where.key = findKey(options.key, { snapshot: { ...snapshot, keys }, hasher, nowMs }).id;
  }
  if (options.model !== undefined) where.model = canonicalModel(options.model) ?? options.model;
  return where;
}
