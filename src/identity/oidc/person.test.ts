import { describe, expect, it } from "vitest";

import { configSchema } from "../../config/schema.ts";
import type { Claims } from "./claims.ts";
import { needsUserinfo, personOf, roleOf, teamOf } from "./person.ts";
import { type ProviderSettings, providerSettings } from "./provider-settings.ts";
import { SignInRefused } from "./sign-in-refused.ts";

/** Settings as a configuration gives them. */
function settings(change: Record<string, unknown> = {}): ProviderSettings {
  const oidc = { issuer: "https://idp.example.com", client_id: "weir", client_secret: "s", ...change };
  const upstreams = [{ provider: "sandbox" }];
  const config = configSchema.parse({ oidc, upstreams, listen: { host: "127.0.0.1" } });
  const [only] = providerSettings({ ...config, upstreams: config.upstreams ?? [] });
  if (only === undefined) throw new Error("no provider");
  return only;
}

const CLAIMS = { sub: "s-1", email: "ada@example.com", email_verified: true, name: "Ada", groups: ["dev"] };
const UNKNOWN = { found: null, known: [] };

/** The person, or why they are refused. */
function verdict(change: Record<string, unknown>, idToken: Claims = CLAIMS, userinfo: Claims | null = null): unknown {
  try {
    return personOf(settings(change), { idToken, userinfo }, UNKNOWN);
  } catch (error) {
    if (error instanceof SignInRefused) return error.reason;
    throw error;
  }
}

describe("a person", () => {
  it("is who the provider's issuer and subject say, with what else it tells", () => {
    const person = {
      issuer: "https://idp.example.com",
      subject: "s-1",
      email: "ada@example.com",
      name: "Ada",
      groups: ["dev"],
    };
    expect(verdict({})).toEqual(person);
  });

  it("may be told by claims elsewhere", () => {
    const idToken = { sub: "s-1", oid: "o-1", upn: "ada@example.com", access: { weir: ["ops"] } };
    const found = verdict(
      { user_id_claim: "oid", email_claim: ["email", "upn"], groups_claim: "/access/weir" },
      idToken,
    );
    expect(found).toMatchObject({ subject: "o-1", email: "ada@example.com", groups: ["ops"] });
    expect(verdict({ user_id_claim: "oid" })).toBe("user_id_missing");
  });

  it("has gaps filled from userinfo, and nothing replaced", () => {
    const userinfo = { sub: "s-1", email: "other@example.com", groups: ["ops"], name: "Other" };
    expect(verdict({}, { sub: "s-1", name: "Ada" }, userinfo)).toMatchObject({
      name: "Ada",
      email: "other@example.com",
      groups: ["ops"],
    });
    expect(verdict({}, { ...CLAIMS, groups: [] }, userinfo)).toMatchObject({ email: "ada@example.com", groups: [] });
  });

  it("keeps their groups where the provider does not tell them again", () => {
    const claims = { idToken: { sub: "s-1" }, userinfo: null };
    expect(personOf(settings(), claims, { found: null, known: ["dev"] }).groups).toEqual(["dev"]);
    expect(
      personOf(settings(), { ...claims, idToken: CLAIMS }, { found: ["x@example.com"], known: [] }).groups,
    ).toEqual(["x@example.com"]);
  });
});

describe("the rules of a provider", () => {
  const domains = { allowed_email_domains: ["Example.com", "@second.example"] };

  it.each<[string, Claims, unknown]>([
    ["lets the domain in", CLAIMS, expect.objectContaining({ subject: "s-1" })],
    [
      "lets it in whatever the case",
      { ...CLAIMS, email: "Ada@EXAMPLE.COM" },
      expect.objectContaining({ subject: "s-1" }),
    ],
    ["lets a second domain in", { ...CLAIMS, email: "a@second.example" }, expect.objectContaining({ subject: "s-1" })],
    ["refuses another", { ...CLAIMS, email: "ada@other.example" }, "email_domain"],
    ["refuses a subdomain", { ...CLAIMS, email: "ada@mail.example.com" }, "email_domain"],
    ["refuses a domain that ends alike", { ...CLAIMS, email: "ada@evilexample.com" }, "email_domain"],
    ["takes the last @ for the one that counts", { ...CLAIMS, email: "ada@example.com@evil.example" }, "email_domain"],
    ["refuses an address without a person", { ...CLAIMS, email: "@example.com" }, "email_domain"],
    ["refuses no address", { sub: "s-1" }, "email_missing"],
    ["refuses an unverified address", { ...CLAIMS, email_verified: false }, "email_unverified"],
    ["refuses one that is unverified in words", { ...CLAIMS, email_verified: "false" }, "email_unverified"],
  ])("about domains: %s", (_, claims, expected) => {
    expect(verdict(domains, claims)).toEqual(expected);
  });

  it("refuse an unverified address even without domains", () => {
    expect(verdict({}, { ...CLAIMS, email_verified: false })).toBe("email_unverified");
    expect(verdict({}, { sub: "s-1" })).toMatchObject({ email: null });
  });

  it("let members of a group in, compared exactly", () => {
    expect(verdict({ allowed_groups: [" dev "] })).toMatchObject({ subject: "s-1" });
    expect(verdict({ allowed_groups: ["Dev", "de", "devs"] })).toBe("groups");
    expect(verdict({ allowed_groups: ["dev"] }, { sub: "s-1" })).toBe("groups");
  });

  it("take a token that was issued to this client alone", () => {
    expect(verdict({}, { ...CLAIMS, azp: "weir" })).toMatchObject({ subject: "s-1" });
    expect(verdict({}, { ...CLAIMS, azp: "other" })).toBe("authorized_party");
    expect(verdict({ additional_authorized_parties: ["other"] }, { ...CLAIMS, azp: "other" })).toMatchObject({
      subject: "s-1",
    });
  });
});

describe("what groups give", () => {
  const teams = [
    { group: "leads", team: "Leads" },
    { group: "dev", team: "Development" },
  ];
  const roles = [{ group: "audit", role: "auditor" }];

  it("is the team of the first row that fits, none where no row does, nothing where there are no rows", () => {
    expect(teamOf(settings({ teams }), ["dev", "leads"])).toBe("Leads");
    expect(teamOf(settings({ teams }), ["ops"])).toBeNull();
    expect(teamOf(settings(), ["dev"])).toBeUndefined();
  });

  it("is a role", () => {
    expect(roleOf(settings({ roles }), ["audit"])).toBe("auditor");
    expect(roleOf(settings({ roles }), ["dev"])).toBeNull();
  });
});

describe("userinfo", () => {
  it("is asked only where it is configured and the ID token lacks something", () => {
    expect(needsUserinfo(settings({ userinfo_fallback: true }), CLAIMS)).toBe(false);
    expect(needsUserinfo(settings({ userinfo_fallback: true }), { sub: "s-1", email: "a@b.c" })).toBe(true);
    expect(needsUserinfo(settings({ userinfo_fallback: true }), { sub: "s-1", groups: [] })).toBe(true);
    expect(needsUserinfo(settings(), { sub: "s-1" })).toBe(false);
  });
});
