import { hash } from "node:crypto";

import { WeirError } from "../../core/weir-error.ts";
import type { DirectorySnapshot, KeyRecord } from "../../store/ports/directory.ts";
import type { RevokedSession } from "../../store/ports/sign-in.ts";
import { type Identity, identityOf } from "../key-ring.ts";
import type { AccessClaims, AccessTokens } from "./access-token.ts";

/** Identities kept, by token; beyond this the oldest goes. About 100 MB at the very most. */
const MAX_KEPT = 20_000;
/** Longer ones are no tokens of ours: groups by the hundred fit into it. */
const MAX_TOKEN_CHARS = 24_000;

interface Kept {
  readonly identity: Identity;
  readonly sessionId: string;
  readonly expiresAtMs: number;
}

/**
 * Who is behind a session token, decided in memory. Tokens are known by their SHA-256, never by their text or a part of it.
 * What was found for a token is kept until the directory or the revocations change.
 */
export class SessionRing {
  #tokens: AccessTokens | null = null;
  #revoked: ReadonlySet<string> = new Set();
  #users = new Map<string, DirectorySnapshot["users"][number]>();
  #teams = new Map<string, DirectorySnapshot["teams"][number]>();
  #organizations = new Map<string, DirectorySnapshot["organizations"][number]>();
  #revision = -1;
  readonly #kept = new Map<string, Kept>();

  /** What signs tokens; null where nobody can sign in, and then no token is taken. */
  configure(tokens: AccessTokens | null): void {
    this.#tokens = tokens;
    this.#kept.clear();
  }

  /** Takes a reading of the directory; older readings than the present one are ignored. */
  replace(snapshot: DirectorySnapshot): void {
    if (snapshot.revision < this.#revision) return;
    this.#users = new Map(snapshot.users.map((record) => [record.id, record]));
    this.#teams = new Map(snapshot.teams.map((record) => [record.id, record]));
    this.#organizations = new Map(snapshot.organizations.map((record) => [record.id, record]));
    this.#revision = snapshot.revision;
    this.#kept.clear();
  }

  setRevoked(sessions: readonly RevokedSession[]): void {
    this.#revoked = new Set(sessions.map(({ sessionId }) => sessionId));
    this.#kept.clear();
  }

  /** The identity behind a token. Throws WeirError `weir:auth:*` when it is not valid now. */
  authenticate(token: string, nowMs: number): Identity {
    if (token.length > MAX_TOKEN_CHARS) throw notOurs();
    const digest = hash("sha256", token, "base64url");
    const known = this.#kept.get(digest) ?? this.#keep(digest, this.#find(token));
    if (nowMs >= known.expiresAtMs) {
      throw new WeirError(
        "weir:auth:expired_session",
        `This session token expired at ${new Date(known.expiresAtMs).toISOString()}.`,
      );
    }
    return known.identity;
  }

  #find(token: string): Kept {
    const claims = this.#tokens?.verify(token) ?? null;
    if (claims === null) throw notOurs();
    if (this.#revoked.has(claims.sid)) throw ended("This session has been ended.");
    const identity = this.#identity(claims);
    if (identity.revoked !== null) throw ended(identity.revoked.replace("this key", "this session"));
    return { identity, sessionId: claims.sid, expiresAtMs: claims.exp * 1_000 };
  }

  #identity(claims: AccessClaims): Identity {
    const user = this.#users.get(claims.sub);
    const organization = this.#organizations.get(claims.org);
    if (user === undefined || organization === undefined || user.organizationId !== organization.id) {
      throw ended("The user of this session does not exist any more.");
    }
    const team = user.teamId === null ? null : (this.#teams.get(user.teamId) ?? null);
    return identityOf({
      key: sessionKey(user.id, organization.id),
      organization,
      team,
      user,
      orphaned: user.teamId !== null && team === null,
      groups: claims.groups,
    });
  }

  #keep(digest: string, kept: Kept): Kept {
    if (this.#kept.size >= MAX_KEPT) {
      const oldest = this.#kept.keys().next().value;
      if (oldest !== undefined) this.#kept.delete(oldest);
    }
    this.#kept.set(digest, kept);
    return kept;
  }
}

/** Stands for a key where there is none: a person's sessions share one id, so that limits and the ledger count them together. */
function sessionKey(userId: string, organizationId: string): KeyRecord {
  return {
    id: `session:${userId}`,
    organizationId,
    teamId: null,
    userId,
    name: "sign-in",
    keyClass: "dev",
    hmac: "",
    hint: "session",
    scopes: { models: [], endpoints: [], addresses: [] },
    limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
  };
}

function notOurs(): WeirError {
  return new WeirError("weir:auth:unknown_session", "This token was not issued by this Weir.");
}

function ended(message: string): WeirError {
  return new WeirError("weir:auth:ended_session", message);
}
