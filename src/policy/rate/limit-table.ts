import type { Identity } from "../../identity/key-ring.ts";
import type { BudgetScope, SubjectLimits } from "../../store/ports/directory.ts";

/** One subject of a request with the limits that apply to it. */
export interface LimitedSubject {
  readonly scope: BudgetScope;
  readonly id: string;
  readonly name: string;
  readonly limits: SubjectLimits;
}

/** Default limits of each scope, and those of teams and users by name. */
export interface LimitSettings {
  readonly defaults: Readonly<Record<BudgetScope, SubjectLimits>>;
  readonly teams: Readonly<Record<string, Partial<SubjectLimits>>>;
  readonly users: Readonly<Record<string, Partial<SubjectLimits>>>;
}

const NO_LIMITS: SubjectLimits = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null };

/** Resolves, once for each identity, the subjects on its path (key, user, team, organisation) and their limits. */
export class LimitTable {
  readonly #settings: LimitSettings;
  readonly #cache = new WeakMap<Identity, readonly LimitedSubject[]>();

  constructor(settings: LimitSettings) {
    this.#settings = settings;
  }

  subjects(identity: Identity): readonly LimitedSubject[] {
    const known = this.#cache.get(identity);
    if (known !== undefined) return known;
    const resolved = this.#resolve(identity);
    this.#cache.set(identity, resolved);
    return resolved;
  }

  #resolve({ key, user, team, organization }: Identity): readonly LimitedSubject[] {
    const { defaults, teams, users } = this.#settings;
    const subjects: LimitedSubject[] = [
      { scope: "key", id: key.id, name: key.name, limits: overlay(defaults.key, key.limits) },
    ];
    if (user !== null) {
      subjects.push({ scope: "user", id: user.id, name: user.name, limits: overlay(defaults.user, users[user.name]) });
    }
    if (team !== null) {
      subjects.push({ scope: "team", id: team.id, name: team.name, limits: overlay(defaults.team, teams[team.name]) });
    }
    subjects.push({
      scope: "organization",
      id: organization.id,
      name: organization.name,
      limits: overlay(defaults.organization, NO_LIMITS),
    });
    return subjects;
  }
}

/** The more specific setting where there is one, else the default. */
function overlay(base: SubjectLimits, over: Partial<SubjectLimits> | undefined): SubjectLimits {
  return {
    requestsPerMinute: over?.requestsPerMinute ?? base.requestsPerMinute,
    tokensPerMinute: over?.tokensPerMinute ?? base.tokensPerMinute,
    maxConcurrent: over?.maxConcurrent ?? base.maxConcurrent,
  };
}
