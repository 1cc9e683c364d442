import { hkdfSync } from "node:crypto";

import type { Config } from "../../config/schema.ts";
import type { GoogleGroups } from "../oidc/google-groups.ts";
import { OidcProvider, type ProviderFetch } from "../oidc/oidc-provider.ts";
import { type ProviderSettings, providerSettings } from "../oidc/provider-settings.ts";
import { AccessTokens } from "../tokens/access-token.ts";
import { SealedBox } from "../tokens/sealed-box.ts";
import type { SessionSettings } from "../tokens/sessions.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const SECRET_BYTES = 32;

/** A configuration of sign-in, ready for use. */
export interface SignInSettings extends SessionSettings {
  readonly providers: readonly OidcProvider[];
  /** Seals what a browser carries through the provider. */
  readonly stateBox: SealedBox;
  /** Seals the tokens of forms. */
  readonly formBox: SealedBox;
  /** Seals what the provider gave until the device fetches its tokens. */
  readonly grantBox: SealedBox;
  readonly loginNotice: string | null;
}

export interface SettingsParts {
  readonly pepper: string;
  /** How to reach a provider. */
  readonly fetchFor: (settings: ProviderSettings) => ProviderFetch;
  readonly googleGroupsFor: (settings: ProviderSettings) => GoogleGroups | null;
}

/** The settings; null where no identity provider is configured. */
export function signInSettings(config: Config, parts: SettingsParts): SignInSettings | null {
  const providers = providerSettings(config);
  if (providers.length === 0) return null;
  const secrets = sessionSecrets(config, parts.pepper);
  const { ttl_hours, idle_days } = config.session;
  return {
    providers: providers.map(
      (row) => new OidcProvider(row, { fetch: parts.fetchFor(row), googleGroups: parts.googleGroupsFor(row) }),
    ),
    tokens: new AccessTokens(secrets, config.listen.public_url ?? "weir"),
    accessTtlMs: ttl_hours * HOUR_MS,
    idleMs: Math.max(idle_days * DAY_MS, ttl_hours * HOUR_MS),
    stateBox: new SealedBox(secrets, "browser state"),
    formBox: new SealedBox(secrets, "form"),
    grantBox: new SealedBox(secrets, "device grant"),
    loginNotice: config.login_notice ?? null,
  };
}

/** The configured secrets, else one derived from the pepper, which all replicas share anyway. */
function sessionSecrets({ session }: Config, pepper: string): readonly string[] {
  const { jwt_secret } = session;
  if (jwt_secret !== undefined) return typeof jwt_secret === "string" ? [jwt_secret] : jwt_secret;
  const derived = hkdfSync("sha256", pepper, "", "weir session secret", SECRET_BYTES);
  return [Buffer.from(derived).toString("base64url")];
}
