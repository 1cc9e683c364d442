import { describe, expect, it } from "vitest";

import { WeirError } from "../core/weir-error.ts";
import type {
  DirectorySnapshot,
  KeyRecord,
  OrganizationRecord,
  TeamRecord,
  UserRecord,
} from "../store/ports/directory.ts";
import { KeyRing } from "./key-ring.ts";
import { KeyHasher, newKeySecret } from "./key-secret.ts";

const hasher = new KeyHasher("test pepper");
const SECRET = newKeySecret("dev");
const NOW_MS = Date.UTC(2026, 10, 20, 12);

function organization(given: Partial<OrganizationRecord> = {}): OrganizationRecord {
  return { id: "org_1", name: "Acme", status: "active", timeZone: "UTC", ...given };
}

function team(given: Partial<TeamRecord> = {}): TeamRecord {
  return { id: "team_1", organizationId: "org_1", name: "Core", status: "active", ...given };
}

function user(given: Partial<UserRecord> = {}): UserRecord {
  const email = "ada@example.com";
  return { id: "usr_1", organizationId: "org_1", teamId: "team_1", name: "Ada", email, status: "active", ...given };
}

function key(given: Partial<KeyRecord> = {}, secret = SECRET): KeyRecord {
  return {
    id: "key_1",
    organizationId: "org_1",
    teamId: null,
    userId: "usr_1",
    name: "laptop",
    keyClass: "dev",
    hmac: hasher.hmac(secret),
    hint: "wr-dev-abcd",
    scopes: { models: [], endpoints: [], addresses: [] },
    limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
    ...given,
  };
}

function directory(given: Partial<DirectorySnapshot> = {}): DirectorySnapshot {
  return {
    revision: 1,
    organizations: [organization()],
    teams: [team()],
    users: [user()],
    keys: [key()],
    budgets: [],
    ...given,
  };
}

function ringOf(given: Partial<DirectorySnapshot> = {}): KeyRing {
  const ring = new KeyRing(hasher);
  ring.replace(directory(given));
  return ring;
}

/** `valid`, or the code of the refusal. */
function verdict(ring: KeyRing, secret = SECRET, nowMs = NOW_MS): string {
  try {
    ring.authenticate(secret, nowMs);
    return "valid";
  } catch (error) {
    if (error instanceof WeirError) return error.code;
    throw error;
  }
}

describe("KeyRing.authenticate", () => {
  it("finds the key and everything that stands behind it", () => {
    const identity = ringOf().authenticate(SECRET, NOW_MS);

    expect(identity.principal).toEqual({
      organizationId: "org_1",
      teamId: "team_1",
      userId: "usr_1",
      keyId: "key_1",
      keyClass: "dev",
      userType: "developer",
      userName: "Ada",
    });
    expect(identity.path).toEqual([
      { scope: "organization", id: "org_1" },
      { scope: "team", id: "team_1" },
      { scope: "user", id: "usr_1" },
      { scope: "key", id: "key_1" },
    ]);
  });

  it("has a path without what is not there", () => {
    const identity = ringOf({ keys: [key({ userId: null })] }).authenticate(SECRET, NOW_MS);

    expect(identity.path.map(({ scope }) => scope)).toEqual(["organization", "key"]);
    expect(identity.principal).toMatchObject({ teamId: null, userId: null, userName: null });
  });

  it("lets a key's own team stand before its user's", () => {
    const teams = [team(), team({ id: "team_2" })];
    const identity = ringOf({ teams, keys: [key({ teamId: "team_2" })] }).authenticate(SECRET, NOW_MS);

    expect(identity.principal.teamId).toBe("team_2");
  });

  it.each([
    ["dev", "usr_1", "developer"],
    ["prod", "usr_1", "developer"],
    ["prod", null, "service"],
    ["ci", null, "ci"],
    ["ci", "usr_1", "ci"],
  ] as const)("calls a %s key of user %s a %s", (keyClass, userId, userType) => {
    const secret = newKeySecret(keyClass);
    const ring = ringOf({ keys: [key({ keyClass, userId }, secret)] });

    expect(ring.authenticate(secret, NOW_MS).principal.userType).toBe(userType);
  });

  it("does not know other secrets, near misses or what is no Weir key at all", () => {
    const ring = ringOf();
    const lastChanged = SECRET.slice(0, -1) + (SECRET.endsWith("A") ? "B" : "A");

    for (const secret of [newKeySecret("dev"), lastChanged, SECRET.slice(0, -1), `${SECRET}A`, "", "x".repeat(9_999)]) {
      expect(verdict(ring, secret)).toBe("weir:auth:unknown_key");
    }
  });

  it("does not know a key that was stored under another pepper", () => {
    const ring = new KeyRing(new KeyHasher("another pepper"));
    ring.replace(directory());

    expect(verdict(ring)).toBe("weir:auth:unknown_key");
  });

  it("shows nothing of the secret in a refusal", () => {
    const ring = ringOf({ keys: [key({ revokedAtMs: 1 })] });

    expect(() => ring.authenticate(SECRET, NOW_MS)).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining(SECRET.slice(7)) }),
    );
  });
});

describe("expiry, revocation and rotation", () => {
  it.each([
    ["never expires", null, "valid"],
    ["expires later", NOW_MS + 1, "valid"],
    ["expires now", NOW_MS, "weir:auth:expired_key"],
    ["has expired", NOW_MS - 1, "weir:auth:expired_key"],
  ])("a key that %s", (_, expiresAtMs, expected) => {
    expect(verdict(ringOf({ keys: [key({ expiresAtMs })] }))).toBe(expected);
  });

  const revoked = { status: "revoked" } as const;
  it.each<[string, Partial<DirectorySnapshot>]>([
    ["the key", { keys: [key({ revokedAtMs: NOW_MS + 1_000_000 })] }],
    ["its user", { users: [user(revoked)] }],
    ["its user's team", { teams: [team(revoked)] }],
    ["its own team", { teams: [team(revoked)], keys: [key({ userId: null, teamId: "team_1" })] }],
    ["its organisation", { organizations: [organization(revoked)] }],
    ["the key, which has expired too", { keys: [key({ revokedAtMs: 1, expiresAtMs: 1 })] }],
  ])("is refused when %s is revoked", (_, change) => {
    expect(verdict(ringOf(change))).toBe("weir:auth:revoked_key");
  });

  it.each<[string, Partial<DirectorySnapshot>]>([
    ["user", { users: [] }],
    ["user's team", { teams: [] }],
    ["own team", { teams: [], keys: [key({ userId: null, teamId: "team_1" })] }],
  ])("is refused when its %s is gone: it must not run without that one's limits", (_, change) => {
    expect(verdict(ringOf(change))).toBe("weir:auth:revoked_key");
  });

  it("is unknown when its organisation is gone", () => {
    expect(verdict(ringOf({ organizations: [] }))).toBe("weir:auth:unknown_key");
  });

  it("is not touched by what is revoked elsewhere", () => {
    const ring = ringOf({
      teams: [team(), team({ id: "team_2", status: "revoked" })],
      users: [user(), user({ id: "usr_2", status: "revoked" })],
      keys: [key(), key({ id: "key_2", revokedAtMs: 1 }, newKeySecret("dev"))],
    });

    expect(verdict(ring)).toBe("valid");
  });

  it("accepts the old and the new key during the overlap of a rotation, then only the new one", () => {
    const successor = newKeySecret("dev");
    const overlapEndsMs = NOW_MS + 3_600_000;
    const ring = ringOf({
      keys: [key({ expiresAtMs: overlapEndsMs }), key({ id: "key_2", replacesKeyId: "key_1" }, successor)],
    });

    expect([verdict(ring), verdict(ring, successor)]).toEqual(["valid", "valid"]);
    expect(verdict(ring, SECRET, overlapEndsMs)).toBe("weir:auth:expired_key");
    expect(verdict(ring, successor, overlapEndsMs)).toBe("valid");
  });
});

describe("KeyRing.replace", () => {
  it("forgets keys that are no longer there", () => {
    const ring = ringOf();
    ring.replace(directory({ revision: 2, keys: [] }));

    expect(verdict(ring)).toBe("weir:auth:unknown_key");
    expect([...ring.identities]).toEqual([]);
  });

  it("ignores a reading that is older than the present one", () => {
    const ring = ringOf({ revision: 5, keys: [key({ revokedAtMs: 1 })] });
    ring.replace(directory({ revision: 4 }));

    expect(verdict(ring)).toBe("weir:auth:revoked_key");
    expect(ring.revision).toBe(5);
  });
});

describe("KeyRing.oldest", () => {
  it("is the first made of the valid keys", () => {
    const ring = ringOf({
      keys: [
        key({ id: "revoked", createdAtMs: 1, revokedAtMs: 2 }, newKeySecret("dev")),
        key({ id: "expired", createdAtMs: 2, expiresAtMs: NOW_MS }, newKeySecret("dev")),
        key({ id: "younger", createdAtMs: 4 }, newKeySecret("dev")),
        key({ id: "older", createdAtMs: 3 }, newKeySecret("dev")),
      ],
    });

    expect(ring.oldest(NOW_MS).key.id).toBe("older");
  });

  it("does not exist where no key is valid", () => {
    expect(() => ringOf({ keys: [key({ revokedAtMs: 1 })] }).oldest(NOW_MS)).toThrow(WeirError);
  });
});
