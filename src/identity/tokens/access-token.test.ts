import { createHmac, generateKeyPairSync } from "node:crypto";

import * as fc from "fast-check";
import { jwtVerify, SignJWT, UnsecuredJWT } from "jose";
import { describe, expect, it } from "vitest";

import { ACCESS_AUDIENCE, AccessTokens, looksLikeToken } from "./access-token.ts";

const SECRET = "a secret of at least thirty-two bytes";
const OLD_SECRET = "the secret before it, thirty-two bytes";
const ISSUER = "https://weir.example.com";
const CLAIMS = { sub: "usr_1", sid: "ses_1", org: "org_1", groups: ["dev"], iat: 1_790_000_000, exp: 1_790_003_600 };
const tokens = new AccessTokens([SECRET], ISSUER);

/** A token with the header and claims given, signed as said. */
function forged(header: object, claims: object, secret: string | Buffer = SECRET): string {
  const signed = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** The header that Weir itself writes. */
function ownHeader(): { alg: string; typ: string; kid: string } {
  const [header = ""] = tokens.mint(CLAIMS).split(".");
  return JSON.parse(Buffer.from(header, "base64url").toString()) as { alg: string; typ: string; kid: string };
}

const FULL = { iss: ISSUER, aud: ACCESS_AUDIENCE, ...CLAIMS };

describe("a session token", () => {
  it("is a JWT as others read it", async () => {
    const { payload, protectedHeader } = await jwtVerify(tokens.mint(CLAIMS), Buffer.from(SECRET), {
      algorithms: ["HS256"],
      audience: ACCESS_AUDIENCE,
      issuer: ISSUER,
      currentDate: new Date(CLAIMS.iat * 1_000),
    });
    expect(payload).toEqual({ ...FULL, jti: expect.any(String) });
    expect(protectedHeader).toMatchObject({ alg: "HS256", typ: "JWT" });
  });

  it("is never the same twice, also for the same session in the same second", () => {
    expect(tokens.mint(CLAIMS)).not.toBe(tokens.mint(CLAIMS));
  });

  it("says again what was put in, whatever the texts", () => {
    const text = fc.string({ unit: "binary", minLength: 1, maxLength: 40 });
    const claims = fc.record({
      sub: text,
      sid: text,
      org: text,
      email: text,
      groups: fc.array(text, { maxLength: 30 }),
      iat: fc.nat(),
      exp: fc.nat(),
    });
    fc.assert(
      fc.property(claims, (given) => {
        expect(tokens.verify(tokens.mint(given))).toMatchObject(given);
      }),
    );
  });

  it("is taken with any of the secrets and made with the first", () => {
    const rotated = new AccessTokens(["a new secret of at least thirty-two bytes", SECRET], ISSUER);
    expect(rotated.verify(tokens.mint(CLAIMS))).toMatchObject({ sub: "usr_1" });
    expect(tokens.verify(rotated.mint(CLAIMS))).toBeNull();
    expect(new AccessTokens([OLD_SECRET], ISSUER).verify(tokens.mint(CLAIMS))).toBeNull();
  });

  it("is refused when any of its characters is another, one is missing or one more is there", () => {
    const token = tokens.mint(CLAIMS);
    fc.assert(
      fc.property(fc.nat(token.length - 1), fc.constantFrom(...Array.from("ABab01-_.=")), (at, character) => {
        const changed = token.slice(0, at) + character + token.slice(at + 1);
        if (changed !== token) expect(tokens.verify(changed)).toBeNull();
        expect(tokens.verify(token.slice(0, at) + token.slice(at + 1))).toBeNull();
        expect(tokens.verify(token.slice(0, at) + character + token.slice(at))).toBeNull();
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("what attackers send in place of one", () => {
  it("is refused unsigned, however it says so", async () => {
    expect(tokens.verify(new UnsecuredJWT(FULL).encode())).toBeNull();
    for (const alg of ["none", "None", "NONE", ""]) {
      const [header, payload] = forged({ ...ownHeader(), alg }, FULL).split(".");
      expect(tokens.verify(`${header}.${payload}.`)).toBeNull();
      expect(tokens.verify(`${header}.${payload}`)).toBeNull();
    }
    const [header, payload] = tokens.mint(CLAIMS).split(".");
    expect(tokens.verify(`${header}.${payload}.`)).toBeNull();
    expect(tokens.verify(`${header}.${payload}`)).toBeNull();
  });

  it("is refused with another algorithm, also one whose public key is used as a secret", async () => {
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const rs256 = await new SignJWT(FULL).setProtectedHeader({ alg: "RS256" }).sign(privateKey);
    expect(tokens.verify(rs256)).toBeNull();
    const pem = publicKey.export({ type: "spki", format: "pem" });
    expect(tokens.verify(forged(ownHeader(), FULL, pem))).toBeNull();
    const hs512 = await new SignJWT(FULL)
      .setProtectedHeader({ alg: "HS512" })
      .sign(Buffer.from(SECRET.padEnd(64, "x")));
    expect(tokens.verify(hs512)).toBeNull();
  });

  it("is refused with headers that lead to keys elsewhere, even with the right secret", () => {
    const header = ownHeader();
    for (const change of [
      { jwk: {} },
      { jku: "https://evil.example.com" },
      { x5u: "x" },
      { kid: "../../dev/null" },
      { crit: ["exp"] },
    ]) {
      expect(tokens.verify(forged({ ...header, ...change }, FULL))).toBeNull();
    }
    expect(tokens.verify(forged(header, FULL))).toMatchObject({ sub: "usr_1" });
  });

  it.each([
    ["another audience", { aud: "other" }],
    ["a list of audiences", { aud: [ACCESS_AUDIENCE, "other"] }],
    ["no audience", { aud: undefined }],
    ["another issuer", { iss: "https://other.example.com" }],
    ["no issuer", { iss: undefined }],
    ["no session", { sid: undefined }],
    ["no user", { sub: "" }],
    ["no expiry", { exp: undefined }],
    ["an expiry that is a text", { exp: "9999999999" }],
    ["groups that are no list", { groups: "admins" }],
  ])("is refused with %s, even with the right secret", (_, change) => {
    expect(tokens.verify(forged(ownHeader(), { ...FULL, ...change }))).toBeNull();
  });

  it("is refused when it is no token at all", () => {
    for (const text of [
      "",
      ".",
      "..",
      "eyJ",
      "eyJ..",
      "eyJhbGciOiJIUzI1NiJ9.e30.",
      "wr-dev-abc",
      "\u0000.\u0000.\u0000",
    ]) {
      expect(tokens.verify(text)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(tokens.verify(text)).toBeNull();
      }),
    );
  });
});

describe("looksLikeToken", () => {
  it("tells tokens from keys", () => {
    expect(looksLikeToken(tokens.mint(CLAIMS))).toBe(true);
    for (const key of ["wr-dev-eyJ.abc", "sk-ant-api03-x", "eyJabc", ""]) expect(looksLikeToken(key)).toBe(false);
  });
});
