import { beforeEach, describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import { AccessTokens } from "./access-token.ts";
import { SessionRing } from "./session-ring.ts";

const NOW_MS = 1_790_000_000_000;
const tokens = new AccessTokens(["a secret of at least thirty-two bytes"], "weir");
const CLAIMS = {
  sub: "usr_1",
  sid: "ses_1",
  org: "org_1",
  groups: ["dev"],
  iat: NOW_MS / 1_000,
  exp: NOW_MS / 1_000 + 60,
};
const TOKEN = tokens.mint(CLAIMS);

function directory(change: Partial<DirectorySnapshot> = {}): DirectorySnapshot {
  const user = {
    id: "usr_1",
    organizationId: "org_1",
    teamId: "team_1",
    name: "Ada",
    email: null,
    status: "active",
  } as const;
  return {
    revision: 1,
    organizations: [{ id: "org_1", name: "Acme", status: "active", timeZone: "UTC" }],
    teams: [{ id: "team_1", organizationId: "org_1", name: "Core", status: "active" }],
    users: [user],
    keys: [],
    budgets: [],
    ...change,
  };
}

let ring: SessionRing;
beforeEach(() => {
  ring = new SessionRing();
  ring.configure(tokens);
  ring.replace(directory());
});

/** `valid`, or the code of the refusal. */
function verdict(token = TOKEN, nowMs = NOW_MS): string {
  try {
    ring.authenticate(token, nowMs);
    return "valid";
  } catch (error) {
    if (error instanceof WeirError) return error.code;
    throw error;
  }
}

describe("the identity behind a session token", () => {
  it("is the person with their team, organisation and groups, and one key id for all their sessions", () => {
    const identity = ring.authenticate(TOKEN, NOW_MS);
    expect(identity.principal).toEqual({
      organizationId: "org_1",
      teamId: "team_1",
      userId: "usr_1",
      keyId: "session:usr_1",
      keyClass: "dev",
      userType: "developer",
      userName: "Ada",
    });
    expect(identity.groups).toEqual(["dev"]);
    expect(identity.path.map(({ scope }) => scope)).toEqual(["organization", "team", "user", "key"]);
    expect(identity.key.scopes).toEqual({ models: [], endpoints: [], addresses: [] });
    expect(ring.authenticate(tokens.mint({ ...CLAIMS, sid: "ses_2" }), NOW_MS).principal.keyId).toBe("session:usr_1");
  });

  it("is the same object as long as nothing changes, and a new one after that", () => {
    const first = ring.authenticate(TOKEN, NOW_MS);
    expect(ring.authenticate(TOKEN, NOW_MS + 1)).toBe(first);
    ring.replace(directory({ revision: 2 }));
    expect(ring.authenticate(TOKEN, NOW_MS)).not.toBe(first);
  });

  it.each([
    ["valid", NOW_MS + 59_999, "valid"],
    ["expired to the millisecond", NOW_MS + 60_000, "weir:auth:expired_session"],
  ])("is %s", (_, nowMs, expected) => {
    expect(verdict(TOKEN, NOW_MS)).toBe("valid");
    expect(verdict(TOKEN, nowMs)).toBe(expected);
  });
});

describe("a session ends", () => {
  const revoked = { status: "revoked" } as const;
  const [organization, team, user] = [directory().organizations[0]!, directory().teams[0]!, directory().users[0]!];

  it("with its revocation, and no other session with it", () => {
    const other = tokens.mint({ ...CLAIMS, sid: "ses_2" });
    expect([verdict(), verdict(other)]).toEqual(["valid", "valid"]);
    ring.setRevoked([{ sessionId: "ses_1", untilMs: NOW_MS + 60_000 }]);
    expect([verdict(), verdict(other)]).toEqual(["weir:auth:ended_session", "valid"]);
  });

  it.each<[string, Partial<DirectorySnapshot>]>([
    ["user revoked", { users: [{ ...user, ...revoked }] }],
    ["team revoked", { teams: [{ ...team, ...revoked }] }],
    ["organisation revoked", { organizations: [{ ...organization, ...revoked }] }],
    ["user gone", { users: [] }],
    ["team gone", { teams: [] }],
    ["organisation gone", { organizations: [] }],
    ["user in another organisation", { users: [{ ...user, organizationId: "org_2" }] }],
  ])("with its %s, though it was valid a moment ago", (_, change) => {
    expect(verdict()).toBe("valid");
    ring.replace(directory({ revision: 2, ...change }));
    expect(verdict()).toBe("weir:auth:ended_session");
  });

  it("with the secret that signed it", () => {
    expect(verdict()).toBe("valid");
    ring.configure(new AccessTokens(["another secret of at least thirty-two bytes"], "weir"));
    expect(verdict()).toBe("weir:auth:unknown_session");
    ring.configure(null);
    expect(verdict()).toBe("weir:auth:unknown_session");
  });

  it("not by an older reading of the directory", () => {
    ring.replace(directory({ revision: 3 }));
    ring.replace(directory({ revision: 2, users: [] }));
    expect(verdict()).toBe("valid");
  });
});

describe("tokens that begin alike", () => {
  it("are never taken for each other", () => {
    expect(verdict()).toBe("valid");
    const forged = TOKEN.slice(0, -4) + (TOKEN.endsWith("AAAA") ? "BBBB" : "AAAA");
    expect(verdict(forged)).toBe("weir:auth:unknown_session");
    expect(verdict(`${TOKEN}A`)).toBe("weir:auth:unknown_session");
  });

  it("are refused when they are too long to be one", () => {
    expect(verdict(`${TOKEN}${"A".repeat(30_000)}`)).toBe("weir:auth:unknown_session");
  });

  it("do not fill the memory: what is forgotten is found again", () => {
    const first = ring.authenticate(TOKEN, NOW_MS);
    for (let i = 0; i < 20_001; i++) ring.authenticate(tokens.mint({ ...CLAIMS, sid: `ses_${i}` }), NOW_MS);
    expect(ring.authenticate(TOKEN, NOW_MS)).not.toBe(first);
    expect(ring.authenticate(TOKEN, NOW_MS)).toEqual(first);
  });
});
