import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { DirectoryStore } from "./directory.ts";
import type {
  DeviceGrant,
  GrantApproval,
  RefreshTokenRecord,
  Rotation,
  SessionRecord,
  SignInStore,
} from "./sign-in.ts";
import { StoreError } from "./store-error.ts";

const NOW_MS = 1_790_000_000_000;
const LINK = { organizationId: "org_acme", issuer: "https://idp.example.com", subject: "s-1", userId: "usr_ada" };
const FACTS = { email: "ada@example.com", groups: ["dev", "ops's"], role: null };
const GRANT: DeviceGrant = {
  deviceHmac: "d1",
  userHmac: "u1",
  createdAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 600_000,
  address: "192.0.2.7",
};
const APPROVAL: GrantApproval = { ...LINK, ...FACTS, sealedIdpRefresh: "sealed", readyAtMs: NOW_MS };
const SESSION: SessionRecord = {
  id: "ses_1",
  ...LINK,
  ...FACTS,
  createdAtMs: NOW_MS,
  expiresAtMs: NOW_MS + 1_000_000,
  revokedAtMs: null,
};
const TOKEN: RefreshTokenRecord = {
  hmac: "t1",
  sessionId: "ses_1",
  issuedAtMs: NOW_MS,
  sealedIdpRefresh: "sealed",
  rotatedAtMs: null,
  sealedSuccessor: null,
};
const ROTATION: Rotation = {
  hmac: "t1",
  atMs: NOW_MS + 10,
  sealedSuccessor: "sealed successor",
  successor: { ...TOKEN, hmac: "t2", issuedAtMs: NOW_MS + 10, sealedIdpRefresh: "sealed again" },
  facts: { email: "ada@new.example.com", groups: ["ops"], role: "auditor" },
  sessionExpiresAtMs: NOW_MS + 2_000_000,
};

/** What every SignInStore does. `open` gives an empty store beside an empty directory. */
export function signInContract(
  open: () => Promise<{ store: { signIn: SignInStore; directory: DirectoryStore }; close: () => Promise<void> }>,
): void {
  describe("a store of sign-ins", () => {
    let store: SignInStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      const opened = await open();
      ({ close } = opened);
      store = opened.store.signIn;
      const { directory } = opened.store;
      await directory.createOrganization({ id: "org_acme", name: "Acme", status: "active", timeZone: "UTC" });
      const user = { organizationId: "org_acme", teamId: null, email: null, status: "active" } as const;
      await directory.createUser({ ...user, id: "usr_ada", name: "Ada" });
      await directory.createUser({ ...user, id: "usr_bob", name: "Bob" });
    });
    afterEach(async () => {
      await close();
    });

    describe("links", () => {
      it("finds a person by organisation, issuer and subject, all three", async () => {
        expect(await store.addLink(LINK)).toBe(true);
        expect(await store.link("org_acme", LINK.issuer, "s-1")).toEqual(LINK);
        expect(await store.link("org_acme", LINK.issuer, "s-2")).toBeNull();
        expect(await store.link("org_acme", "https://other.example.com", "s-1")).toBeNull();
        expect(await store.link("org_other", LINK.issuer, "s-1")).toBeNull();
        expect(await store.isLinked("org_acme", "usr_ada")).toBe(true);
        expect(await store.isLinked("org_acme", "usr_bob")).toBe(false);
      });

      it("links a person once, of many at the same moment too", async () => {
        const users = ["usr_ada", "usr_bob", "usr_ada", "usr_bob"];
        const added = await Promise.all(users.map((userId) => store.addLink({ ...LINK, userId })));
        expect(added.filter(Boolean)).toHaveLength(1);
      });
    });

    describe("device grants", () => {
      beforeEach(async () => {
        await store.createGrant(GRANT);
      });
      const poll = (nowMs: number) => store.pollGrant("d1", nowMs, 4_000);

      it("are found by the person's code while they wait", async () => {
        expect(await store.pendingGrant("u1", NOW_MS)).toEqual(GRANT);
        expect(await store.pendingGrant("u2", NOW_MS)).toBeNull();
        expect(await store.pendingGrant("u1", GRANT.expiresAtMs)).toBeNull();
      });

      it.each([
        ["device code", { ...GRANT, userHmac: "u2" }],
        ["user code", { ...GRANT, deviceHmac: "d2" }],
      ])("never share a %s", async (_, grant) => {
        await expect(store.createGrant(grant)).rejects.toSatisfy(
          (error) => error instanceof StoreError && error.kind === "duplicate",
        );
      });

      it("tell a device that asks to wait, and to ask less often", async () => {
        expect(await poll(NOW_MS)).toEqual({ state: "pending" });
        expect(await poll(NOW_MS + 3_999)).toEqual({ state: "too_fast" });
        expect(await poll(NOW_MS + 7_998)).toEqual({ state: "too_fast" });
        expect(await poll(NOW_MS + 11_998)).toEqual({ state: "pending" });
        expect(await store.pollGrant("d9", NOW_MS, 0)).toEqual({ state: "unknown" });
      });

      it("give an approval out once, of many who ask at the same moment too", async () => {
        expect(await store.approveGrant("d1", APPROVAL, NOW_MS)).toBe(true);
        const polls = await Promise.all([1, 2, 3, 4].map(() => poll(NOW_MS)));
        expect(polls.filter(({ state }) => state === "approved")).toEqual([{ state: "approved", approval: APPROVAL }]);
        expect(await poll(NOW_MS + 5_000)).toEqual({ state: "unknown" });
      });

      it("hold an approval back until its user is known everywhere", async () => {
        await store.approveGrant("d1", { ...APPROVAL, readyAtMs: NOW_MS + 1_000 }, NOW_MS);
        expect(await poll(NOW_MS + 999)).toEqual({ state: "pending" });
        expect(await poll(NOW_MS + 1_000)).toMatchObject({ state: "approved" });
      });

      it("are decided once", async () => {
        const decided = await Promise.all([
          store.approveGrant("d1", APPROVAL, NOW_MS),
          store.denyGrant("d1", NOW_MS),
          store.approveGrant("d1", APPROVAL, NOW_MS),
        ]);
        expect(decided.filter(Boolean)).toHaveLength(1);
        expect(await store.pendingGrant("u1", NOW_MS)).toBeNull();
      });

      it("tell a denial once", async () => {
        expect(await store.denyGrant("d1", NOW_MS)).toBe(true);
        expect(await poll(NOW_MS)).toEqual({ state: "denied" });
        expect(await poll(NOW_MS)).toEqual({ state: "unknown" });
      });

      it("cannot be decided or fetched once they have expired", async () => {
        expect(await store.approveGrant("d1", APPROVAL, GRANT.expiresAtMs)).toBe(false);
        expect(await store.denyGrant("d1", GRANT.expiresAtMs)).toBe(false);
        await store.approveGrant("d1", APPROVAL, NOW_MS);
        expect(await poll(GRANT.expiresAtMs)).toEqual({ state: "expired" });
        await store.purge(GRANT.expiresAtMs);
        expect(await poll(NOW_MS)).toEqual({ state: "unknown" });
      });
    });

    describe("sessions", () => {
      beforeEach(async () => {
        await store.createSession(SESSION, TOKEN);
      });
      const claim = (hmac: string, nowMs = NOW_MS) => store.claimRefresh(hmac, nowMs, nowMs + 100);

      it("are read as they were created", async () => {
        expect(await store.session("ses_1")).toEqual(SESSION);
        expect(await store.session("ses_2")).toBeNull();
      });

      it("let one at a time rotate a refresh token", async () => {
        const claims = await Promise.all([claim("t1"), claim("t1"), claim("t1")]);
        expect(claims.map(({ state }) => state).sort()).toEqual(["busy", "busy", "claimed"]);
        expect(claims.find(({ state }) => state === "claimed")).toEqual({
          state: "claimed",
          token: TOKEN,
          session: SESSION,
        });
        await store.releaseRefresh("t1");
        expect(await claim("t1")).toMatchObject({ state: "claimed" });
        expect(await claim("t1", NOW_MS + 100)).toMatchObject({ state: "claimed" });
        expect(await claim("t9")).toEqual({ state: "unknown" });
      });

      it("replace a token by its successor and take what the provider says now", async () => {
        await claim("t1");
        expect(await store.rotateRefresh(ROTATION)).toBe(true);
        const session = { ...SESSION, ...ROTATION.facts, expiresAtMs: ROTATION.sessionExpiresAtMs };
        expect(await store.session("ses_1")).toEqual(session);
        const replaced = {
          ...TOKEN,
          rotatedAtMs: NOW_MS + 10,
          sealedSuccessor: "sealed successor",
          sealedIdpRefresh: null,
        };
        expect(await claim("t1")).toEqual({ state: "rotated", token: replaced, session });
        expect(await claim("t2")).toEqual({ state: "claimed", token: ROTATION.successor, session });
        const again = { ...ROTATION, successor: { ...ROTATION.successor, hmac: "t3" } };
        expect(await store.rotateRefresh(again)).toBe(false);
        expect(await claim("t3")).toEqual({ state: "unknown" });
      });

      it("end once, and are not renewed after it", async () => {
        expect(await store.revokeSession("ses_1", NOW_MS + 5, NOW_MS + 50)).toBe(true);
        expect(await store.revokeSession("ses_1", NOW_MS + 6, NOW_MS + 60)).toBe(false);
        expect(await store.revokeSession("ses_9", NOW_MS, NOW_MS)).toBe(false);
        expect(await store.session("ses_1")).toEqual({ ...SESSION, revokedAtMs: NOW_MS + 5 });
        expect(await store.rotateRefresh(ROTATION)).toBe(false);
        expect(await store.revokedSessions(NOW_MS)).toEqual([{ sessionId: "ses_1", untilMs: NOW_MS + 50 }]);
        expect(await store.revokedSessions(NOW_MS + 50)).toEqual([]);
      });

      it("tell of their end", async () => {
        const { promise, resolve } = Promise.withResolvers<void>();
        const end = await store.subscribe(resolve);
        await store.revokeSession("ses_1", NOW_MS, NOW_MS + 50);
        await promise;
        await end();
      });

      it("are removed with their tokens when they have expired", async () => {
        await store.purge(SESSION.expiresAtMs - 1);
        expect(await store.session("ses_1")).toEqual(SESSION);
        await store.purge(SESSION.expiresAtMs);
        expect(await store.session("ses_1")).toBeNull();
        expect(await claim("t1")).toEqual({ state: "unknown" });
      });
    });

    describe("attempts", () => {
      it("are counted by name and window, none lost", async () => {
        const counts = await Promise.all([1, 2, 3, 4, 5].map(() => store.countAttempt("a", 1_000, NOW_MS)));
        expect(counts.sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5]);
        expect(await store.countAttempt("b", 1_000, NOW_MS)).toBe(1);
        expect(await store.countAttempt("a", 1_000, NOW_MS + 999)).toBe(6);
        expect(await store.countAttempt("a", 1_000, NOW_MS + 1_000)).toBe(1);
        expect(await store.countAttempt("a", 1_000, NOW_MS + 1_999)).toBe(2);
      });
    });
  });
}
