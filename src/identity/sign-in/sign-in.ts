import { randomBytes } from "node:crypto";

import type { AuditAct, AuditResult, AuditTrail } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";
import type { GrantApproval, GrantPoll, SessionRecord } from "../../store/ports/sign-in.ts";
import type { DeviceGrants, NewGrant, PendingGrant } from "../device/device-grants.ts";
import type { OidcProvider, SignedIn } from "../oidc/oidc-provider.ts";
import { type Person, roleOf } from "../oidc/person.ts";
import { SignInRefused } from "../oidc/sign-in-refused.ts";
import type { RefreshOutcome, Sessions, TokenAnswer } from "../tokens/sessions.ts";
import { type BrowserState, openState, sealState } from "./browser-state.ts";
import type { SignInSettings } from "./sign-in-settings.ts";
import type { UserDirectory } from "./user-directory.ts";

/** A new user is known to every replica within a second; the device is told to wait that long. */
const DIRECTORY_SPREAD_MS = 1_000;

/** Who calls, for the audit trail. */
export interface Caller {
  readonly address: string;
  readonly requestId: string;
  /** The cookie that tells this browser from others; null for devices, and browsers without it. */
  readonly browser: string | null;
}

type NotTakenUp = "expired" | "other_browser" | "decided";

export type BrowserOutcome =
  | {
      readonly state: "approved";
      readonly userCode: string;
      readonly email: string | null;
      readonly name: string | null;
    }
  /** `decided`: the code has been used, denied or has expired meanwhile. */
  | { readonly state: NotTakenUp }
  | { readonly state: "refused"; readonly refusal: SignInRefused };

export interface SignInParts {
  readonly settings: () => SignInSettings | null;
  readonly grants: DeviceGrants;
  readonly sessions: Sessions;
  readonly users: UserDirectory;
  readonly audit: AuditTrail;
  /** Whom acts belong to that no organisation is known for yet. */
  readonly organizationId: () => string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Signing in: devices ask, people approve in the browser at their provider, devices get and renew their tokens. */
export class SignIn {
  readonly #parts: SignInParts;

  constructor(parts: SignInParts) {
    this.#parts = parts;
  }

  /** What is configured; null where nobody can sign in. */
  get settings(): SignInSettings | null {
    return this.#parts.settings();
  }

  async begin({ address }: Caller): Promise<NewGrant> {
    return await this.#parts.grants.begin(address);
  }

  /** The grant that waits for a code as a person typed it. */
  async pending(typed: string): Promise<PendingGrant | null> {
    return await this.#parts.grants.pending(typed);
  }

  async deny(grant: PendingGrant, caller: Caller): Promise<boolean> {
    await this.#record(caller, { action: "sign_in.deny", result: "done", reason: "denied in the browser" });
    return await this.#parts.grants.deny(grant.deviceHmac);
  }

  /** Where to send a browser that approves a grant. Throws SignInRefused `idp_unavailable`. */
  async authorizationUrl(
    provider: OidcProvider,
    grant: PendingGrant,
    given: { browser: string; redirectUri: string; settings: SignInSettings },
  ): Promise<URL> {
    const nonce = randomBytes(32).toString("base64url");
    const verifier = randomBytes(32).toString("base64url");
    const { name } = provider.settings;
    const kept: BrowserState = { device: grant.deviceHmac, code: grant.userCode, provider: name, nonce, verifier };
    const nowMs = this.#parts.clock.nowMs();
    const state = sealState(given.settings.stateBox, kept, { browser: given.browser, nowMs });
    return await provider.authorizationUrl(given.redirectUri, { state, nonce, codeVerifier: verifier });
  }

  /** Takes a browser back from the provider: approves its device, or denies it where the person is not let in. */
  async finish(callbackUrl: URL, caller: Caller, settings: SignInSettings): Promise<BrowserOutcome> {
    const state = callbackUrl.searchParams.get("state") ?? "";
    const nowMs = this.#parts.clock.nowMs();
    const kept = openState(settings.stateBox, state, { browser: caller.browser, nowMs });
    if (kept === "other_browser") {
      await this.#record(caller, { action: "sign_in.refuse", result: "refused", reason: "begun in another browser" });
    }
    if (typeof kept === "string") return { state: kept };
    const provider = settings.providers.find((row) => row.settings.name === kept.provider);
    // The code is looked up first: a callback that is played again must not reach the provider.
    const grant = await this.#parts.grants.pending(kept.code);
    if (provider === undefined || grant?.deviceHmac !== kept.device) return { state: "decided" };
    try {
      const signedIn = await provider.exchange(callbackUrl, { state, nonce: kept.nonce, codeVerifier: kept.verifier });
      return await this.#approve(grant, { provider, signedIn, settings, caller });
    } catch (error) {
      if (!(error instanceof SignInRefused)) throw error;
      await this.#refused(error, caller, provider);
      // What passes may be tried again; what the person is refused for ends the device's wait.
      if (error.reason !== "idp_unavailable" && error.reason !== "idp_refused") {
        await this.#parts.grants.deny(grant.deviceHmac);
      }
      return { state: "refused", refusal: error };
    }
  }

  async poll(deviceCode: string): Promise<GrantPoll> {
    return await this.#parts.grants.poll(deviceCode);
  }

  /** The tokens of an approved device. */
  async openSession(approval: GrantApproval, caller: Caller, settings: SignInSettings): Promise<TokenAnswer> {
    const sealed = approval.sealedIdpRefresh;
    const idpRefresh = sealed === null ? null : settings.grantBox.open(sealed);
    const { session, answer } = await this.#parts.sessions.open(settings, approval, { name: null, idpRefresh });
    await this.#record(caller, {
      action: "session.create",
      result: "done",
      reason: null,
      organizationId: session.organizationId,
      actor: `user:${session.userId}`,
      object: `session:${session.id}`,
    });
    return answer;
  }

  /** Renews a session. Throws SignInRefused `idp_unavailable`; where the provider says no, the session ends. */
  async refresh(token: string, caller: Caller, settings: SignInSettings): Promise<RefreshOutcome> {
    const outcome = await this.#parts.sessions.refresh(settings, token, async (session, idpRefresh) => {
      const provider = settings.providers.find((row) => row.settings.issuer === session.issuer);
      try {
        if (provider === undefined)
          throw new SignInRefused("idp_refused", "Your identity provider is not configured any more.");
        const signedIn = await provider.refresh(idpRefresh, session);
        const user = await this.#parts.users.resolve(signedIn.person, provider.settings);
        if (user.link.userId !== session.userId)
          throw new SignInRefused("idp_refused", "The identity provider answered for another person.");
        const facts = factsOf(signedIn.person, provider);
        return { facts, name: signedIn.person.name, idpRefresh: signedIn.refreshToken ?? idpRefresh };
      } catch (error) {
        if (error instanceof SignInRefused && error.reason !== "idp_unavailable") {
          await this.#end(session, { caller, settings, reason: error.reason });
        }
        throw error;
      }
    });
    if (outcome.state === "reused" && outcome.session !== null) {
      await this.#recordEnd(outcome.session, caller, "a replaced refresh token was presented again");
    }
    return outcome;
  }

  /** Ends the session of a token of either kind. Tokens that are not known are no error (RFC 7009, 2.2). */
  async revoke(token: string, caller: Caller, settings: SignInSettings): Promise<boolean> {
    const sessionId = settings.tokens.verify(token)?.sid ?? (await this.#parts.sessions.sessionOf(token))?.id;
    if (sessionId === undefined) return false;
    const ended = await this.#parts.sessions.revoke(sessionId, settings);
    if (ended) {
      const object = `session:${sessionId}`;
      await this.#record(caller, { action: "session.revoke", result: "done", reason: "signed out", object });
    }
    return true;
  }

  async #approve(
    grant: PendingGrant,
    given: { provider: OidcProvider; signedIn: SignedIn; settings: SignInSettings; caller: Caller },
  ): Promise<BrowserOutcome> {
    const { provider, signedIn, settings, caller } = given;
    const { person, refreshToken } = signedIn;
    const user = await this.#parts.users.resolve(person, provider.settings);
    const facts = factsOf(person, provider);
    const approval: GrantApproval = {
      ...user.link,
      ...facts,
      sealedIdpRefresh: refreshToken === null ? null : settings.grantBox.seal(refreshToken),
      readyAtMs: this.#parts.clock.nowMs() + (user.changed ? DIRECTORY_SPREAD_MS : 0),
    };
    await this.#record(caller, {
      action: "sign_in.complete",
      result: "done",
      reason: null,
      organizationId: user.link.organizationId,
      actor: `user:${user.link.userId}`,
      after: {
        provider: provider.settings.name,
        email: facts.email,
        groups: facts.groups,
        device_address: grant.address,
      },
    });
    if (!(await this.#parts.grants.approve(grant.deviceHmac, approval))) return { state: "decided" };
    return { state: "approved", userCode: grant.userCode, email: person.email, name: person.name };
  }

  async #refused(refusal: SignInRefused, caller: Caller, provider: OidcProvider): Promise<void> {
    const { name } = provider.settings;
    this.#parts.logger.warn({ provider: name, reason: refusal.reason, err: refusal.cause }, "a sign-in was refused");
    const result = refusal.reason === "idp_unavailable" ? "failed" : "refused";
    await this.#record(caller, { action: "sign_in.refuse", result, reason: refusal.reason, after: { provider: name } });
  }

  async #end(
    session: SessionRecord,
    { caller, settings, reason }: { caller: Caller; settings: SignInSettings; reason: string },
  ): Promise<void> {
    await this.#parts.sessions.revoke(session.id, settings);
    await this.#recordEnd(session, caller, reason);
  }

  async #recordEnd(session: SessionRecord, caller: Caller, reason: string): Promise<void> {
    await this.#record(caller, {
      action: "session.revoke",
      result: "done",
      reason,
      organizationId: session.organizationId,
      actor: `user:${session.userId}`,
      object: `session:${session.id}`,
    });
  }

  async #record(
    { address, requestId }: Caller,
    act: { action: string; result: AuditResult; reason: string | null } & Partial<AuditAct>,
  ): Promise<void> {
    await this.#parts.audit.record({
      organizationId: this.#parts.organizationId(),
      actor: "anonymous",
      object: null,
      before: null,
      after: null,
      address,
      requestId,
      ...act,
    });
  }
}

function factsOf(person: Person, { settings }: OidcProvider): Pick<GrantApproval, "email" | "groups" | "role"> {
  return { email: person.email, groups: person.groups, role: roleOf(settings, person.groups) };
}
