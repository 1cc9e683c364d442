import type { Finding } from "../finding.ts";
import { parseUrl } from "../fields/network.ts";
import { markedValuesOf } from "../marked-values.ts";
import { type Weakness, WEAKNESS_TEXT, weaknessOf } from "../secret-strength.ts";
import { MIN_PEPPER_BYTES } from "../sections/security.ts";
import { MIN_JWT_SECRET_BYTES } from "../sections/session.ts";
import type { Path } from "../source/path.ts";
import { type Rule, warning, weakStart } from "./rule.ts";

/** Least length in bytes of the secrets that are judged, by the name of their field. */
const MIN_BYTES: Readonly<Partial<Record<string, number>>> = {
  api_key: 20,
  oauth_token: 20,
  token: 16,
  value: 16,
  aws_secret_access_key: 20,
  aws_bearer_token: 20,
  azure_client_secret: 16,
  password: 12,
  postgres_url: 12,
  key_pepper: MIN_PEPPER_BYTES,
  key: 32,
  jwt_secret: MIN_JWT_SECRET_BYTES,
  client_secret: 8,
};

/** Secrets must not be empty, known to everybody or short. */
export const secretsAreStrong: Rule = ({ config, profile }) =>
  judgedSecrets(config).flatMap(({ path, secret, minBytes }): Finding[] => {
    const weakness = weaknessOf(secret, minBytes);
    if (weakness === null) return [];
    const inUrl = path.at(-1) === "postgres_url" ? "the password in the URL" : "the secret";
    return [
      weakStart(profile, {
        code: "weak_secret",
        path,
        message: `${inUrl} ${WEAKNESS_TEXT[weakness]}`,
        fix: remedyFor(weakness, minBytes),
      }),
    ];
  });

/** Without a pepper from outside, replicas and restores would not agree on what a key's HMAC is. */
export const pepperIsSet: Rule = ({ config, profile }) => {
  if (config.security.key_pepper !== undefined || profile.weakStart !== "refuse") return [];
  return [
    weakStart(profile, {
      code: "missing_secret",
      path: ["security", "key_pepper"],
      message: `security.key_pepper is needed in the ${config.profile} profile`,
      fix: "Generate one (openssl rand -base64 32), keep it where your secrets are, and refer to it: ${WEIR_KEY_PEPPER} or ${file:/run/secrets/key-pepper}.",
    }),
  ];
};

/** A secret written into the file ends up in version control. */
export const secretsAreReferred: Rule = ({ config, profile, isLiteralInFile }) => {
  if (profile.weakStart !== "refuse") return [];
  return judgedSecrets(config)
    .filter(({ path }) => isLiteralInFile(path))
    .map(({ path }) =>
      warning("literal_secret", path, {
        message: "the secret is written in the file itself",
        fix: "Keep it outside and refer to it: ${VAR} or ${file:/absolute/path}.",
      }),
    );
};

function judgedSecrets(config: unknown): { path: Path; secret: string; minBytes: number }[] {
  return markedValuesOf(config).flatMap(({ path, value, mark }) => {
    // Of a list of secrets, the name of the list.
    const minBytes = MIN_BYTES[String(path.findLast((step) => typeof step === "string"))];
    if (minBytes === undefined || mark.secret === undefined) return [];
    const secret = mark.secret === "url" ? passwordIn(value) : value;
    return secret === null ? [] : [{ path, secret, minBytes }];
  });
}

/** The password of a URL; null when it has none, as with client certificates or a password given apart. */
function passwordIn(text: string): string | null {
  const password = parseUrl(text)?.password ?? "";
  // `user:@` says "no password", which the parsed URL does not tell from `user@`.
  if (password === "") return /^[a-z]+:\/\/[^/@]*:@/i.test(text) ? "" : null;
  try {
    return decodeURIComponent(password);
  } catch {
    // A stray `%` is part of the password as it stands.
    return password;
  }
}

function remedyFor(weakness: Weakness, minBytes: number): string {
  if (weakness === "empty") return "Set it, or remove the field.";
  return `Use a random secret of at least ${minBytes} bytes, for example from: openssl rand -base64 32.`;
}
