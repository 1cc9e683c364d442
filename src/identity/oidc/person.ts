import { claimAt, type Claims, groupsAt, textAt } from "./claims.ts";
import type { ProviderSettings } from "./provider-settings.ts";
import { SignInRefused } from "./sign-in-refused.ts";

/** Who signed in, as Weir reads what the provider said. */
export interface Person {
  readonly issuer: string;
  readonly subject: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly groups: readonly string[];
}

/** What the provider said: the ID token's claims, and those of userinfo where it was asked. */
export interface ProviderClaims {
  readonly idToken: Claims;
  readonly userinfo: Claims | null;
}

/** Whether userinfo has to be asked, because the ID token lacks what is configured to come from it. */
export function needsUserinfo(settings: ProviderSettings, idToken: Claims): boolean {
  if (!settings.userinfo_fallback) return false;
  const lacksGroups = settings.google_groups === undefined && groupsAt(idToken, settings.groups_claim) === null;
  return lacksGroups || textAt(idToken, settings.email_claim) === null;
}

/**
 * The person behind claims, if the provider's rules let them in; throws SignInRefused otherwise. The ID token counts, userinfo
 * fills gaps. `groups.found` are those found elsewhere (Google), or null; `groups.known` those of before, where nobody tells.
 */
export function personOf(
  settings: ProviderSettings,
  claims: ProviderClaims,
  groups: { readonly found: readonly string[] | null; readonly known: readonly string[] },
): Person {
  const { idToken, userinfo } = claims;
  checkParty(settings, idToken);
  const subject = textAt(idToken, settings.user_id_claim ?? "sub");
  if (subject === null) {
    throw new SignInRefused("user_id_missing", "The identity provider did not say who you are (oidc.user_id_claim).");
  }
  const email = emailOf(settings, claims);
  checkEmail(settings, email, claimAt(idToken, "email_verified") ?? (userinfo && claimAt(userinfo, "email_verified")));
  const claimed = groupsAt(idToken, settings.groups_claim) ?? (userinfo && groupsAt(userinfo, settings.groups_claim));
  const found = groups.found ?? claimed ?? groups.known;
  checkGroups(settings, found);
  const name = textAt(idToken, "name") ?? (userinfo && textAt(userinfo, "name"));
  return { issuer: settings.issuer, subject, email, name, groups: found };
}

/** The e-mail address that the provider told, or null. */
export function emailOf(settings: ProviderSettings, { idToken, userinfo }: ProviderClaims): string | null {
  return textAt(idToken, settings.email_claim) ?? (userinfo && textAt(userinfo, settings.email_claim));
}

function checkParty(settings: ProviderSettings, idToken: Claims): void {
  const party = claimAt(idToken, "azp");
  if (party === undefined || party === settings.client_id) return;
  if (typeof party === "string" && settings.additional_authorized_parties.includes(party)) return;
  throw new SignInRefused("authorized_party", "The identity provider issued its token to another application.");
}

function checkEmail(settings: ProviderSettings, email: string | null, verified: unknown): void {
  if (verified === false || verified === "false") {
    throw new SignInRefused("email_unverified", "Your e-mail address is not verified at your identity provider.");
  }
  if (settings.allowed_email_domains.length === 0) return;
  if (email === null) {
    throw new SignInRefused("email_missing", "Your identity provider did not tell your e-mail address.");
  }
  const domains = settings.allowed_email_domains.map((domain) => domain.trim().replace(/^@/, "").toLowerCase());
  const at = email.lastIndexOf("@");
  if (at < 1 || !domains.includes(email.slice(at + 1).toLowerCase())) {
    throw new SignInRefused("email_domain", "Your e-mail address is not in a domain that may sign in here.");
  }
}

function checkGroups(settings: ProviderSettings, groups: readonly string[]): void {
  const allowed = settings.allowed_groups.map((group) => group.trim());
  if (allowed.length === 0 || groups.some((group) => allowed.includes(group))) return;
  throw new SignInRefused("groups", "You are in none of the groups that may sign in here.");
}

/** The team that the groups give; undefined where no rows are configured, null where none fits. */
export function teamOf(settings: ProviderSettings, groups: readonly string[]): string | null | undefined {
  if (settings.teams.length === 0) return undefined;
  return settings.teams.find(({ group }) => groups.includes(group))?.team ?? null;
}

/** The role that the groups give, or null. */
export function roleOf(settings: ProviderSettings, groups: readonly string[]): string | null {
  return settings.roles.find(({ group }) => groups.includes(group))?.role ?? null;
}
