import { beforeEach, describe, expect, it } from "vitest";

import { systemClock } from "../../core/clock.ts";
import { IdGenerator } from "../../core/id.ts";
import type { DirectoryStore, UserRecord } from "../../store/ports/directory.ts";
import type { SignInLink, SignInStore } from "../../store/ports/sign-in.ts";
import type { Person } from "../oidc/person.ts";
import type { ProviderSettings } from "../oidc/provider-settings.ts";
import { UserDirectory } from "./user-directory.ts";

const ADA: Person = {
  issuer: "https://idp.example.com",
  subject: "s-1",
  email: "ada@example.com",
  name: "Ada",
  groups: ["dev"],
};
const ACME = { id: "org_1", name: "Acme", status: "active", timeZone: "UTC" } as const;

/** Only what UserDirectory reads of a provider's settings. */
function settings(change: Partial<ProviderSettings> = {}): ProviderSettings {
  return { link_users_by_email: false, teams: [], ...change } as ProviderSettings; // the rest is not looked at
}

let users: UserDirectory;
let directory: FakeDirectory;
let links: SignInLink[];

/** A directory as small as can be: adapters may not be imported here, and have their own contract. */
class FakeDirectory {
  organizations: (typeof ACME)[] = [ACME];
  teams: { id: string; organizationId: string; name: string; status: "active" }[] = [];
  users: UserRecord[] = [];

  async load() {
    const { organizations, teams, users } = this;
    return structuredClone({ revision: 1, organizations, teams, users, keys: [], budgets: [] });
  }
  async createUser(user: UserRecord) {
    this.users.push(user);
  }
  async createTeam(team: FakeDirectory["teams"][number]) {
    this.teams.push(team);
  }
  async updateUser(change: Omit<UserRecord, "status">) {
    this.users = this.users.map((user) => (user.id === change.id ? { ...user, ...change } : user));
    return true;
  }
  async setStatus(_: string, id: string, status: "active" | "revoked") {
    this.users = this.users.map((user) => (user.id === id ? { ...user, status } : user));
    return true;
  }
}

beforeEach(() => {
  directory = new FakeDirectory();
  links = [];
  const store: Pick<SignInStore, "link" | "isLinked" | "addLink"> = {
    link: async (_, issuer, subject) =>
      links.find((link) => link.issuer === issuer && link.subject === subject) ?? null,
    isLinked: async (_, userId) => links.some((link) => link.userId === userId),
    addLink: async (link) => {
      if (links.some(({ issuer, subject }) => issuer === link.issuer && subject === link.subject)) return false;
      links.push(link);
      return true;
    },
  };
  const ids = new IdGenerator(systemClock);
  // Of both ports, only the operations above are called.
  users = new UserDirectory(directory as unknown as DirectoryStore, store as SignInStore, ids);
});

describe("a person who signs in", () => {
  it("becomes a user the first time, and is the same user afterwards", async () => {
    const first = await users.resolve(ADA, settings());
    const second = await users.resolve(ADA, settings());
    expect(directory.users).toEqual([
      {
        id: first.link.userId,
        organizationId: "org_1",
        teamId: null,
        name: "Ada",
        email: "ada@example.com",
        status: "active",
      },
    ]);
    expect([first.changed, second.changed]).toEqual([true, false]);
    expect(second.link).toEqual(first.link);
  });

  it("is not taken for another who has the same address now", async () => {
    const first = await users.resolve(ADA, settings());
    const other = await users.resolve({ ...ADA, subject: "s-2" }, settings());
    const elsewhere = await users.resolve({ ...ADA, issuer: "https://other.example.com" }, settings());
    expect(new Set([first, other, elsewhere].map(({ link }) => link.userId)).size).toBe(3);
  });

  it("stays the same user with a new name and address", async () => {
    const { link } = await users.resolve(ADA, settings());
    const renamed = await users.resolve({ ...ADA, name: "Ada L.", email: "lovelace@example.com" }, settings());
    expect(renamed).toMatchObject({ changed: true, link });
    expect(directory.users).toMatchObject([{ name: "Ada L.", email: "lovelace@example.com" }]);
    const untold = await users.resolve({ ...ADA, name: null, email: null }, settings());
    expect(untold.changed).toBe(false);
  });

  it("is called by what there is", async () => {
    await users.resolve({ ...ADA, name: null }, settings());
    await users.resolve({ ...ADA, subject: "s-2", name: null, email: null }, settings());
    expect(directory.users.map(({ name }) => name)).toEqual(["ada@example.com", "s-2"]);
  });

  it("is put into the team of their groups, which is made once, and out of it again", async () => {
    const mapped = settings({ teams: [{ group: "dev", team: "Development" }] });
    await users.resolve(ADA, mapped);
    await users.resolve({ ...ADA, subject: "s-2" }, mapped);
    expect(directory.teams).toMatchObject([{ name: "Development" }]);
    expect(directory.users.map(({ teamId }) => teamId)).toEqual([directory.teams[0]?.id, directory.teams[0]?.id]);
    await users.resolve({ ...ADA, groups: [] }, mapped);
    expect(directory.users[0]?.teamId).toBeNull();
  });

  it("stays in the team that an administrator chose where groups decide nothing", async () => {
    await users.resolve(ADA, settings());
    directory.users = directory.users.map((user) => ({ ...user, teamId: "team_x" }));
    await users.resolve(ADA, settings());
    expect(directory.users[0]?.teamId).toBe("team_x");
  });

  it("is refused once the user has been revoked, and is not made anew", async () => {
    const { link } = await users.resolve(ADA, settings());
    await directory.setStatus("user", link.userId, "revoked");
    await expect(users.resolve(ADA, settings())).rejects.toMatchObject({ reason: "user_revoked" });
    expect(directory.users).toHaveLength(1);
  });

  it("is one user also when two devices are approved at the same moment", async () => {
    const both = await Promise.all([users.resolve(ADA, settings()), users.resolve(ADA, settings())]);
    expect(both[0]?.link.userId).toBe(both[1]?.link.userId);
    expect(directory.users.filter(({ status }) => status === "active")).toHaveLength(1);
  });

  it("belongs to the organisation that the provider is for", async () => {
    directory.organizations.push({ ...ACME, id: "org_2", name: "Second" } as unknown as typeof ACME);
    expect((await users.resolve(ADA, settings({ organization: "Second" }))).link.organizationId).toBe("org_2");
    const nowhere = users.resolve(ADA, settings({ organization: "Third" }));
    await expect(nowhere).rejects.toMatchObject({ reason: "organization" });
  });
});

describe("a user who was there before", () => {
  const before: UserRecord = {
    id: "usr_1",
    organizationId: "org_1",
    teamId: null,
    name: "ada",
    email: "Ada@Example.com",
    status: "active",
  };
  beforeEach(() => directory.users.push(before));

  it("is taken over by address only where that is allowed", async () => {
    expect((await users.resolve(ADA, settings())).link.userId).not.toBe("usr_1");
    const allowed = await users.resolve({ ...ADA, subject: "s-2" }, settings({ link_users_by_email: true }));
    expect(allowed.link.userId).toBe("usr_1");
  });

  it("is taken over once: a second person with the address becomes a user of their own", async () => {
    const allowing = settings({ link_users_by_email: true });
    await users.resolve(ADA, allowing);
    expect((await users.resolve({ ...ADA, subject: "s-2" }, allowing)).link.userId).not.toBe("usr_1");
  });

  it("is not taken over once revoked", async () => {
    await directory.setStatus("user", "usr_1", "revoked");
    const found = await users.resolve(ADA, settings({ link_users_by_email: true }));
    expect(found.link.userId).not.toBe("usr_1");
  });
});
