import { WeirError } from "../core/weir-error.ts";
import type { Principal } from "../message/principal.ts";
import type {
  BudgetScope,
  DirectorySnapshot,
  KeyRecord,
  OrganizationRecord,
  TeamRecord,
  UserRecord,
} from "../store/ports/directory.ts";
import { classOfSecret, type KeyHasher } from "./key-secret.ts";

/** A key with everything that admission needs to know about it, resolved when the directory changed, not per request. */
export interface Identity {
  readonly principal: Principal;
  readonly key: KeyRecord;
  readonly organization: OrganizationRecord;
  readonly team: TeamRecord | null;
  readonly user: UserRecord | null;
  /** The subjects that pay and are limited, from the organisation down to the key. */
  readonly path: readonly { readonly scope: BudgetScope; readonly id: string }[];
  /** The person's groups at the identity provider; empty for keys. */
  readonly groups: readonly string[];
  /** Why the key is not valid whatever the time, or null. */
  readonly revoked: string | null;
}

/** All keys in memory, replaced whole when the directory changes. */
export class KeyRing {
  readonly #hasher: KeyHasher;
  #byHmac: ReadonlyMap<string, Identity> = new Map();
  #revision = -1;

  constructor(hasher: KeyHasher) {
    this.#hasher = hasher;
  }

  get revision(): number {
    return this.#revision;
  }

  get identities(): IterableIterator<Identity> {
    return this.#byHmac.values();
  }

  /** Takes a reading of the directory; older readings than the present one are ignored. */
  replace(snapshot: DirectorySnapshot): void {
    if (snapshot.revision < this.#revision) return;
    const organizations = new Map(snapshot.organizations.map((record) => [record.id, record]));
    const teams = new Map(snapshot.teams.map((record) => [record.id, record]));
    const users = new Map(snapshot.users.map((record) => [record.id, record]));
    const next = new Map<string, Identity>();
    for (const key of snapshot.keys) {
      const organization = organizations.get(key.organizationId);
      if (organization === undefined) continue;
      const user = key.userId === null ? null : (users.get(key.userId) ?? null);
      const teamId = key.teamId ?? user?.teamId ?? null;
      const team = teamId === null ? null : (teams.get(teamId) ?? null);
      const orphaned = (key.userId !== null && user === null) || (teamId !== null && team === null);
      next.set(key.hmac, identityOf({ key, organization, team, user, orphaned, groups: [] }));
    }
    this.#byHmac = next;
    this.#revision = snapshot.revision;
  }

  /** The identity of the oldest valid key. Throws WeirError when there is none. */
  oldest(nowMs: number): Identity {
    let oldest: Identity | null = null;
    for (const identity of this.#byHmac.values()) {
      const valid = identity.revoked === null && nowMs < (identity.key.expiresAtMs ?? Infinity);
      if (valid && (oldest === null || identity.key.createdAtMs < oldest.key.createdAtMs)) oldest = identity;
    }
    if (oldest === null)
      throw new WeirError("weir:auth:missing", "Weir has no valid key that requests could run under.");
    return oldest;
  }

  /** The identity behind a secret. Throws WeirError `weir:auth:*` when it is not a valid key now. */
  authenticate(secret: string, nowMs: number): Identity {
    const identity = classOfSecret(secret) === null ? undefined : this.#byHmac.get(this.#hasher.hmac(secret));
    if (identity === undefined) {
      throw new WeirError(
        "weir:auth:unknown_key",
        "This key is not known to Weir. Check it for a missing or extra character.",
      );
    }
    if (identity.revoked !== null) throw new WeirError("weir:auth:revoked_key", identity.revoked);
    const { expiresAtMs } = identity.key;
    if (expiresAtMs !== null && nowMs >= expiresAtMs) {
      throw new WeirError("weir:auth:expired_key", `This key expired at ${new Date(expiresAtMs).toISOString()}.`);
    }
    return identity;
  }
}

interface Parts {
  key: KeyRecord;
  organization: OrganizationRecord;
  team: TeamRecord | null;
  user: UserRecord | null;
  /** Names a user or team that is not there: without them it would run outside their limits and budgets. */
  orphaned: boolean;
  groups: readonly string[];
}

/** The identity of a key or, with a key that stands for it, of a session. */
export function identityOf(parts: Parts): Identity {
  const { key, organization, team, user, groups } = parts;
  const principal: Principal = {
    organizationId: organization.id,
    teamId: team?.id ?? null,
    userId: user?.id ?? null,
    keyId: key.id,
    keyClass: key.keyClass,
    userType: key.keyClass === "ci" ? "ci" : user === null ? "service" : "developer",
    userName: user?.name ?? null,
  };
  const path: { scope: BudgetScope; id: string }[] = [{ scope: "organization", id: organization.id }];
  if (team !== null) path.push({ scope: "team", id: team.id });
  if (user !== null) path.push({ scope: "user", id: user.id });
  path.push({ scope: "key", id: key.id });
  return { principal, key, organization, team, user, path, groups, revoked: revocation(parts) };
}

function revocation({ key, organization, team, user, orphaned }: Parts): string | null {
  if (key.revokedAtMs !== null) return "This key has been revoked.";
  if (user?.status === "revoked") return "The user of this key has been revoked.";
  if (team?.status === "revoked") return "The team of this key has been revoked.";
  if (organization.status === "revoked") return "The organisation of this key has been revoked.";
  if (orphaned) return "The user or team of this key no longer exists.";
  return null;
}
