import type { BudgetScope, BudgetWindow } from "./directory.ts";

/** Whose spend is counted: what pays for an exchange, from the organisation down, and the project tag beside it. */
export type PayerScope = BudgetScope | "tag";

/** Whom a limit is about. A group is one of the identity provider, by its name. */
export type LimitScope = PayerScope | "group";

/** `shared`: all of the subject's spend together. `seat`: every user of the organisation, team or group by itself. */
export type Sharing = "shared" | "seat";

/** One spend limit. Unique on (organisation, scope, subject, sharing, window). */
export interface SpendLimitRecord {
  /** `spl_…`; `bud_…` where it was set together with a key. */
  readonly id: string;
  readonly organizationId: string;
  readonly scope: LimitScope;
  /** Id of the organisation, team, user or key; name of the group or tag. */
  readonly subjectId: string;
  readonly sharing: Sharing;
  readonly window: BudgetWindow;
  /** Null: no limit, also where the subject would otherwise inherit one. */
  readonly limitMicroUsd: number | null;
  readonly enforcement: "hard" | "soft";
  /** Kept, and not in force. */
  readonly paused: boolean;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

/** What makes a limit the same one when it is set again. */
export type LimitIdentity = Pick<SpendLimitRecord, "organizationId" | "scope" | "subjectId" | "sharing" | "window">;

/** A temporary increase of whatever limit a subject has in a window. */
export interface RaiseRecord {
  /** `rse_…`. */
  readonly id: string;
  readonly organizationId: string;
  readonly scope: PayerScope;
  readonly subjectId: string;
  readonly window: BudgetWindow;
  readonly addMicroUsd: number;
  readonly reason: string;
  readonly createdBy: string;
  readonly fromMs: number;
  /** The first moment at which it no longer counts. */
  readonly untilMs: number;
}

/** What sign-in last saw of a user: the provider's own id for them, and the groups that seat limits go by. */
export interface MemberRecord {
  readonly organizationId: string;
  readonly userId: string;
  /** The identity provider's `sub`; null where the user never signed in. */
  readonly subject: string | null;
  readonly groups: readonly string[];
  readonly seenAtMs: number;
}

/** A key whose requests always count for a project tag. */
export interface KeyTagRecord {
  readonly organizationId: string;
  readonly keyId: string;
  readonly tag: string;
}

/** Everything that admission needs to know of limits, as one consistent reading over all organisations. */
export interface SpendPlan {
  readonly limits: readonly SpendLimitRecord[];
  /** Those that have not ended. */
  readonly raises: readonly RaiseRecord[];
  readonly members: readonly MemberRecord[];
  readonly keyTags: readonly KeyTagRecord[];
}

/** Who changes what, for the trail that is written with the change. */
export interface SpendAct {
  /** `admin-key:<id>`, `oidc:<sub>`, `cli:<system user>`. */
  readonly actor: string;
  readonly atMs: number;
  readonly reason: string | null;
}

/** One change of limits. `before` and `after` are the records, null where there was or is none. */
export interface SpendEvent {
  readonly id: number;
  readonly atMs: number;
  readonly actor: string;
  /** `spend_limit.upsert`, `spend_limit.delete`, `spend_raise.create`, `spend_raise.end`, `key_tag.set`. */
  readonly action: string;
  readonly targetId: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
  readonly reason: string | null;
}

/** A subject's window that came past a threshold; unique up to its threshold. */
export interface AlertMark {
  readonly organizationId: string;
  readonly scope: PayerScope;
  readonly subjectId: string;
  readonly window: BudgetWindow;
  readonly windowStartMs: number;
  /** 50, 80, 95 or 100. */
  readonly thresholdPercent: number;
  readonly firedAtMs: number;
  /** The limit and what was spent of it then. */
  readonly limitMicroUsd: number;
  readonly spentMicroUsd: number;
}

/** Up to when rows are kept; each moment in milliseconds since the epoch. */
export interface SpendRetention {
  readonly eventsBeforeMs: number;
  readonly membersBeforeMs: number;
  readonly marksBeforeMs: number;
}

/**
 * Limits and what belongs to them. Every write stores its event in the same transaction, and raises the directory's revision,
 * so that whoever subscribed to the directory hears of it within a second. Writes throw `StoreError` `unknown_reference` for an
 * organisation (or the key of a tag) that does not exist.
 */
export interface SpendLimitStore {
  /** `nowMs` decides which raises have ended. */
  load(nowMs: number): Promise<SpendPlan>;
  /** The limits of one organisation in the order of their creation. */
  list(organizationId: string): Promise<readonly SpendLimitRecord[]>;
  /**
   * Creates a limit, or replaces the one of the same identity, which keeps its id and creation time. Returns what is stored.
   */
  put(record: SpendLimitRecord, act: SpendAct): Promise<SpendLimitRecord>;
  /** Removes a limit of the organisation; null when it has none of that id. */
  remove(organizationId: string, id: string, act: SpendAct): Promise<SpendLimitRecord | null>;
  addRaise(raise: RaiseRecord, act: SpendAct): Promise<void>;
  /** Ends a raise of the organisation now; null when it has none of that id that has not ended. */
  endRaise(organizationId: string, id: string, act: SpendAct): Promise<RaiseRecord | null>;
  /** Gives a key its tag, or takes it away with null. */
  setKeyTag(key: { organizationId: string; keyId: string }, tag: string | null, act: SpendAct): Promise<void>;
  /** Remembers what sign-in saw of a user; only a change of subject or groups is a change of the directory. */
  rememberMember(member: MemberRecord): Promise<void>;
  /** Newest first; `afterId` starts after that event. */
  events(
    organizationId: string,
    query: { readonly limit: number; readonly afterId?: number },
  ): Promise<readonly SpendEvent[]>;
  /** Marks fired since `sinceMs` and those of totals: what a new process need not tell again. */
  marks(sinceMs: number): Promise<readonly AlertMark[]>;
  /**
   * Takes a mark, to deliver it by `leaseUntilMs`; false when another process or an earlier run has it. Nobody else gets it
   * before that, and nobody at all once it is delivered.
   */
  claimMark(mark: AlertMark, leaseUntilMs: number): Promise<boolean>;
  /** Takes the marks that were claimed and not delivered in time. */
  claimUndelivered(nowMs: number, leaseUntilMs: number): Promise<readonly AlertMark[]>;
  /** Notes that a mark's alert reached its sink. */
  delivered(mark: AlertMark, atMs: number): Promise<void>;
  /** Forgets what is older than it is to be kept. */
  prune(retention: SpendRetention): Promise<void>;
}
