import * as client from "openid-client";

import { clientAuthentication } from "./client-authentication.ts";
import type { GoogleGroups } from "./google-groups.ts";
import { emailOf, needsUserinfo, type Person, personOf, type ProviderClaims } from "./person.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { SignInRefused } from "./sign-in-refused.ts";

const TIMEOUT_SECONDS = 10;

/** How requests to the provider are sent: certificates, proxy and address guard are its matter. */
export type ProviderFetch = client.CustomFetch;

export interface ProviderParts {
  readonly fetch: ProviderFetch;
  /** Where the provider has no groups claim. */
  readonly googleGroups: GoogleGroups | null;
}

/** What a browser must bring back from the provider. */
export interface SignInSecrets {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

/** A person, with what renews the session later. */
export interface SignedIn {
  readonly person: Person;
  readonly refreshToken: string | null;
}

/** One identity provider: discovered when first needed, and again after a failure. */
export class OidcProvider {
  readonly settings: ProviderSettings;
  readonly #parts: ProviderParts;
  #configuration: Promise<client.Configuration> | null = null;

  constructor(settings: ProviderSettings, parts: ProviderParts) {
    this.settings = settings;
    this.#parts = parts;
  }

  /** The origins that the sign-in page may lead to. */
  async formOrigins(): Promise<readonly string[]> {
    const endpoint = (await this.#discovered()).serverMetadata().authorization_endpoint;
    const origins = [...(endpoint === undefined ? [] : [endpoint]), ...this.settings.form_action_origins];
    return origins.map((url) => new URL(url).origin);
  }

  /** Where to send the browser. Throws SignInRefused `idp_unavailable` when the provider does not answer. */
  async authorizationUrl(redirectUri: string, { state, nonce, codeVerifier }: SignInSecrets): Promise<URL> {
    const configuration = await this.#discovered();
    const parameters = new URLSearchParams({
      ...this.settings.extra_auth_params,
      redirect_uri: redirectUri,
      scope: this.#scope,
      response_mode: "query",
      state,
      nonce,
    });
    if (this.settings.use_pkce) {
      parameters.set("code_challenge", await client.calculatePKCECodeChallenge(codeVerifier));
      parameters.set("code_challenge_method", "S256");
    }
    return client.buildAuthorizationUrl(configuration, parameters);
  }

  /** Exchanges the code in `callbackUrl`. Throws SignInRefused when the provider or its rules do not let the person in. */
  async exchange(callbackUrl: URL, { state, nonce, codeVerifier }: SignInSecrets): Promise<SignedIn> {
    const configuration = await this.#discovered();
    const answer = await asking(
      () =>
        client.authorizationCodeGrant(configuration, callbackUrl, {
          expectedState: state,
          expectedNonce: nonce,
          idTokenExpected: true,
          ...(this.settings.use_pkce ? { pkceCodeVerifier: codeVerifier } : {}),
        }),
      isRefusal,
    );
    const claims = answer.claims();
    if (claims === undefined) throw new SignInRefused("idp_refused", "The identity provider sent no ID token.");
    return await this.#signedIn(claims, answer);
  }

  /**
   * Asks the provider whether the person may go on. Throws SignInRefused: `idp_unavailable` when it cannot be asked now,
   * anything else when the person may not. Groups stay as they were where the provider does not tell them again.
   */
  async refresh(refreshToken: string, known: { subject: string; groups: readonly string[] }): Promise<SignedIn> {
    const configuration = await this.#discovered();
    const parameters: Record<string, string> = this.settings.scope_on_refresh ? { scope: this.#scope } : {};
    const answer = await asking(() => client.refreshTokenGrant(configuration, refreshToken, parameters), isRevoked);
    const expected = this.settings.user_id_claim === undefined ? known.subject : client.skipSubjectCheck;
    const claims =
      answer.claims() ??
      (await asking(() => client.fetchUserInfo(configuration, answer.access_token, expected), never));
    const signedIn = await this.#signedIn(claims, answer, known.groups);
    if (signedIn.person.subject !== known.subject) {
      throw new SignInRefused("idp_refused", "The identity provider answered for another person.");
    }
    return { ...signedIn, refreshToken: signedIn.refreshToken ?? refreshToken };
  }

  get #scope(): string {
    return this.settings.scopes.join(" ");
  }

  async #signedIn(
    claims: client.IDToken | client.UserInfoResponse,
    answer: client.TokenEndpointResponse,
    knownGroups: readonly string[] = [],
  ): Promise<SignedIn> {
    const configuration = await this.#discovered();
    const userinfo = needsUserinfo(this.settings, claims)
      ? await asking(() => client.fetchUserInfo(configuration, answer.access_token, claims.sub), never)
      : null;
    const asked = { idToken: claims, userinfo };
    const found = await this.#googleGroups(asked);
    return {
      person: personOf(this.settings, asked, { found, known: knownGroups }),
      refreshToken: answer.refresh_token ?? null,
    };
  }

  async #googleGroups(asked: ProviderClaims): Promise<readonly string[] | null> {
    const { googleGroups } = this.#parts;
    if (googleGroups === null) return null;
    const email = emailOf(this.settings, asked);
    if (email === null) {
      throw new SignInRefused("email_missing", "Your identity provider did not tell your e-mail address.");
    }
    return await asking(() => googleGroups.groupsOf(email), never);
  }

  #discovered(): Promise<client.Configuration> {
    this.#configuration ??= asking(() => this.#discover(), never).catch((error: unknown) => {
      this.#configuration = null;
      throw error;
    });
    return this.#configuration;
  }

  async #discover(): Promise<client.Configuration> {
    const { settings } = this;
    const { issuer, client_id, id_token_signed_response_alg, clock_skew_seconds } = settings;
    const server = new URL(settings.discovery_url ?? issuer);
    const insecure = server.protocol === "http:" || new URL(issuer).protocol === "http:";
    const metadata = { id_token_signed_response_alg, [client.clockTolerance]: clock_skew_seconds };
    const configuration = await client.discovery(server, client_id, metadata, await clientAuthentication(settings), {
      [client.customFetch]: this.#parts.fetch,
      timeout: TIMEOUT_SECONDS,
      // A plain-HTTP issuer is the operator's own choice, and warned of.
      execute: insecure ? [client.allowInsecureRequests] : [],
    });
    const named = configuration.serverMetadata().issuer;
    if (named !== issuer && named !== `${issuer}/` && `${named}/` !== issuer) {
      throw new Error(`the discovery document is that of ${named}, not of ${issuer}`);
    }
    return configuration;
  }
}

/** Runs a request to the provider; what fails is either its refusal, as `isNo` says, or its absence. */
async function asking<T>(work: () => Promise<T>, isNo: (error: unknown) => boolean): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SignInRefused) throw error;
    if (isNo(error)) {
      throw new SignInRefused("idp_refused", "The identity provider did not confirm the sign-in.", error);
    }
    throw new SignInRefused("idp_unavailable", "The identity provider could not be asked. Try again later.", error);
  }
}

/** The provider answered, and its answer was no: an OAuth error, or a token that does not hold. */
function isRefusal(error: unknown): boolean {
  if (error instanceof client.AuthorizationResponseError) return true;
  if (error instanceof client.ResponseBodyError) return error.status < 500 && error.error !== "temporarily_unavailable";
  return error instanceof client.ClientError && !["OAUTH_TIMEOUT", "OAUTH_ABORT"].includes(error.code ?? "OAUTH_ABORT");
}

/** The one answer that ends a session: anything else may be a mistake in the configuration, or pass. */
function isRevoked(error: unknown): boolean {
  return error instanceof client.ResponseBodyError && error.error === "invalid_grant";
}

function never(): boolean {
  return false;
}
