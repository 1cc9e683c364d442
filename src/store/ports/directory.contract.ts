import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type {
  BudgetRecord,
  DirectoryStore,
  KeyRecord,
  OrganizationRecord,
  TeamRecord,
  UserRecord,
} from "./directory.ts";
import { StoreError, type StoreErrorKind } from "./store-error.ts";

const ACME: OrganizationRecord = { id: "org_acme", name: "Acme", status: "active", timeZone: "Europe/Berlin" };
const OTHER: OrganizationRecord = { id: "org_other", name: "Other", status: "active", timeZone: "UTC" };
const TEAM: TeamRecord = { id: "team_core", organizationId: ACME.id, name: "Core", status: "active" };
const OTHER_TEAM: TeamRecord = { id: "team_other", organizationId: OTHER.id, name: "Other", status: "active" };
const USER: UserRecord = {
  id: "usr_ada",
  organizationId: ACME.id,
  teamId: TEAM.id,
  name: "Ada",
  email: "ada@example.com",
  status: "active",
};
const KEY: KeyRecord = {
  id: "key_1",
  organizationId: ACME.id,
  teamId: TEAM.id,
  userId: USER.id,
  name: "laptop",
  keyClass: "prod",
  hmac: "a".repeat(64),
  hint: "wr-prod-3f9a",
  scopes: { models: ["claude-haiku-*"], endpoints: ["messages"], addresses: ["10.0.0.0/8"] },
  limits: { requestsPerMinute: 60, tokensPerMinute: 9_000_000_000, maxConcurrent: null },
  createdAtMs: 1_790_000_000_123,
  expiresAtMs: null,
  revokedAtMs: null,
  replacesKeyId: null,
};
const BUDGET: BudgetRecord = {
  id: "bud_1",
  organizationId: ACME.id,
  scope: "key",
  subjectId: KEY.id,
  window: "month",
  limitMicroUsd: 12_345_678_901_234,
  enforcement: "hard",
};

/** What every DirectoryStore does. `open` gives an empty store. */
export function directoryContract(open: () => Promise<{ store: DirectoryStore; close: () => Promise<void> }>): void {
  describe("a directory store", () => {
    let store: DirectoryStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({ store, close } = await open());
      await store.createOrganization(ACME);
      await store.createOrganization(OTHER);
      await store.createTeam(TEAM);
      await store.createTeam(OTHER_TEAM);
      await store.createUser(USER);
    });
    afterEach(async () => {
      await close();
    });

    it("gives back every record as it was created, ordered by id", async () => {
      await store.createKey(KEY);
      await store.putBudget(BUDGET);
      expect(await store.load()).toEqual({
        revision: expect.any(Number),
        organizations: [ACME, OTHER],
        teams: [TEAM, OTHER_TEAM],
        users: [USER],
        keys: [KEY],
        budgets: [BUDGET],
      });
    });

    it("raises the revision with every change, and only with a change", async () => {
      await store.createKey(KEY);
      const before = (await store.load()).revision;
      await store.revokeKey(KEY.id, 5);
      const after = (await store.load()).revision;
      await store.revokeKey(KEY.id, 6);
      await store.setStatus("user", USER.id, "active");
      expect(after).toBeGreaterThan(before);
      expect((await store.load()).revision).toBe(after);
    });

    it("refuses an id that is taken", async () => {
      await store.createKey(KEY);
      await refuses("duplicate", store.createOrganization(ACME));
      await refuses("duplicate", store.createTeam(TEAM));
      await refuses("duplicate", store.createUser(USER));
      await refuses("duplicate", store.createKey({ ...KEY, hmac: "b".repeat(64) }));
    });

    it("refuses a second key with the same secret", async () => {
      await store.createKey(KEY);
      await refuses("duplicate", store.createKey({ ...KEY, id: "key_2" }));
    });

    it("refuses references to what does not exist or belongs to another organisation", async () => {
      await refuses("unknown_reference", store.createTeam({ ...TEAM, id: "team_x", organizationId: "org_none" }));
      await refuses("unknown_reference", store.createUser({ ...USER, id: "usr_x", teamId: OTHER_TEAM.id }));
      await refuses("unknown_reference", store.createKey({ ...KEY, teamId: OTHER_TEAM.id }));
      await refuses("unknown_reference", store.createKey({ ...KEY, organizationId: OTHER.id, teamId: null }));
      await refuses("unknown_reference", store.createKey({ ...KEY, replacesKeyId: "key_none" }));
      await refuses("unknown_reference", store.putBudget({ ...BUDGET, organizationId: "org_none" }));
      expect((await store.load()).keys).toEqual([]);
    });

    it("revokes a key once: a second revocation does not move the time", async () => {
      await store.createKey(KEY);
      expect(await store.revokeKey(KEY.id, 1_000)).toBe(true);
      expect(await store.revokeKey(KEY.id, 2_000)).toBe(true);
      expect((await store.load()).keys[0]?.revokedAtMs).toBe(1_000);
      expect(await store.revokeKey("key_none", 1_000)).toBe(false);
    });

    it("moves a key's expiry earlier, never later", async () => {
      await store.createKey(KEY);
      expect(await store.expireKey(KEY.id, 5_000)).toBe(true);
      expect(await store.expireKey(KEY.id, 9_000)).toBe(true);
      expect((await store.load()).keys[0]?.expiresAtMs).toBe(5_000);
      expect(await store.expireKey(KEY.id, 3_000)).toBe(true);
      expect((await store.load()).keys[0]?.expiresAtMs).toBe(3_000);
      expect(await store.expireKey("key_none", 3_000)).toBe(false);
    });

    it("changes a user's team, name and address, of their own organisation and to one of its teams, and nothing else", async () => {
      await store.setStatus("user", USER.id, "revoked");
      const { status: _, ...changed } = { ...USER, name: "New name", email: "new@example.com", teamId: null };
      expect(await store.updateUser(changed)).toBe(true);
      expect((await store.load()).users).toEqual([{ ...changed, status: "revoked" }]);
      expect(await store.updateUser({ ...changed, id: "usr_none" })).toBe(false);
      expect(await store.updateUser({ ...changed, organizationId: OTHER.id })).toBe(false);
      await refuses("unknown_reference", store.updateUser({ ...changed, teamId: OTHER_TEAM.id }));
      expect((await store.load()).users).toEqual([{ ...changed, status: "revoked" }]);
    });

    it("sets the status of organisations, teams and users", async () => {
      expect(await store.setStatus("organization", ACME.id, "revoked")).toBe(true);
      expect(await store.setStatus("team", TEAM.id, "revoked")).toBe(true);
      expect(await store.setStatus("user", USER.id, "revoked")).toBe(true);
      expect(await store.setStatus("user", "usr_none", "revoked")).toBe(false);
      const { organizations, teams, users } = await store.load();
      expect([organizations[0], teams[0], users[0]].map((record) => record?.status)).toEqual(Array(3).fill("revoked"));
      expect(organizations[1]?.status).toBe("active");
    });

    it("replaces the budget of the same subject and window, and keeps others", async () => {
      const daily: BudgetRecord = { ...BUDGET, id: "bud_2", window: "day" };
      const raised: BudgetRecord = { ...BUDGET, id: "bud_3", limitMicroUsd: 5, enforcement: "soft" };
      await store.putBudget(BUDGET);
      await store.putBudget(daily);
      await store.putBudget(raised);
      await store.putBudget(raised);
      expect((await store.load()).budgets).toEqual([daily, raised]);
    });

    it("does not let one organisation replace or remove another's budget", async () => {
      const foreign: BudgetRecord = { ...BUDGET, id: "bud_2", organizationId: OTHER.id };
      await store.putBudget(BUDGET);
      await store.putBudget(foreign);
      expect(await store.removeBudget(OTHER.id, BUDGET.id)).toBe(false);
      expect((await store.load()).budgets).toEqual([BUDGET, foreign]);
      expect(await store.removeBudget(ACME.id, BUDGET.id)).toBe(true);
      expect((await store.load()).budgets).toEqual([foreign]);
    });

    it("creates no first organisation where there is one", async () => {
      const organization = { ...ACME, id: "org_late" };
      const user = { ...USER, id: "usr_late", organizationId: "org_late", teamId: null };
      const before = await store.load();
      expect(await store.createFirst({ organization, user, key: { ...KEY, userId: user.id, teamId: null } })).toBe(
        false,
      );
      expect(await store.load()).toEqual(before);
    });

    it("tells every subscriber of a change, until it ends its subscription", async () => {
      const first = new Heard();
      const second = new Heard();
      const endFirst = await store.subscribe(first.note);
      const endSecond = await store.subscribe(second.note);
      await store.createKey(KEY);
      await Promise.all([first.next(), second.next()]);
      await endFirst();
      const told = first.count;
      await store.revokeKey(KEY.id, 1);
      await second.next();
      expect(first.count).toBe(told);
      await endSecond();
    });
  });

  describe("an empty directory store", () => {
    const organization: OrganizationRecord = { ...ACME, id: "org_first" };
    const user: UserRecord = { ...USER, id: "usr_first", organizationId: organization.id, teamId: null };
    const key: KeyRecord = { ...KEY, organizationId: organization.id, teamId: null, userId: user.id };
    let store: DirectoryStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(async () => {
      await close();
    });

    it("begins with an organisation, a user and a key at once", async () => {
      expect(await store.createFirst({ organization, user, key })).toBe(true);
      expect(await store.load()).toMatchObject({ organizations: [organization], users: [user], keys: [key] });
    });

    it("stays empty when one of the three cannot be created", async () => {
      await refuses(
        "unknown_reference",
        store.createFirst({ organization, user, key: { ...key, replacesKeyId: "key_x" } }),
      );
      expect(await store.load()).toMatchObject({ organizations: [], users: [], keys: [] });
    });

    it("begins once, when several would begin it at the same time", async () => {
      const begun = await Promise.all(
        [1, 2, 3, 4].map((n) => {
          const own = { ...organization, id: `org_${n}` };
          const admin = { ...user, id: `usr_${n}`, organizationId: own.id };
          const first = {
            ...key,
            id: `key_${n}`,
            hmac: String(n).repeat(64),
            organizationId: own.id,
            userId: admin.id,
          };
          return store.createFirst({ organization: own, user: admin, key: first });
        }),
      );
      expect(begun.filter(Boolean)).toHaveLength(1);
      expect((await store.load()).keys).toHaveLength(1);
    });
  });
}

async function refuses(kind: StoreErrorKind, operation: Promise<unknown>): Promise<void> {
  const error: unknown = await operation.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ kind });
}

/** Counts calls and lets a test wait for the next that it has not waited for. */
class Heard {
  count = 0;
  #awaited = 0;
  #wake: () => void = () => {};

  readonly note = (): void => {
    this.count += 1;
    this.#wake();
  };

  async next(): Promise<void> {
    while (this.count <= this.#awaited) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#awaited = this.count;
  }
}
