import { randomBytes } from "node:crypto";

import type { Clock } from "../../core/clock.ts";
import type { IdGenerator } from "../../core/id.ts";
import type {
  GrantApproval,
  RefreshTokenRecord,
  SessionRecord,
  SignInFacts,
  SignInStore,
} from "../../store/ports/sign-in.ts";
import type { KeyHasher } from "../key-secret.ts";
import type { AccessTokens } from "./access-token.ts";
import { SealedBox } from "./sealed-box.ts";

/** What a device gets; `expires_in` in seconds. The form of RFC 6749, 5.1. */
export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: "Bearer";
  readonly expires_in: number;
  readonly refresh_token?: string;
}

/** What the provider said when a session was renewed. */
interface Renewal {
  readonly facts: SignInFacts;
  readonly name: string | null;
  readonly idpRefresh: string;
}

/** Whether and how the provider renews a session; rejects with what the caller knows to handle. */
export type Renew = (session: SessionRecord, idpRefresh: string) => Promise<Renewal>;

export type RefreshOutcome =
  | { readonly state: "renewed"; readonly answer: TokenAnswer }
  /** `reused`: a token that had long been replaced was presented; the session has been ended. */
  | { readonly state: "unknown" | "ended" | "reused"; readonly session: SessionRecord | null }
  | { readonly state: "busy" };

export interface SessionSettings {
  readonly tokens: AccessTokens;
  readonly accessTtlMs: number;
  /** How long a session lives that is not renewed. */
  readonly idleMs: number;
}

export interface SessionParts {
  readonly store: SignInStore;
  readonly hasher: KeyHasher;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  readonly pause: (ms: number) => Promise<void>;
}

const REFRESH_BYTES = 32;
const REFRESH_SHAPE = /^wrr_[\w-]{43}$/;
/** A device that lost the answer, or whose processes share a token, presents it twice: it gets the same successor so long. */
const REPLAY_GRACE_MS = 30_000;
/** Longer than the provider may take to answer. */
const CLAIM_MS = 30_000;
const BUSY_PAUSE_MS = 100;
const BUSY_PAUSES = 50;

/**
 * Sessions and their refresh tokens. A refresh token is 256 random bits, stored as HMAC and replaced at every use. What the
 * provider gave is sealed under the token itself: neither the database nor Weir's own secrets open it without the device.
 */
export class Sessions {
  readonly #parts: SessionParts;

  constructor(parts: SessionParts) {
    this.#parts = parts;
  }

  /** Begins a session for an approved device. `idpRefresh`: what renews it at the provider; null when nothing does. */
  async open(
    settings: SessionSettings,
    approval: GrantApproval,
    given: { name: string | null; idpRefresh: string | null },
  ): Promise<{ readonly session: SessionRecord; readonly answer: TokenAnswer }> {
    const { store, ids, clock } = this.#parts;
    const nowMs = clock.nowMs();
    const { idpRefresh } = given;
    const session: SessionRecord = {
      id: ids.next("ses"),
      organizationId: approval.organizationId,
      userId: approval.userId,
      issuer: approval.issuer,
      subject: approval.subject,
      email: approval.email,
      groups: approval.groups,
      role: approval.role,
      createdAtMs: nowMs,
      expiresAtMs: nowMs + (idpRefresh === null ? settings.accessTtlMs : settings.idleMs),
      revokedAtMs: null,
    };
    const refresh = idpRefresh === null ? null : this.#newToken(session.id, idpRefresh);
    await store.createSession(session, refresh?.record ?? null);
    return { session, answer: this.#answer(settings, { session, name: given.name, refresh: refresh?.text ?? null }) };
  }

  /** Replaces a refresh token. Rejects as `renew` does; the token is then good as before. */
  async refresh(settings: SessionSettings, text: string, renew: Renew): Promise<RefreshOutcome> {
    if (!REFRESH_SHAPE.test(text)) return { state: "unknown", session: null };
    const { store, clock, pause } = this.#parts;
    const hmac = this.#hmac(text);
    for (let pauses = 0; pauses < BUSY_PAUSES; pauses++) {
      const nowMs = clock.nowMs();
      const claim = await store.claimRefresh(hmac, nowMs, nowMs + CLAIM_MS);
      if (claim.state === "unknown") return { state: "unknown", session: null };
      if (claim.state === "busy") {
        await pause(BUSY_PAUSE_MS);
        continue;
      }
      const { session, token } = claim;
      if (session.revokedAtMs !== null || nowMs >= session.expiresAtMs) return { state: "ended", session };
      if (claim.state === "rotated") return await this.#presentedAgain(settings, text, { session, token });
      return await this.#rotate(settings, text, { session, token, renew });
    }
    return { state: "busy" };
  }

  /** Ends a session; false when it had ended. */
  async revoke(sessionId: string, settings: SessionSettings): Promise<boolean> {
    const nowMs = this.#parts.clock.nowMs();
    return await this.#parts.store.revokeSession(sessionId, nowMs, nowMs + settings.accessTtlMs);
  }

  /** The session of a refresh token, whatever its state; null when the token is none. */
  async sessionOf(text: string): Promise<SessionRecord | null> {
    if (!REFRESH_SHAPE.test(text)) return null;
    const nowMs = this.#parts.clock.nowMs();
    // A claim that lasts no time: the look-up alone.
    const claim = await this.#parts.store.claimRefresh(this.#hmac(text), nowMs, nowMs);
    return "session" in claim ? claim.session : null;
  }

  async #rotate(
    settings: SessionSettings,
    text: string,
    { session, token, renew }: { session: SessionRecord; token: RefreshTokenRecord; renew: Renew },
  ): Promise<RefreshOutcome> {
    const { store, clock } = this.#parts;
    try {
      const idpRefresh = token.sealedIdpRefresh === null ? null : boxOf(text).open(token.sealedIdpRefresh);
      if (idpRefresh === null) return { state: "ended", session };
      const renewal = await renew(session, idpRefresh);
      const successor = this.#newToken(session.id, renewal.idpRefresh);
      const atMs = clock.nowMs();
      const rotated = await store.rotateRefresh({
        hmac: token.hmac,
        atMs,
        sealedSuccessor: boxOf(text).seal(successor.text),
        successor: successor.record,
        facts: renewal.facts,
        sessionExpiresAtMs: atMs + settings.idleMs,
      });
      if (!rotated) return { state: "ended", session };
      const renewed = { ...session, ...renewal.facts };
      const answer = this.#answer(settings, { session: renewed, name: renewal.name, refresh: successor.text });
      return { state: "renewed", answer };
    } catch (error) {
      await store.releaseRefresh(token.hmac);
      throw error;
    }
  }

  /** A replaced token: shortly after, the same successor again; later somebody has stolen it, or its successor. */
  async #presentedAgain(
    settings: SessionSettings,
    text: string,
    { session, token }: { session: SessionRecord; token: RefreshTokenRecord },
  ): Promise<RefreshOutcome> {
    const age = this.#parts.clock.nowMs() - (token.rotatedAtMs ?? 0);
    const successor = token.sealedSuccessor === null ? null : boxOf(text).open(token.sealedSuccessor);
    if (age <= REPLAY_GRACE_MS && successor !== null) {
      return { state: "renewed", answer: this.#answer(settings, { session, name: null, refresh: successor }) };
    }
    await this.revoke(session.id, settings);
    return { state: "reused", session };
  }

  #newToken(sessionId: string, idpRefresh: string): { text: string; record: RefreshTokenRecord } {
    const text = `wrr_${randomBytes(REFRESH_BYTES).toString("base64url")}`;
    const record = {
      hmac: this.#hmac(text),
      sessionId,
      issuedAtMs: this.#parts.clock.nowMs(),
      sealedIdpRefresh: boxOf(text).seal(idpRefresh),
      rotatedAtMs: null,
      sealedSuccessor: null,
    };
    return { text, record };
  }

  #answer(
    { tokens, accessTtlMs }: SessionSettings,
    { session, name, refresh }: { session: SessionRecord; name: string | null; refresh: string | null },
  ): TokenAnswer {
    const iat = Math.floor(this.#parts.clock.nowMs() / 1_000);
    const expires_in = Math.round(accessTtlMs / 1_000);
    const access_token = tokens.mint({
      sub: session.userId,
      sid: session.id,
      org: session.organizationId,
      ...(session.email === null ? {} : { email: session.email }),
      ...(name === null ? {} : { name }),
      groups: [...session.groups],
      ...(session.role === null ? {} : { role: session.role }),
      iat,
      exp: iat + expires_in,
    });
    const answer = { access_token, token_type: "Bearer", expires_in } as const;
    return refresh === null ? answer : { ...answer, refresh_token: refresh };
  }

  #hmac(text: string): string {
    return this.#parts.hasher.hmac(`refresh ${text}`);
  }
}

function boxOf(refreshToken: string): SealedBox {
  return new SealedBox([refreshToken], "refresh token");
}
