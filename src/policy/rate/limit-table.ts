import type { Identity } from "../../identity/key-ring.ts";
import type { BudgetScope, SubjectLimits } from "../../store/ports/directory.ts";

/** One subject of a request with the limits that apply to it. */
export interface LimitedSubject {
  readonly scope: BudgetScope;
  readonly id: string;
  readonly name: string;
  readonly limits: SubjectLimits;
}

/** Limits by the name of their subject; what a name leaves undefined falls back to the scope's default. */
type NamedLimits = Readonly<Record<string, Partial<SubjectLimits>>>;

/** Default limits of each scope, and those of single subjects by name. */
export interface LimitSettings {
  readonly defaults: Readonly<Record<BudgetScope, SubjectLimits>>;
  readonly named: Readonly<Record<BudgetScope, NamedLimits>>;
}

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
    const keyLimits = withoutNulls(key.limits);
    const subjects = [this.#subject("key", key, keyLimits)];
    if (user !== null) subjects.push(this.#subject("user", user));
    if (team !== null) subjects.push(this.#subject("team", team));
    subjects.push(this.#subject("organization", organization));
    return subjects;
  }

  /** A subject's own limits (a key's record) stand above those that the configuration has for its name. */
  #subject(
    scope: BudgetScope,
    { id, name }: { id: string; name: string },
    own: Partial<SubjectLimits> = {},
  ): LimitedSubject {
    const { defaults, named } = this.#settings;
    const byName = named[scope][name] ?? {};
    return { scope, id, name, limits: { ...defaults[scope], ...byName, ...own } };
  }
}

/** In a key's record null means "not limited by the key's own record", so it must not hide what is configured. */
function withoutNulls(limits: SubjectLimits): Partial<SubjectLimits> {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== null));
}
