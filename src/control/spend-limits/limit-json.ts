import type { BudgetWindow, DirectorySnapshot } from "../../store/ports/directory.ts";
import type { MemberRecord, SpendLimitRecord } from "../../store/ports/spend-limits.ts";

/** One US cent. */
const MICRO_PER_CENT = 10_000;

/** The periods of the API; Weir's `total` has no name there. */
export const PERIODS = ["daily", "weekly", "monthly"] as const;
export type Period = (typeof PERIODS)[number];

const WINDOW_OF = { daily: "day", weekly: "week", monthly: "month" } as const satisfies Record<Period, BudgetWindow>;

export function windowOf(period: Period): BudgetWindow {
  return WINDOW_OF[period];
}

export function periodOf(window: BudgetWindow): Period | null {
  return PERIODS.find((period) => WINDOW_OF[period] === window) ?? null;
}

/** A scope as the API writes it. */
export type ScopeJson =
  | { readonly type: "organization" }
  | { readonly type: "rbac_group"; readonly rbac_group_id: string }
  | { readonly type: "user"; readonly user_id: string };

/** Whole cents as the API writes amounts: a decimal string. */
export function centsOf(microUsd: number): string {
  return String(Math.floor(microUsd / MICRO_PER_CENT));
}

/** Spend in cents, exact: a decimal string with up to four decimals. */
export function exactCentsOf(microUsd: number): string {
  const rest = String(microUsd % MICRO_PER_CENT)
    .padStart(4, "0")
    .replace(/0+$/, "");
  return `${Math.floor(microUsd / MICRO_PER_CENT)}${rest === "" ? "" : `.${rest}`}`;
}

export function microUsdOf(cents: string): number {
  return Number(cents) * MICRO_PER_CENT;
}

/** How the people and groups of one organisation are called in the API. */
export class ApiNames {
  readonly #directory: DirectorySnapshot;
  readonly #organizationId: string;
  readonly #members: ReadonlyMap<string, MemberRecord>;

  constructor(organizationId: string, directory: DirectorySnapshot, members: readonly MemberRecord[]) {
    this.#organizationId = organizationId;
    this.#directory = directory;
    const own = members.filter((member) => member.organizationId === organizationId);
    this.#members = new Map(own.map((member) => [member.userId, member]));
  }

  /** The provider's name for a user, else Weir's. */
  ofUser(userId: string): string {
    return this.#members.get(userId)?.subject ?? userId;
  }

  /** The id of the user who is called so; null when nobody is, yet. */
  userId(name: string): string | null {
    const own = this.#directory.users.find(
      ({ id, organizationId }) => id === name && organizationId === this.#organizationId,
    );
    if (own !== undefined) return own.id;
    for (const member of this.#members.values()) if (member.subject === name) return member.userId;
    return null;
  }

  /** The id of the team that a group's name or id names; null when it is a group of the identity provider. */
  teamId(group: string): string | null {
    const teams = this.#directory.teams.filter(({ organizationId }) => organizationId === this.#organizationId);
    return (teams.find(({ id }) => id === group) ?? teams.find(({ name }) => name === group))?.id ?? null;
  }

  /** A limit's scope; null for one that the API has no name for: pools, keys, tags. */
  scopeOf({ scope, sharing, subjectId }: Pick<SpendLimitRecord, "scope" | "sharing" | "subjectId">): ScopeJson | null {
    if (scope === "user") return { type: "user", user_id: this.ofUser(subjectId) };
    if (sharing === "shared") return null;
    if (scope === "organization") return { type: "organization" };
    const team = scope === "team" ? this.#directory.teams.find(({ id }) => id === subjectId) : undefined;
    return { type: "rbac_group", rbac_group_id: team?.name ?? subjectId };
  }
}

/** What a pool has spent, for the limit that it is shown with. */
export interface PoolState {
  readonly limit: SpendLimitRecord;
  readonly spentMicroUsd: number;
}

/** A limit as the API writes it. `pool` is the pool of the same group, where it has one. */
export function limitJson(
  limit: SpendLimitRecord,
  { scope, period, pool }: { scope: ScopeJson; period: Period; pool: PoolState | null },
): Record<string, unknown> {
  const isGroupMonth = scope.type === "rbac_group" && period === "monthly";
  return {
    type: "spend_limit",
    id: limit.id,
    created_at: new Date(limit.createdAtMs).toISOString(),
    updated_at: new Date(limit.updatedAtMs).toISOString(),
    scope,
    amount: limit.limitMicroUsd === null ? null : centsOf(limit.limitMicroUsd),
    currency: "USD",
    period,
    is_enabled: !limit.paused,
    ...(isGroupMonth ? { pooled_budget: pool === null ? null : poolJson(pool) } : {}),
  };
}

function poolJson({ limit, spentMicroUsd }: PoolState): Record<string, unknown> {
  return {
    amount: limit.limitMicroUsd === null ? null : centsOf(limit.limitMicroUsd),
    paused: limit.paused,
    currency: "USD",
    period_to_date_spend: exactCentsOf(spentMicroUsd),
  };
}
