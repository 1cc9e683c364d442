import type { DirectorySnapshot, UserRecord } from "../../store/ports/directory.ts";
import type {
  LimitIdentity,
  MemberRecord,
  PayerScope,
  RaiseRecord,
  SpendLimitRecord,
  SpendPlan,
} from "../../store/ports/spend-limits.ts";
import type { Budget, Raise } from "./budget.ts";
import { WINDOW_KINDS } from "./spend-counter.ts";

/** A limit, wherever it was written: in the database or in the configuration. */
export type LimitRule = Omit<SpendLimitRecord, "createdAtMs" | "updatedAtMs">;

/** Which of several group limits holds for a user: the most or the least restrictive. */
type GroupLimitMode = "min" | "max";

export interface LimitSources {
  readonly directory: DirectorySnapshot;
  readonly spend: SpendPlan;
  /** From the configuration, the less specific first. */
  readonly configured: readonly LimitRule[];
  readonly groupLimitMode: GroupLimitMode;
}

/**
 * The limits of all organisations, resolved: what each payer may spend in each window, and for a user where it comes from.
 * A row of the database stands above what the configuration says of the same thing. A user's limit is their own, else that of
 * their groups and team (one rule for several: `groupLimitMode`), else the organisation's for every user, else none; each
 * window by itself. A limit of null ends the search: no limit.
 */
export class LimitsInForce {
  readonly #rules = new Map<string, LimitRule>();
  readonly #sources: LimitSources;
  readonly #members: ReadonlyMap<string, MemberRecord>;
  /** Group limits by organisation and window, so that users without any are passed over at once. */
  readonly #groupRules = new Map<string, LimitRule[]>();
  readonly #teamNames: ReadonlyMap<string, string>;

  constructor(sources: LimitSources) {
    this.#sources = sources;
    const { directory, spend, configured } = sources;
    const legacy = directory.budgets.map((budget): LimitRule => ({ ...budget, sharing: "shared", paused: false }));
    for (const rule of [...configured, ...legacy, ...spend.limits]) this.#rules.set(limitKey(rule), rule);
    this.#members = new Map(spend.members.map((member) => [member.userId, member]));
    this.#teamNames = new Map(directory.teams.map(({ id, name }) => [id, name]));
    for (const rule of this.#rules.values()) {
      if (rule.sharing !== "seat" || rule.paused || (rule.scope !== "team" && rule.scope !== "group")) continue;
      const at = `${rule.organizationId}/${rule.window}`;
      this.#groupRules.set(at, [...(this.#groupRules.get(at) ?? []), rule]);
    }
  }

  /** The rules themselves, one for each thing limited. */
  get rules(): readonly LimitRule[] {
    return [...this.#rules.values()];
  }

  /** The limit that a user inherits or has in a window, with the rule that it comes from; null where no rule says anything. */
  ofUser(user: UserRecord, window: LimitRule["window"]): LimitRule | null {
    const { organizationId } = user;
    const ownOf = (subjectId: string): LimitRule | null =>
      this.#rule({ organizationId, scope: "user", subjectId, sharing: "shared", window });
    // A limit may have been set by the name that the identity provider has for them, before they first signed in.
    const subject = this.#members.get(user.id)?.subject ?? null;
    const own = ownOf(user.id) ?? (subject === null ? null : ownOf(subject));
    if (own !== null) return own;
    const groups = this.#groupRules.get(`${organizationId}/${window}`)?.filter((rule) => this.#isIn(user, rule)) ?? [];
    const [first, ...others] = groups;
    if (first !== undefined) {
      return others.reduce((kept, rule) => (this.#prevails(rule, kept) ? rule : kept), first);
    }
    return this.#rule({ organizationId, scope: "organization", subjectId: organizationId, sharing: "seat", window });
  }

  /** Everything that admission holds to, with its temporary increases: at most one budget for each payer and window. */
  budgets(): readonly Budget[] {
    const raises = raisesByPayer(this.#sources.spend.raises);
    const budgets: Budget[] = [];
    const add = (rule: LimitRule, scope: PayerScope, subjectId: string): void => {
      if (rule.limitMicroUsd === null || rule.paused) return;
      const { id, organizationId, window, limitMicroUsd, enforcement } = rule;
      const budget = { id, organizationId, scope, subjectId, window, limitMicroUsd, enforcement };
      const raised = raises.get(`${subjectId}/${window}`);
      budgets.push(raised === undefined ? budget : { ...budget, raises: raised });
    };
    for (const rule of this.#rules.values()) {
      const { scope, organizationId, subjectId } = rule;
      if (rule.sharing === "seat" || scope === "user" || scope === "group") continue;
      add(rule, scope, payerId({ organizationId, scope, subjectId }));
    }
    for (const user of this.#sources.directory.users) {
      for (const window of WINDOW_KINDS) {
        const rule = this.ofUser(user, window);
        if (rule !== null) add(rule, "user", user.id);
      }
    }
    return budgets;
  }

  /** The groups that limits go by: those last seen at sign-in, and the user's team by its name. */
  groupsOf(user: UserRecord): readonly string[] {
    const team = user.teamId === null ? undefined : this.#teamNames.get(user.teamId);
    return [...new Set([...(this.#members.get(user.id)?.groups ?? []), ...(team === undefined ? [] : [team])])];
  }

  #rule(identity: LimitIdentity): LimitRule | null {
    const rule = this.#rules.get(limitKey(identity));
    return rule === undefined || rule.paused ? null : rule;
  }

  #isIn(user: UserRecord, { scope, subjectId }: LimitRule): boolean {
    const groups = this.#members.get(user.id)?.groups ?? [];
    if (scope === "group") return groups.includes(subjectId);
    return user.teamId === subjectId || groups.includes(this.#teamNames.get(subjectId) ?? subjectId);
  }

  #prevails(rule: LimitRule, over: LimitRule): boolean {
    const [a, b] = [rule.limitMicroUsd ?? Infinity, over.limitMicroUsd ?? Infinity];
    return this.#sources.groupLimitMode === "min" ? a < b : a > b;
  }
}

/** The id under which a payer's spend is counted. Tags have names, which two organisations may share. */
export function payerId({
  organizationId,
  scope,
  subjectId,
}: {
  readonly organizationId: string;
  readonly scope: PayerScope;
  readonly subjectId: string;
}): string {
  return scope === "tag" ? `${organizationId}/${subjectId}` : subjectId;
}

/** What makes two limits limits of the same thing. */
export function limitKey({ organizationId, scope, subjectId, sharing, window }: LimitIdentity): string {
  return JSON.stringify([organizationId, scope, subjectId, sharing, window]);
}

function raisesByPayer(records: readonly RaiseRecord[]): ReadonlyMap<string, readonly Raise[]> {
  const byPayer = new Map<string, Raise[]>();
  for (const record of records) {
    const at = `${payerId(record)}/${record.window}`;
    const { addMicroUsd, fromMs, untilMs } = record;
    byPayer.set(at, [...(byPayer.get(at) ?? []), { addMicroUsd, fromMs, untilMs }]);
  }
  return byPayer;
}
