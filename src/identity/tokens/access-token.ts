import { createHmac, hash, randomUUID, timingSafeEqual } from "node:crypto";

import { z } from "zod";

/** Whom session tokens are for; nothing else signed with the same secret is taken for one. */
export const ACCESS_AUDIENCE = "weir";

const claimsSchema = z.object({
  iss: z.string(),
  aud: z.literal(ACCESS_AUDIENCE),
  /** The user. */
  sub: z.string().min(1),
  /** The session; ending it ends all its tokens. */
  sid: z.string().min(1),
  org: z.string().min(1),
  email: z.string().optional(),
  name: z.string().optional(),
  groups: z.array(z.string()).default([]),
  role: z.string().optional(),
  iat: z.int(),
  exp: z.int(),
});

/** What a session token says, as JSON Web Token claims; `iat` and `exp` in seconds since the epoch. */
export type AccessClaims = z.output<typeof claimsSchema>;

interface SigningKey {
  /** The whole first part of a token, dot included: a token with any other header is not looked at further. */
  readonly header: string;
  readonly secret: Buffer;
}

/**
 * Signs and checks session tokens: JWTs with HMAC-SHA-256, and nothing else. What a token's header says is never obeyed: it
 * must be, byte for byte, the header that Weir writes, so `none`, public keys as secrets and foreign `kid`s have no way in.
 */
export class AccessTokens {
  readonly #keys: readonly SigningKey[];
  readonly #issuer: string;

  /** The first secret signs, all verify. */
  constructor(secrets: readonly string[], issuer: string) {
    this.#keys = secrets.map((secret) => ({ header: `${encodedHeader(keyId(secret))}.`, secret: Buffer.from(secret) }));
    this.#issuer = issuer;
  }

  /** A token that no other is the same as, also of the same session in the same second. */
  mint(claims: Omit<AccessClaims, "iss" | "aud">): string {
    const [key] = this.#keys;
    if (key === undefined) throw new Error("there is no secret to sign with");
    const payload = encoded({ iss: this.#issuer, aud: ACCESS_AUDIENCE, ...claims, jti: randomUUID() });
    const signed = key.header + payload;
    return `${signed}.${signature(key.secret, signed).toString("base64url")}`;
  }

  /** What the token says; null when Weir did not sign it for itself. Whether it has expired, the caller looks at `exp`. */
  verify(token: string): AccessClaims | null {
    const key = this.#keys.find(({ header }) => token.startsWith(header));
    const dot = token.lastIndexOf(".");
    if (key === undefined || dot <= key.header.length) return null;
    const given = Buffer.from(token.slice(dot + 1), "base64url");
    const expected = signature(key.secret, token.slice(0, dot));
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null;
    // Only one text is the signature: without this, spare bits of base64 would give a token several spellings.
    if (expected.toString("base64url") !== token.slice(dot + 1)) return null;
    return this.#claims(token.slice(key.header.length, dot));
  }

  #claims(payload: string): AccessClaims | null {
    const parsed = claimsSchema.safeParse(parsedJson(Buffer.from(payload, "base64url").toString("utf8")));
    return parsed.success && parsed.data.iss === this.#issuer ? parsed.data : null;
  }
}

/** Whether a credential has the shape of a JWT, as opposed to a key. */
export function looksLikeToken(credential: string): boolean {
  return credential.startsWith("eyJ") && credential.indexOf(".") > 0;
}

/** Names a secret without telling it: replicas with lists in different orders agree. */
function keyId(secret: string): string {
  return hash("sha256", `weir key id ${secret}`, "base64url").slice(0, 12);
}

function encodedHeader(kid: string): string {
  return encoded({ alg: "HS256", typ: "JWT", kid });
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function signature(secret: Buffer, text: string): Buffer {
  return createHmac("sha256", secret).update(text).digest();
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // then the schema refuses it
  }
}
