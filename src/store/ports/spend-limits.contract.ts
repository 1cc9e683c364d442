import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { DirectoryStore } from "./directory.ts";
import type { AlertMark, RaiseRecord, SpendAct, SpendLimitRecord, SpendLimitStore } from "./spend-limits.ts";

const AT_MS = 1_790_000_000_123;
const ACT: SpendAct = { actor: "admin-key:ci", atMs: AT_MS, reason: null };
const LIMIT: SpendLimitRecord = {
  id: "spl_1",
  organizationId: "org_acme",
  scope: "user",
  subjectId: "usr_ada",
  sharing: "shared",
  window: "month",
  limitMicroUsd: 50_000_000,
  enforcement: "hard",
  paused: false,
  createdAtMs: AT_MS,
  updatedAtMs: AT_MS,
};
const RAISE: RaiseRecord = {
  id: "rse_1",
  organizationId: "org_acme",
  scope: "user",
  subjectId: "usr_ada",
  window: "month",
  addMicroUsd: 5_000_000,
  reason: "release week",
  createdBy: "cli:root",
  fromMs: AT_MS,
  untilMs: AT_MS + 1_000,
};
const MARK: AlertMark = {
  organizationId: "org_acme",
  scope: "team",
  subjectId: "team_core",
  window: "day",
  windowStartMs: AT_MS - 1_000,
  thresholdPercent: 80,
  firedAtMs: AT_MS,
  limitMicroUsd: 10_000_000,
  spentMicroUsd: 8_000_001,
};
const LEASE_MS = AT_MS + 100;

interface Opened {
  readonly directory: DirectoryStore;
  readonly spend: SpendLimitStore;
}

/** What every SpendLimitStore does. `open` gives empty stores, of which the directory's subscribers hear of both. */
export function spendLimitsContract(open: () => Promise<{ store: Opened; close: () => Promise<void> }>): void {
  describe("a store of spend limits", () => {
    let directory: DirectoryStore;
    let store: SpendLimitStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      const opened = await open();
      ({ directory, spend: store } = opened.store);
      close = opened.close;
      for (const id of ["org_acme", "org_other"]) {
        await directory.createOrganization({ id, name: id, status: "active", timeZone: "UTC" });
      }
      const user = { organizationId: "org_acme", teamId: null, email: null, status: "active" } as const;
      await directory.createUser({ id: "usr_ada", name: "ada", ...user });
      await directory.createKey({
        id: "key_1",
        organizationId: "org_acme",
        teamId: null,
        userId: null,
        name: "ci",
        keyClass: "ci",
        hmac: "hmac",
        hint: "wr-ci",
        scopes: { models: [], endpoints: [], addresses: [] },
        limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
        createdAtMs: AT_MS,
        expiresAtMs: null,
        revokedAtMs: null,
        replacesKeyId: null,
      });
    });
    afterEach(async () => {
      await close();
    });

    it("gives back what was put, in its organisation alone, in the order of creation", async () => {
      const later = { ...LIMIT, id: "spl_0", window: "day", createdAtMs: AT_MS + 5, limitMicroUsd: null } as const;
      await store.put(later, ACT);
      await store.put(LIMIT, ACT);

      expect(await store.list("org_acme")).toEqual([LIMIT, later]);
      expect(await store.list("org_other")).toEqual([]);
      expect((await store.load(AT_MS)).limits).toEqual(expect.arrayContaining([LIMIT, later]));
    });

    it("replaces a limit of the same thing, which keeps its id and its creation", async () => {
      await store.put(LIMIT, ACT);
      const next = { ...LIMIT, id: "spl_2", limitMicroUsd: 1, createdAtMs: AT_MS + 9, updatedAtMs: AT_MS + 9 };
      const stored = { ...next, id: "spl_1", createdAtMs: AT_MS };

      expect(await store.put(next, ACT)).toEqual(stored);
      expect(await store.list("org_acme")).toEqual([stored]);
    });

    it("keeps a pool, a limit per seat and other windows of one subject apart", async () => {
      const team = { ...LIMIT, scope: "team", subjectId: "team_core" } as const;
      await store.put({ ...team, id: "spl_a" }, ACT);
      await store.put({ ...team, id: "spl_b", sharing: "seat" }, ACT);
      await store.put({ ...team, id: "spl_c", window: "day" }, ACT);

      expect(await store.list("org_acme")).toHaveLength(3);
    });

    it("takes the place of a budget that an earlier version wrote of the same thing", async () => {
      const budget = {
        id: "bud_1",
        organizationId: "org_acme",
        scope: "user",
        subjectId: "usr_ada",
        limitMicroUsd: 7,
        enforcement: "hard",
      } as const;
      await directory.putBudget({ ...budget, window: "month" });
      await directory.putBudget({ ...budget, id: "bud_2", window: "day" });
      await store.put(LIMIT, ACT);

      expect((await directory.load()).budgets.map(({ id }) => id)).toEqual(["bud_2"]);
    });

    it("removes a limit of its own organisation, once", async () => {
      await store.put(LIMIT, ACT);

      expect(await store.remove("org_other", "spl_1", ACT)).toBeNull();
      expect(await store.remove("org_acme", "spl_1", ACT)).toEqual(LIMIT);
      expect(await store.remove("org_acme", "spl_1", ACT)).toBeNull();
      expect(await store.list("org_acme")).toEqual([]);
    });

    it("refuses a limit of an organisation that does not exist", async () => {
      await expect(store.put({ ...LIMIT, organizationId: "org_none" }, ACT)).rejects.toMatchObject({
        kind: "unknown_reference",
      });
    });

    it("loads increases until they have ended, by themselves or ended early", async () => {
      await store.addRaise(RAISE, ACT);
      await store.addRaise({ ...RAISE, id: "rse_2", untilMs: AT_MS + 9_000 }, ACT);
      const loaded = async (atMs: number): Promise<string[]> => (await store.load(atMs)).raises.map(({ id }) => id);
      expect((await store.load(AT_MS)).raises).toContainEqual(RAISE);
      expect(await loaded(AT_MS + 999)).toEqual(["rse_1", "rse_2"]);
      expect(await loaded(AT_MS + 1_000)).toEqual(["rse_2"]);

      const end = { ...ACT, atMs: AT_MS + 2_000 };
      expect(await store.endRaise("org_other", "rse_2", end)).toBeNull();
      expect(await store.endRaise("org_acme", "rse_1", end)).toBeNull();
      expect(await store.endRaise("org_acme", "rse_2", end)).toMatchObject({ id: "rse_2", untilMs: AT_MS + 2_000 });
      expect(await loaded(AT_MS + 2_000)).toEqual([]);
    });

    it("gives a key one tag, replaces it, and takes it away", async () => {
      const key = { organizationId: "org_acme", keyId: "key_1" };
      await store.setKeyTag(key, "search", ACT);
      await store.setKeyTag(key, "billing", ACT);
      expect((await store.load(AT_MS)).keyTags).toEqual([{ ...key, tag: "billing" }]);

      await store.setKeyTag(key, null, ACT);
      expect((await store.load(AT_MS)).keyTags).toEqual([]);
      const foreign = store.setKeyTag({ organizationId: "org_other", keyId: "key_1" }, "search", ACT);
      await expect(foreign).rejects.toMatchObject({ kind: "unknown_reference" });
    });

    it("remembers what was last seen of a user", async () => {
      const seen = { organizationId: "org_acme", userId: "usr_ada", subject: "sub-1", groups: ["a"], seenAtMs: AT_MS };
      await store.rememberMember(seen);
      await store.rememberMember({ ...seen, groups: ["b", "a"], seenAtMs: AT_MS + 1 });

      expect((await store.load(AT_MS)).members).toEqual([{ ...seen, groups: ["b", "a"], seenAtMs: AT_MS + 1 }]);
      await expect(store.rememberMember({ ...seen, userId: "usr_none" })).rejects.toMatchObject({
        kind: "unknown_reference",
      });
    });

    it("writes every change into the trail of its organisation, with before and after, newest first", async () => {
      const act = { ...ACT, reason: "asked for" };
      await store.put(LIMIT, act);
      await store.put({ ...LIMIT, limitMicroUsd: 1 }, ACT);
      await store.remove("org_acme", "spl_1", ACT);
      await store.addRaise(RAISE, ACT);
      const events = await store.events("org_acme", { limit: 10 });

      expect(events.map(({ action }) => action)).toEqual([
        "spend_raise.create",
        "spend_limit.delete",
        "spend_limit.upsert",
        "spend_limit.upsert",
      ]);
      const [raised, deleted, changed, created] = events;
      expect(raised).toMatchObject({ targetId: "rse_1", before: null, after: { addMicroUsd: 5_000_000 } });
      expect(deleted).toMatchObject({ before: { limitMicroUsd: 1 }, after: null, actor: "admin-key:ci" });
      expect(changed).toMatchObject({ before: { limitMicroUsd: 50_000_000 }, after: { limitMicroUsd: 1 } });
      expect(created).toMatchObject({ before: null, after: { id: "spl_1" }, reason: "asked for", atMs: AT_MS });
      expect(await store.events("org_other", { limit: 10 })).toEqual([]);
    });

    it("pages the trail by the id of the last event", async () => {
      for (const limitMicroUsd of [1, 2, 3]) await store.put({ ...LIMIT, limitMicroUsd }, ACT);
      const first = await store.events("org_acme", { limit: 2 });
      const rest = await store.events("org_acme", { limit: 2, afterId: first.at(-1)?.id ?? 0 });

      expect([...first, ...rest].map(({ after }) => after?.["limitMicroUsd"])).toEqual([3, 2, 1]);
    });

    it("gives a mark to one claimer, once a window and threshold, whoever asks", async () => {
      const claim = (given: Partial<AlertMark> = {}): Promise<boolean> =>
        store.claimMark({ ...MARK, ...given }, LEASE_MS);
      const claims = await Promise.all([claim(), claim(), claim()]);
      expect(claims.filter(Boolean)).toHaveLength(1);
      expect(await claim({ firedAtMs: AT_MS + 5, spentMicroUsd: 9 })).toBe(false);
      expect(await claim({ thresholdPercent: 95 })).toBe(true);
      expect(await claim({ windowStartMs: AT_MS })).toBe(true);
    });

    it("gives a mark that was not delivered in time to the next, once, and a delivered one to nobody", async () => {
      await store.claimMark(MARK, LEASE_MS);
      await store.claimMark({ ...MARK, thresholdPercent: 95 }, LEASE_MS);
      await store.delivered(MARK, AT_MS);

      expect(await store.claimUndelivered(LEASE_MS - 1, LEASE_MS + 50)).toEqual([]);
      expect(await store.claimUndelivered(LEASE_MS, LEASE_MS + 50)).toEqual([{ ...MARK, thresholdPercent: 95 }]);
      expect(await store.claimUndelivered(LEASE_MS + 1, LEASE_MS + 50)).toEqual([]);
    });

    it("shows the marks since a moment, and those of totals, however old", async () => {
      const total = { ...MARK, window: "total", firedAtMs: 5, windowStartMs: 0 } as const;
      await store.claimMark(MARK, LEASE_MS);
      await store.claimMark({ ...MARK, thresholdPercent: 95, firedAtMs: AT_MS - 1 }, LEASE_MS);
      await store.claimMark(total, LEASE_MS);

      expect(await store.marks(AT_MS)).toEqual(expect.arrayContaining([MARK, total]));
      expect(await store.marks(AT_MS)).toHaveLength(2);
    });

    it("forgets what is older than it is kept, but never what was told of a total", async () => {
      await store.put(LIMIT, ACT);
      await store.rememberMember({
        organizationId: "org_acme",
        userId: "usr_ada",
        subject: null,
        groups: [],
        seenAtMs: AT_MS,
      });
      await store.claimMark(MARK, LEASE_MS);
      await store.claimMark({ ...MARK, window: "total", windowStartMs: 0 }, LEASE_MS);
      const keepAll = { eventsBeforeMs: AT_MS, membersBeforeMs: AT_MS, marksBeforeMs: AT_MS };
      await store.prune(keepAll);
      expect(await store.events("org_acme", { limit: 9 })).toHaveLength(1);

      await store.prune({ eventsBeforeMs: AT_MS + 1, membersBeforeMs: AT_MS + 1, marksBeforeMs: AT_MS + 1 });
      expect(await store.events("org_acme", { limit: 9 })).toEqual([]);
      expect((await store.load(AT_MS)).members).toEqual([]);
      expect((await store.marks(0)).map(({ window }) => window)).toEqual(["total"]);
      expect(await store.list("org_acme")).toEqual([LIMIT]);
    });

    it("is a change of the directory, of which its subscribers hear", async () => {
      let heard = Promise.withResolvers<void>();
      const stop = await directory.subscribe(() => heard.resolve());
      try {
        for (const change of [
          () => store.put(LIMIT, ACT),
          () => store.addRaise(RAISE, ACT),
          () => store.setKeyTag({ organizationId: "org_acme", keyId: "key_1" }, "search", ACT),
          () => store.remove("org_acme", "spl_1", ACT),
        ]) {
          heard = Promise.withResolvers<void>();
          await change();
          await heard.promise;
        }
      } finally {
        await stop();
      }
    });
  });
}
