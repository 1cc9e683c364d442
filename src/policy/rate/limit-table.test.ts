import { describe, expect, it } from "vitest";

import { KeyRing, type Identity } from "../../identity/key-ring.ts";
import { KeyHasher, newKeySecret } from "../../identity/key-secret.ts";
import type { SubjectLimits } from "../../store/ports/directory.ts";
import { LimitTable, type LimitSettings } from "./limit-table.ts";

const NONE: SubjectLimits = { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null };

function settings(
  given: Partial<LimitSettings["defaults"]>,
  named: Partial<LimitSettings["named"]> = {},
): LimitSettings {
  return {
    defaults: { key: NONE, user: NONE, team: NONE, organization: NONE, ...given },
    named: { key: {}, user: {}, team: {}, organization: {}, ...named },
  };
}

function identity(options: { limits?: Partial<SubjectLimits>; service?: boolean } = {}): Identity {
  const hasher = new KeyHasher("pepper");
  const secret = newKeySecret("dev");
  const ring = new KeyRing(hasher);
  const organizationId = "org_1";
  const owner = options.service === true ? null : "usr_1";
  ring.replace({
    revision: 1,
    organizations: [{ id: organizationId, name: "Acme", status: "active", timeZone: "UTC" }],
    teams: [{ id: "team_1", organizationId, name: "Core", status: "active" }],
    users: [{ id: "usr_1", organizationId, teamId: "team_1", name: "Ada", email: null, status: "active" }],
    keys: [
      {
        id: "key_1",
        organizationId,
        teamId: null,
        userId: owner,
        name: "laptop",
        keyClass: "dev",
        hmac: hasher.hmac(secret),
        hint: "",
        scopes: { models: [], endpoints: [], addresses: [] },
        limits: { ...NONE, ...options.limits },
        createdAtMs: 0,
        expiresAtMs: null,
        revokedAtMs: null,
        replacesKeyId: null,
      },
    ],
    budgets: [],
  });
  return ring.authenticate(secret, 0);
}

describe("LimitTable", () => {
  it("has every subject on the path, the key first", () => {
    const subjects = new LimitTable(settings({})).subjects(identity());

    expect(subjects.map(({ scope, id, name }) => [scope, id, name])).toEqual([
      ["key", "key_1", "laptop"],
      ["user", "usr_1", "Ada"],
      ["team", "team_1", "Core"],
      ["organization", "org_1", "Acme"],
    ]);
  });

  it("leaves out who is not there", () => {
    const subjects = new LimitTable(settings({})).subjects(identity({ service: true }));

    expect(subjects.map(({ scope }) => scope)).toEqual(["key", "organization"]);
  });

  it("takes the key's own record before what is configured for its name, and that before the default, limit by limit", () => {
    const table = new LimitTable(
      settings(
        { key: { requestsPerMinute: 1, tokensPerMinute: 1, maxConcurrent: 1 } },
        { key: { laptop: { tokensPerMinute: 2, maxConcurrent: 2 } } },
      ),
    );

    expect(table.subjects(identity({ limits: { maxConcurrent: 3 } }))[0]?.limits).toEqual({
      requestsPerMinute: 1,
      tokensPerMinute: 2,
      maxConcurrent: 3,
    });
  });

  it("lets a name be unlimited where the default is not", () => {
    const table = new LimitTable(
      settings({ user: { ...NONE, maxConcurrent: 5 } }, { user: { Ada: { maxConcurrent: null } } }),
    );

    expect(table.subjects(identity())[1]?.limits.maxConcurrent).toBeNull();
  });

  it("does not give one subject another's limits by a name that they share across scopes", () => {
    const table = new LimitTable(settings({}, { team: { Ada: { maxConcurrent: 1 } } }));

    expect(table.subjects(identity()).map(({ limits }) => limits)).toEqual([NONE, NONE, NONE, NONE]);
  });

  it("takes no name for a property that every object has", () => {
    const { key, ...rest } = identity();
    const odd = { key: { ...key, name: "constructor" }, ...rest };

    expect(new LimitTable(settings({})).subjects(odd)[0]?.limits).toEqual(NONE);
  });

  it("resolves an identity once", () => {
    const table = new LimitTable(settings({}));
    const one = identity();

    expect(table.subjects(one)).toBe(table.subjects(one));
  });
});
