import { type Identity, identityOf } from "../../../identity/key-ring.ts";

/** What a test's caller is; everything else of it is ordinary. */
export interface TestCaller {
  readonly groups?: readonly string[];
  readonly email?: string;
  readonly team?: string;
  readonly expiresAtMs?: number;
}

/** A caller as sign-in makes them. For tests. */
export function testIdentity({ groups = [], email, team, expiresAtMs }: TestCaller): Identity {
  const teamRecord =
    team === undefined ? null : ({ id: "team_1", organizationId: "org_1", name: team, status: "active" } as const);
  return identityOf({
    key: {
      id: "key_1",
      organizationId: "org_1",
      teamId: teamRecord?.id ?? null,
      userId: "usr_1",
      name: "test",
      keyClass: "dev",
      hmac: "",
      hint: "wr-dev-test",
      scopes: { models: [], endpoints: [], addresses: [] },
      limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
      createdAtMs: 0,
      expiresAtMs: expiresAtMs ?? null,
      revokedAtMs: null,
      replacesKeyId: null,
    },
    organization: { id: "org_1", name: "Test", status: "active", timeZone: "UTC" },
    team: teamRecord,
    user: {
      id: "usr_1",
      organizationId: "org_1",
      teamId: teamRecord?.id ?? null,
      name: "Ada",
      email: email ?? null,
      status: "active",
    },
    orphaned: false,
    groups,
  });
}
