import { z } from "zod";

import { checked, checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { fieldMarks } from "../fields/mark.ts";
import { parseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";

/** Parameters of the authorization request that Weir sets itself. */
const OWN_PARAMETERS: ReadonlySet<string> = new Set([
  "client_id",
  "code_challenge",
  "code_challenge_method",
  "nonce",
  "redirect_uri",
  "request",
  "request_uri",
  "response_mode",
  "response_type",
  "scope",
  "state",
]);

/** Asymmetric alone: with a shared secret, everyone who can check a token could make one. */
const SIGNING_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
] as const;

const ROLE_NAMES = ["developer", "operations", "auditor", "administrator"] as const;

const httpUrl = () =>
  checked(z.string(), (value) => {
    const url = parseUrl(value);
    if (url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.password === "") return null;
    return { message: "must be an http:// or https:// URL", fix: "Write for example https://login.example.com." };
  }).register(fieldMarks, { secret: "url" });

const discoveryUrl = checked(httpUrl(), (value) => {
  if (parseUrl(value)?.pathname.includes("/.well-known/") !== false) return null;
  return {
    message: "must be the URL of the discovery document itself",
    fix: "Its path has /.well-known/ in it, for example /.well-known/openid-configuration.",
  };
}).register(fieldMarks, { secret: "url" });

/** A claim by its name, or by a JSON pointer (RFC 6901) where it lies deeper. */
const claim = () =>
  checked(z.string().min(1), (value) => {
    if (!value.startsWith("/") || !/~(?![01])/.test(value)) return null;
    return { message: "is no JSON pointer", fix: "Write ~0 for a tilde and ~1 for a slash within a name." };
  });

const scope = checked(z.string(), (value) =>
  /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(value)
    ? null
    : { message: "must be one scope, without blanks", fix: "Write each scope as an item of the list." },
);

const providerShape = {
  issuer: httpUrl().describe(
    "The provider's issuer; it serves `/.well-known/openid-configuration`. Use `https://`; plain `http://` is for trying out.",
  ),
  client_id: z.string().min(1).describe("The OAuth client that you registered for Weir."),
  client_secret: secret()
    .optional()
    .describe("The client's secret. Needed unless `token_endpoint_auth_method` is `private_key_jwt`."),
  client_assertion: z
    .strictObject({
      private_key_pem: secret().describe("The client's RSA key as unencrypted PKCS#8 PEM: the text, not a path."),
      certificate_pem: z.string().min(1).describe("The certificate of that key, as uploaded to the provider."),
    })
    .optional()
    .describe("Key and certificate for `private_key_jwt`, where the provider issues certificates instead of secrets."),
  token_endpoint_auth_method: z
    .enum(["client_secret_basic", "client_secret_post", "private_key_jwt"])
    .optional()
    .describe("How Weir authenticates at the token endpoint. Absent: what the provider announces."),
  allowed_email_domains: z
    .array(z.string().min(1))
    .default([])
    .describe(
      "Only people whose e-mail address is in one of these domains may sign in. An address that the provider calls unverified never may.",
    ),
  allowed_groups: z
    .array(z.string().min(1))
    .default([])
    .describe("Only members of one of these groups may sign in; compared exactly, nested groups are not resolved."),
  groups_claim: claim()
    .default("groups")
    .describe("Claim with the person's groups, by name or JSON pointer such as `/resource_access/weir/roles`."),
  email_claim: z
    .union([claim(), z.array(claim()).min(1)])
    .default("email")
    .describe("Claim with the e-mail address, by name or JSON pointer; of a list the first that is present."),
  user_id_claim: claim()
    .optional()
    .describe(
      "Claim that names the person for good. Absent: `sub`. Set it only to what the provider never gives to another.",
    ),
  scopes: checked(z.array(scope).min(1), (value) =>
    value.includes("openid")
      ? null
      : { message: "must include openid", fix: "Add openid: without it the provider gives no ID token." },
  )
    .default(["openid", "profile", "email", "offline_access"])
    .describe("Scopes to ask for. Without `offline_access` people sign in again every `session.ttl_hours`."),
  scope_on_refresh: z
    .boolean()
    .default(false)
    .describe("Whether to repeat the scopes when refreshing: some providers send an ID token only then."),
  extra_auth_params: checked(z.record(z.string().min(1), z.string()), (value) => {
    const own = Object.keys(value).find((name) => OWN_PARAMETERS.has(name));
    return own === undefined
      ? null
      : { message: `may not set ${own}, which Weir sets itself`, fix: "Remove it; scopes are set by oidc.scopes." };
  })
    .default({})
    .describe("Further parameters of the authorization request, for example `access_type: offline` for Google."),
  userinfo_fallback: z
    .boolean()
    .default(false)
    .describe("Whether to ask the userinfo endpoint for an e-mail address or groups that the ID token lacks."),
  use_pkce: z
    .boolean()
    .default(true)
    .describe("Whether to send a PKCE challenge (S256). Only for providers that refuse it."),
  clock_skew_seconds: z
    .int()
    .min(0)
    .max(600)
    .default(0)
    .describe("By how much the provider's clock may differ when times in its tokens are checked."),
  id_token_signed_response_alg: z
    .enum(SIGNING_ALGORITHMS)
    .default("RS256")
    .describe("The one algorithm that ID tokens must be signed with."),
  additional_authorized_parties: z
    .array(z.string().min(1))
    .default([])
    .describe("Further values of `azp` to take besides `client_id`, for brokers."),
  discovery_url: discoveryUrl
    .optional()
    .describe("Where the discovery document is, if not below the issuer. It must name the issuer nevertheless."),
  use_proxy: z
    .boolean()
    .default(false)
    .describe("Whether requests to the provider go through the proxy of `network` or the environment."),
  form_action_origins: z
    .array(httpUrl())
    .default([])
    .describe("Origins that the provider redirects through, where browsers refuse to leave the sign-in page for them."),
  ca_cert_pem: z
    .string()
    .min(1)
    .optional()
    .describe("Certificate authority for requests to the provider, in place of the system's: PEM, not a path."),
  google_groups: z
    .strictObject({
      service_account_json_path: z
        .string()
        .min(1)
        .describe("Key file of a service account with domain-wide delegation for reading groups."),
      admin_email: z.email().describe("A Workspace administrator whom the service account stands for."),
    })
    .optional()
    .describe(
      "Asks Google Workspace for the person's groups, which Google's ID tokens lack. Groups are then e-mail addresses.",
    ),
  organization: z
    .string()
    .min(1)
    .optional()
    .describe("Name of the organisation that people of this provider belong to. Absent: the first one."),
  link_users_by_email: z
    .boolean()
    .default(false)
    .describe(
      "Whether a person's first sign-in takes over the user who has the same e-mail address and was not signed in by a provider before. Needs `allowed_email_domains`.",
    ),
  teams: z
    .array(
      z.strictObject({
        group: z.string().min(1).describe("A group of the provider."),
        team: z.string().min(1).describe("Name of the team; made when it does not exist."),
      }),
    )
    .default([])
    .describe("Team by group; the first row with a group of the person counts. Without rows teams stay as they are."),
  roles: z
    .array(
      z.strictObject({
        group: z.string().min(1).describe("A group of the provider."),
        role: z.enum(ROLE_NAMES).describe("The role that its members have."),
      }),
    )
    .default([])
    .describe("Role by group; the first row with a group of the person counts."),
  label: z.string().min(1).max(60).optional().describe("What the sign-in page calls this provider. Absent: its host."),
};

type Provider = z.output<z.ZodObject<typeof providerShape>>;

function problemsOf(provider: Provider): MemberProblem[] {
  const problems: MemberProblem[] = [];
  const byKey = provider.token_endpoint_auth_method === "private_key_jwt";
  const [needed, useless] = byKey
    ? (["client_assertion", "client_secret"] as const)
    : (["client_secret", "client_assertion"] as const);
  const method = byKey
    ? "token_endpoint_auth_method is private_key_jwt"
    : "token_endpoint_auth_method is not private_key_jwt";
  if (provider[needed] === undefined) {
    problems.push({ path: [needed], message: `${needed} is needed, because ${method}`, fix: `Set oidc.${needed}.` });
  }
  if (provider[useless] !== undefined) {
    problems.push({ path: [useless], message: `${useless} has no effect, because ${method}`, fix: "Remove it." });
  }
  if (provider.link_users_by_email && provider.allowed_email_domains.length === 0) {
    problems.push({
      path: ["link_users_by_email"],
      message: "link_users_by_email needs allowed_email_domains: the provider could else name anybody's address",
      fix: "Set allowed_email_domains to the domains that this provider answers for.",
    });
  }
  return problems;
}

/** The identity provider, as in Anthropic's gateway.yaml. */
export const oidc = checkedMembers(z.strictObject(providerShape), problemsOf)
  .optional()
  .describe("The identity provider with which people sign in (OpenID Connect).");

const named = z.strictObject({
  name: checked(z.string(), (value) =>
    /^[a-z0-9][a-z0-9-]{0,31}$/.test(value)
      ? null
      : { message: "must be short: a-z, 0-9 and dashes", fix: "Write for example contractors." },
  ).describe("Name of the provider in links, logs and the audit trail."),
  ...providerShape,
});

/** Further identity providers. */
export const oidcProviders = checkedMembers(z.array(checkedMembers(named, problemsOf)), (list) =>
  list.flatMap(({ name }, i) =>
    name === "default" || list.findIndex((other) => other.name === name) < i
      ? [
          {
            path: [i, "name"],
            message: "is taken",
            fix: "Give every provider a name of its own; `default` is that of `oidc`.",
          },
        ]
      : [],
  ),
)
  .default([])
  .describe("Further identity providers, besides or instead of `oidc`; people choose on the sign-in page.");
