import type { KeyClass } from "../../message/principal.ts";

/** Organisations, teams, users, keys: who exists. One aggregate, read whole into memory and refreshed on change. */

export interface OrganizationRecord {
  readonly id: string;
  readonly name: string;
  readonly status: "active" | "revoked";
  /** IANA zone in which budget windows turn over; UTC unless set. */
  readonly timeZone: string;
}

export interface TeamRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly name: string;
  readonly status: "active" | "revoked";
}

export interface UserRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly name: string;
  readonly email: string | null;
  readonly status: "active" | "revoked";
}

/** What a key may do. Empty lists mean "everything that its organisation allows". */
export interface KeyScopes {
  /** Model patterns, `*` as wildcard, for example `claude-haiku-*`. */
  readonly models: readonly string[];
  /** Endpoint names: `messages`, `count_tokens`, `models`, `batches`, `files`, `simple`. */
  readonly endpoints: readonly string[];
  /** CIDRs or addresses from which the key may be used. */
  readonly addresses: readonly string[];
}

/** Limits on one subject; null means that this subject does not limit it. */
export interface SubjectLimits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  readonly maxConcurrent: number | null;
}

export interface KeyRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly name: string;
  readonly keyClass: KeyClass;
  /** HMAC-SHA-256 of the secret under the installation's pepper, hex. The secret itself is stored nowhere. */
  readonly hmac: string;
  /** The first characters, for people to recognise it: `wr-prod-3f9a`. */
  readonly hint: string;
  readonly scopes: KeyScopes;
  readonly limits: SubjectLimits;
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
  /** The key that this one replaces; the old one stays valid until its `expiresAtMs` (the overlap). */
  readonly replacesKeyId: string | null;
}

/** What an empty directory begins with. */
export interface FirstRecords {
  readonly organization: OrganizationRecord;
  readonly user: UserRecord;
  readonly key: KeyRecord;
}

export type BudgetScope = "organization" | "team" | "user" | "key";
export type BudgetWindow = "day" | "week" | "month" | "total";

export interface BudgetRecord {
  readonly id: string;
  readonly organizationId: string;
  readonly scope: BudgetScope;
  readonly subjectId: string;
  readonly window: BudgetWindow;
  readonly limitMicroUsd: number;
  /** A hard budget refuses, a soft one only alerts. */
  readonly enforcement: "hard" | "soft";
}

/** Everything the hot path needs to know of who exists, as one consistent reading. */
export interface DirectorySnapshot {
  /** Rises with every change. */
  readonly revision: number;
  readonly organizations: readonly OrganizationRecord[];
  readonly teams: readonly TeamRecord[];
  readonly users: readonly UserRecord[];
  readonly keys: readonly KeyRecord[];
  readonly budgets: readonly BudgetRecord[];
}

/**
 * Records are written by these operations alone. The `create` operations throw `StoreError`: `duplicate` for an id that is
 * taken (or a key's digest that is), `unknown_reference` for an organisation, team, user or replaced key that does not exist
 * or belongs to another organisation.
 */
export interface DirectoryStore {
  load(): Promise<DirectorySnapshot>;
  /**
   * Calls `onChange` after every change committed once this has resolved, whichever process made it, within a second;
   * several changes at once may be told once. Survives the loss of the connection. Returns a function that ends the
   * subscription.
   */
  subscribe(onChange: () => void): Promise<() => Promise<void>>;
  /**
   * Creates a first organisation with its first user and key, all or nothing, where there is no organisation yet; false, and
   * nothing created, where there is one. Of several processes at once, one creates.
   */
  createFirst(records: FirstRecords): Promise<boolean>;
  createOrganization(record: OrganizationRecord): Promise<void>;
  createTeam(record: TeamRecord): Promise<void>;
  createUser(record: UserRecord): Promise<void>;
  /** Sets a user's team, name and e-mail address; false when the organisation has no such user. Its status stays. */
  updateUser(record: Omit<UserRecord, "status">): Promise<boolean>;
  createKey(record: KeyRecord): Promise<void>;
  /** Sets `revokedAtMs` unless it is set; false when no such key exists. Idempotent. */
  revokeKey(keyId: string, atMs: number): Promise<boolean>;
  /** Moves a key's expiry (never later than it was); false when no such key exists. */
  expireKey(keyId: string, atMs: number): Promise<boolean>;
  setStatus(kind: "organization" | "team" | "user", id: string, status: "active" | "revoked"): Promise<boolean>;
  /** Creates or replaces the budget of (organisation, scope, subject, window). */
  putBudget(record: BudgetRecord): Promise<void>;
  /** Removes a budget; false when no such budget exists. */
  removeBudget(organizationId: string, budgetId: string): Promise<boolean>;
}
