import { StoreError } from "../ports/store-error.ts";
import type {
  DeviceGrant,
  GrantApproval,
  GrantPoll,
  RefreshClaim,
  RefreshTokenRecord,
  RevokedSession,
  Rotation,
  SessionRecord,
  SignInLink,
  SignInStore,
} from "../ports/sign-in.ts";

interface KeptGrant extends DeviceGrant {
  readonly status: "pending" | "approved" | "denied";
  readonly polledAtMs: number;
  readonly approval: GrantApproval | null;
}

type KeptToken = RefreshTokenRecord & { readonly claimedUntilMs: number };

/** Sign-in in this process's memory: for tests and for running without a database. */
export class MemorySignInStore implements SignInStore {
  readonly #links = new Map<string, SignInLink>();
  readonly #grants = new Map<string, KeptGrant>();
  readonly #sessions = new Map<string, SessionRecord>();
  readonly #tokens = new Map<string, KeptToken>();
  readonly #revoked = new Map<string, number>();
  readonly #attempts = new Map<string, { endsAtMs: number; attempts: number }>();
  readonly #subscribers = new Set<{ onChange: () => void }>();

  async link(organizationId: string, issuer: string, subject: string): Promise<SignInLink | null> {
    return this.#links.get(linkKey(organizationId, issuer, subject)) ?? null;
  }

  async isLinked(organizationId: string, userId: string): Promise<boolean> {
    return [...this.#links.values()].some((link) => link.organizationId === organizationId && link.userId === userId);
  }

  async addLink(link: SignInLink): Promise<boolean> {
    const key = linkKey(link.organizationId, link.issuer, link.subject);
    if (this.#links.has(key)) return false;
    this.#links.set(key, { ...link });
    return true;
  }

  async createGrant(grant: DeviceGrant): Promise<void> {
    const taken = [...this.#grants.values()].some(({ userHmac }) => userHmac === grant.userHmac);
    if (taken || this.#grants.has(grant.deviceHmac)) {
      throw new StoreError("duplicate", "creating a device grant: its code is in use");
    }
    this.#grants.set(grant.deviceHmac, { ...grant, status: "pending", polledAtMs: -Infinity, approval: null });
  }

  async pendingGrant(userHmac: string, nowMs: number): Promise<DeviceGrant | null> {
    const grant = [...this.#grants.values()].find((row) => row.userHmac === userHmac && isPending(row, nowMs));
    if (grant === undefined) return null;
    const { deviceHmac, createdAtMs, expiresAtMs, address } = grant;
    return { deviceHmac, userHmac, createdAtMs, expiresAtMs, address };
  }

  async approveGrant(deviceHmac: string, approval: GrantApproval, nowMs: number): Promise<boolean> {
    return this.#decide(deviceHmac, nowMs, { status: "approved", approval: structuredClone(approval) });
  }

  async denyGrant(deviceHmac: string, nowMs: number): Promise<boolean> {
    return this.#decide(deviceHmac, nowMs, { status: "denied" });
  }

  async pollGrant(deviceHmac: string, nowMs: number, minIntervalMs: number): Promise<GrantPoll> {
    const grant = this.#grants.get(deviceHmac);
    if (grant === undefined) return { state: "unknown" };
    if (nowMs >= grant.expiresAtMs) return { state: "expired" };
    if (grant.status === "denied") {
      this.#grants.delete(deviceHmac);
      return { state: "denied" };
    }
    const { approval } = grant;
    if (approval !== null && nowMs >= approval.readyAtMs) {
      this.#grants.delete(deviceHmac);
      return { state: "approved", approval };
    }
    const tooFast = nowMs - grant.polledAtMs < minIntervalMs;
    this.#grants.set(deviceHmac, { ...grant, polledAtMs: nowMs });
    return { state: tooFast ? "too_fast" : "pending" };
  }

  async createSession(session: SessionRecord, token: RefreshTokenRecord | null): Promise<void> {
    if (this.#sessions.has(session.id)) throw new StoreError("duplicate", "creating a session: it exists already");
    this.#sessions.set(session.id, structuredClone(session));
    if (token !== null) this.#tokens.set(token.hmac, { ...token, claimedUntilMs: -Infinity });
  }

  async session(sessionId: string): Promise<SessionRecord | null> {
    return this.#sessions.get(sessionId) ?? null;
  }

  async claimRefresh(hmac: string, nowMs: number, claimUntilMs: number): Promise<RefreshClaim> {
    const kept = this.#tokens.get(hmac);
    const session = kept === undefined ? undefined : this.#sessions.get(kept.sessionId);
    if (kept === undefined || session === undefined) return { state: "unknown" };
    const { claimedUntilMs, ...token } = kept;
    if (token.rotatedAtMs !== null) return { state: "rotated", token, session };
    if (nowMs < claimedUntilMs) return { state: "busy" };
    this.#tokens.set(hmac, { ...kept, claimedUntilMs: claimUntilMs });
    return { state: "claimed", token, session };
  }

  async releaseRefresh(hmac: string): Promise<void> {
    const kept = this.#tokens.get(hmac);
    if (kept !== undefined) this.#tokens.set(hmac, { ...kept, claimedUntilMs: -Infinity });
  }

  async rotateRefresh(rotation: Rotation): Promise<boolean> {
    const kept = this.#tokens.get(rotation.hmac);
    const session = kept === undefined ? undefined : this.#sessions.get(kept.sessionId);
    if (kept === undefined || kept.rotatedAtMs !== null || session === undefined) return false;
    if (session.revokedAtMs !== null) return false;
    const { atMs, sealedSuccessor, successor, facts, sessionExpiresAtMs } = rotation;
    this.#tokens.set(kept.hmac, { ...kept, rotatedAtMs: atMs, sealedSuccessor, sealedIdpRefresh: null });
    this.#tokens.set(successor.hmac, { ...successor, claimedUntilMs: -Infinity });
    this.#sessions.set(session.id, { ...session, ...facts, expiresAtMs: sessionExpiresAtMs });
    return true;
  }

  async revokeSession(sessionId: string, atMs: number, untilMs: number): Promise<boolean> {
    const session = this.#sessions.get(sessionId);
    if (session === undefined || session.revokedAtMs !== null) return false;
    this.#sessions.set(sessionId, { ...session, revokedAtMs: atMs });
    this.#revoked.set(sessionId, untilMs);
    setImmediate(() => {
      for (const subscriber of this.#subscribers) subscriber.onChange();
    });
    return true;
  }

  async revokedSessions(nowMs: number): Promise<readonly RevokedSession[]> {
    return [...this.#revoked]
      .filter(([, untilMs]) => untilMs > nowMs)
      .map(([sessionId, untilMs]) => ({ sessionId, untilMs }));
  }

  async subscribe(onChange: () => void): Promise<() => Promise<void>> {
    const subscriber = { onChange };
    this.#subscribers.add(subscriber);
    return async () => {
      this.#subscribers.delete(subscriber);
    };
  }

  async countAttempt(name: string, windowMs: number, nowMs: number): Promise<number> {
    const known = this.#attempts.get(name);
    const running = known !== undefined && nowMs < known.endsAtMs ? known : { endsAtMs: nowMs + windowMs, attempts: 0 };
    this.#attempts.set(name, { ...running, attempts: running.attempts + 1 });
    return running.attempts + 1;
  }

  async purge(nowMs: number): Promise<void> {
    for (const [id, { expiresAtMs }] of this.#grants) if (nowMs >= expiresAtMs) this.#grants.delete(id);
    for (const [id, untilMs] of this.#revoked) if (nowMs >= untilMs) this.#revoked.delete(id);
    for (const [name, { endsAtMs }] of this.#attempts) if (nowMs >= endsAtMs) this.#attempts.delete(name);
    for (const [id, { expiresAtMs }] of this.#sessions) {
      if (nowMs < expiresAtMs) continue;
      this.#sessions.delete(id);
      for (const token of this.#tokens.values()) if (token.sessionId === id) this.#tokens.delete(token.hmac);
    }
  }

  #decide(deviceHmac: string, nowMs: number, change: Pick<KeptGrant, "status"> & Partial<KeptGrant>): boolean {
    const grant = this.#grants.get(deviceHmac);
    if (grant === undefined || !isPending(grant, nowMs)) return false;
    this.#grants.set(deviceHmac, { ...grant, ...change });
    return true;
  }
}

function isPending(grant: KeptGrant, nowMs: number): boolean {
  return grant.status === "pending" && nowMs < grant.expiresAtMs;
}

function linkKey(organizationId: string, issuer: string, subject: string): string {
  return JSON.stringify([organizationId, issuer, subject]);
}
