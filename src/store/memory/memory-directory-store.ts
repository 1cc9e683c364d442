import type {
  BudgetRecord,
  DirectorySnapshot,
  DirectoryStore,
  FirstRecords,
  KeyRecord,
  OrganizationRecord,
  TeamRecord,
  UserRecord,
} from "../ports/directory.ts";
import { StoreError } from "../ports/store-error.ts";

type Status = "active" | "revoked";

/** The directory in this process's memory: for tests and for running without a database. */
export class MemoryDirectoryStore implements DirectoryStore {
  readonly #organizations = new Map<string, OrganizationRecord>();
  readonly #teams = new Map<string, TeamRecord>();
  readonly #users = new Map<string, UserRecord>();
  readonly #keys = new Map<string, KeyRecord>();
  readonly #budgets = new Map<string, BudgetRecord>();
  readonly #subscribers = new Set<{ onChange: () => void }>();
  #revision = 1;

  async load(): Promise<DirectorySnapshot> {
    return {
      revision: this.#revision,
      organizations: byId(this.#organizations),
      teams: byId(this.#teams),
      users: byId(this.#users),
      keys: byId(this.#keys),
      budgets: byId(this.#budgets),
    };
  }

  async subscribe(onChange: () => void): Promise<() => Promise<void>> {
    const subscriber = { onChange };
    this.#subscribers.add(subscriber);
    return async () => {
      this.#subscribers.delete(subscriber);
    };
  }

  async createFirst({ organization, user, key }: FirstRecords): Promise<boolean> {
    if (this.#organizations.size > 0) return false;
    this.#put(this.#organizations, organization);
    try {
      await this.createUser(user);
      await this.createKey(key);
    } catch (error) {
      this.#organizations.clear();
      this.#users.clear();
      throw error;
    }
    return true;
  }

  async createOrganization(record: OrganizationRecord): Promise<void> {
    this.#insert(this.#organizations, record, "organisation");
  }

  async createTeam(record: TeamRecord): Promise<void> {
    this.#requireOrganization(record.organizationId);
    this.#insert(this.#teams, record, "team");
  }

  async createUser(record: UserRecord): Promise<void> {
    this.#requireOrganization(record.organizationId);
    requireSameOrganization(this.#teams, record.teamId, record.organizationId);
    this.#insert(this.#users, record, "user");
  }

  async updateUser(record: Omit<UserRecord, "status">): Promise<boolean> {
    const user = this.#users.get(record.id);
    if (user?.organizationId !== record.organizationId) return false;
    requireSameOrganization(this.#teams, record.teamId, record.organizationId);
    this.#put(this.#users, { ...record, status: user.status });
    return true;
  }

  async createKey(record: KeyRecord): Promise<void> {
    const { organizationId, teamId, userId, replacesKeyId, hmac } = record;
    this.#requireOrganization(organizationId);
    requireSameOrganization(this.#teams, teamId, organizationId);
    requireSameOrganization(this.#users, userId, organizationId);
    requireSameOrganization(this.#keys, replacesKeyId, organizationId);
    for (const key of this.#keys.values()) {
      if (key.hmac === hmac) throw new StoreError("duplicate", `creating key ${record.id}: its secret is in use`);
    }
    this.#insert(this.#keys, record, "key");
  }

  async revokeKey(keyId: string, atMs: number): Promise<boolean> {
    const key = this.#keys.get(keyId);
    if (key !== undefined && key.revokedAtMs === null) this.#put(this.#keys, { ...key, revokedAtMs: atMs });
    return key !== undefined;
  }

  async expireKey(keyId: string, atMs: number): Promise<boolean> {
    const key = this.#keys.get(keyId);
    if (key !== undefined && (key.expiresAtMs === null || key.expiresAtMs > atMs)) {
      this.#put(this.#keys, { ...key, expiresAtMs: atMs });
    }
    return key !== undefined;
  }

  async setStatus(kind: "organization" | "team" | "user", id: string, status: Status): Promise<boolean> {
    if (kind === "organization") return this.#setStatus(this.#organizations, id, status);
    if (kind === "team") return this.#setStatus(this.#teams, id, status);
    return this.#setStatus(this.#users, id, status);
  }

  async putBudget(record: BudgetRecord): Promise<void> {
    this.#requireOrganization(record.organizationId);
    const former = [...this.#budgets.values()].find((budget) => isSameBudget(budget, record));
    const holder = this.#budgets.get(record.id);
    if (holder !== undefined && holder !== former) {
      throw new StoreError("duplicate", `setting budget ${record.id}: another budget has this id`);
    }
    if (former !== undefined) this.#budgets.delete(former.id);
    this.#put(this.#budgets, record);
  }

  async removeBudget(organizationId: string, budgetId: string): Promise<boolean> {
    if (this.#budgets.get(budgetId)?.organizationId !== organizationId) return false;
    this.#budgets.delete(budgetId);
    this.#changed();
    return true;
  }

  /** Tells the subscribers of a change of what belongs to the directory and is kept beside it. */
  announce(): void {
    this.#changed();
  }

  #requireOrganization(id: string): void {
    if (!this.#organizations.has(id)) throw unknownReference(id);
  }

  #setStatus<T extends { id: string; status: Status }>(records: Map<string, T>, id: string, status: Status): boolean {
    const record = records.get(id);
    if (record !== undefined && record.status !== status) this.#put(records, { ...record, status });
    return record !== undefined;
  }

  #insert<T extends { id: string }>(records: Map<string, T>, record: T, what: string): void {
    if (records.has(record.id)) throw new StoreError("duplicate", `creating ${what} ${record.id}: it exists already`);
    this.#put(records, record);
  }

  #put<T extends { id: string }>(records: Map<string, T>, record: T): void {
    records.set(record.id, structuredClone(record));
    this.#changed();
  }

  #changed(): void {
    this.#revision += 1;
    setImmediate(() => {
      for (const subscriber of this.#subscribers) subscriber.onChange();
    });
  }
}

function byId<T extends { id: string }>(records: ReadonlyMap<string, T>): readonly T[] {
  return [...records.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

function requireSameOrganization(
  records: ReadonlyMap<string, { organizationId: string }>,
  id: string | null,
  organizationId: string,
): void {
  if (id !== null && records.get(id)?.organizationId !== organizationId) throw unknownReference(id);
}

function isSameBudget(a: BudgetRecord, b: BudgetRecord): boolean {
  return (
    a.organizationId === b.organizationId && a.scope === b.scope && a.subjectId === b.subjectId && a.window === b.window
  );
}

function unknownReference(id: string): StoreError {
  return new StoreError("unknown_reference", `${id} does not exist in this organisation`);
}
