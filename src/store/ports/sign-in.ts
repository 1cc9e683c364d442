/** Signing in: which person of an identity provider is which user, device grants in progress, sessions and their refresh tokens. */

/** A person as an identity provider knows them, and the user that they are here. */
export interface SignInLink {
  readonly organizationId: string;
  readonly issuer: string;
  /** The provider's own, never changing name of the person (`sub`). */
  readonly subject: string;
  readonly userId: string;
}

/** What a sign-in says of a person; renewed with every sign-in and every refresh. */
export interface SignInFacts {
  readonly email: string | null;
  readonly groups: readonly string[];
  /** The role that the groups give; null where none does. */
  readonly role: string | null;
}

/** A person who approved a device, until the device has fetched its tokens. */
export interface GrantApproval extends SignInLink, SignInFacts {
  /** The provider's refresh token, sealed; null when the provider gave none. */
  readonly sealedIdpRefresh: string | null;
  /** From when on every replica knows the user. Asked earlier, the answer is still "pending". */
  readonly readyAtMs: number;
}

/** A device waiting to be signed in (RFC 8628). Its two codes are kept as HMACs. */
export interface DeviceGrant {
  readonly deviceHmac: string;
  readonly userHmac: string;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** The address that the device asked from. */
  readonly address: string;
}

/** What a device that polls is to be told. */
export type GrantPoll =
  | { readonly state: "unknown" | "expired" | "denied" | "pending" | "too_fast" }
  | { readonly state: "approved"; readonly approval: GrantApproval };

export interface SessionRecord extends SignInLink, SignInFacts {
  readonly id: string;
  readonly createdAtMs: number;
  /** When it ends unless it is refreshed before. */
  readonly expiresAtMs: number;
  readonly revokedAtMs: number | null;
}

export interface RefreshTokenRecord {
  readonly hmac: string;
  readonly sessionId: string;
  readonly issuedAtMs: number;
  /** The provider's refresh token, sealed under this token; null where the session ends with its access token. */
  readonly sealedIdpRefresh: string | null;
  /** When its successor was issued; null while it is the newest. */
  readonly rotatedAtMs: number | null;
  /** The successor, sealed under this token, so that a device which lost the answer gets the same one again. */
  readonly sealedSuccessor: string | null;
}

/** What a presented refresh token is, and whether the caller may now rotate it. */
export type RefreshClaim =
  | { readonly state: "unknown" }
  /** Somebody else is rotating it at this moment. */
  | { readonly state: "busy" }
  | { readonly state: "rotated" | "claimed"; readonly token: RefreshTokenRecord; readonly session: SessionRecord };

export interface Rotation {
  readonly hmac: string;
  readonly atMs: number;
  readonly sealedSuccessor: string;
  readonly successor: RefreshTokenRecord;
  readonly facts: SignInFacts;
  readonly sessionExpiresAtMs: number;
}

/** A session that was ended, for as long as its access tokens would otherwise be taken. */
export interface RevokedSession {
  readonly sessionId: string;
  readonly untilMs: number;
}

/**
 * All operations are atomic and shared by all replicas. Times are given by the caller. Operations on missing records change
 * nothing and say so; `StoreError` is thrown as by the other stores.
 */
export interface SignInStore {
  /** The user of a person who signed in before; null at the first time. */
  link(organizationId: string, issuer: string, subject: string): Promise<SignInLink | null>;
  /** Whether some person of an identity provider is this user. */
  isLinked(organizationId: string, userId: string): Promise<boolean>;
  /** Links a person to an existing user; false, and nothing changed, when the person is linked already. */
  addLink(link: SignInLink): Promise<boolean>;

  /** `StoreError` `duplicate` when one of the codes is in use. */
  createGrant(grant: DeviceGrant): Promise<void>;
  /** The grant that waits for this user code; null when there is none that is pending and has not expired. */
  pendingGrant(userHmac: string, nowMs: number): Promise<DeviceGrant | null>;
  /** Approves a pending grant; false when it is not pending any more. */
  approveGrant(deviceHmac: string, approval: GrantApproval, nowMs: number): Promise<boolean>;
  /** Denies a pending grant; false when it is not pending any more. */
  denyGrant(deviceHmac: string, nowMs: number): Promise<boolean>;
  /**
   * Notes that the device asked, at most once in `minIntervalMs`. An approval is given out once: the grant is gone with it,
   * as it is when it was denied.
   */
  pollGrant(deviceHmac: string, nowMs: number, minIntervalMs: number): Promise<GrantPoll>;

  createSession(session: SessionRecord, token: RefreshTokenRecord | null): Promise<void>;
  session(sessionId: string): Promise<SessionRecord | null>;
  /** Looks a refresh token up and, where it is the newest of a live session, claims it until `claimUntilMs`. */
  claimRefresh(hmac: string, nowMs: number, claimUntilMs: number): Promise<RefreshClaim>;
  /** Gives a claim back: the token can be presented again. */
  releaseRefresh(hmac: string): Promise<void>;
  /** Replaces a claimed token by its successor; false when the session has been revoked meanwhile. */
  rotateRefresh(rotation: Rotation): Promise<boolean>;
  /** Ends a session for good; false when it is not known or has ended. `untilMs`: when its last access token expires. */
  revokeSession(sessionId: string, atMs: number, untilMs: number): Promise<boolean>;
  /** Revocations that matter still. */
  revokedSessions(nowMs: number): Promise<readonly RevokedSession[]>;
  /** Calls `onChange` within a second after a session was revoked, by whichever process. Returns what ends it. */
  subscribe(onChange: () => void): Promise<() => Promise<void>>;

  /** Counts an attempt; gives how many there were, this one included, in the window that is running. */
  countAttempt(name: string, windowMs: number, nowMs: number): Promise<number>;
  /** Removes what has expired. */
  purge(nowMs: number): Promise<void>;
}
