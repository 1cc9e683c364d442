/** Several providers side by side, what their groups decide, and what happens while PostgreSQL is away. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, jsonOf } from "../harness/http-answer.ts";
import { messageBody } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { postForm, refresh, startDevice, tokensOf } from "./device.ts";
import { SignInFixture } from "./sign-in-fixture.ts";
import { TestBrowser } from "./test-browser.ts";
import { CLIENT_ID, CLIENT_SECRET, TestIssuer } from "./test-issuer.ts";

let fixture: SignInFixture;
let partners: TestIssuer;

/** The configuration with a second provider, whose groups lie deep and are asked for at userinfo. */
function partnersOf(issuer: string): Record<string, unknown> {
  return {
    name: "partners",
    label: "Partners & friends",
    issuer,
    client_id: CLIENT_ID,
    client_secret: CLIENT_SECRET,
    scopes: ["openid", "email"],
    groups_claim: "/realm/roles",
    allowed_groups: ["weir-users"],
    teams: [{ group: "weir-users", team: "Partners" }],
    roles: [{ group: "weir-auditors", role: "auditor" }],
    use_pkce: true,
  };
}

beforeAll(async () => {
  fixture = await SignInFixture.start({ oidc: { label: "Staff" } });
  partners = await TestIssuer.start([`${fixture.origin}/oauth/callback`]);
  partners.know({ sub: "pat", email: "pat@partner.example", realm: { roles: ["weir-users", "weir-auditors"] } });
  partners.know({ sub: "ada", email: "ada@example.com", realm: { roles: ["weir-users"] } });
  partners.know({ sub: "sam", email: "sam@partner.example", realm: { roles: ["other"] } });
  const file = await fixture.readConfig();
  await fixture.writeConfig({ ...file, oidc_providers: [partnersOf(partners.url)] });
  await eventually("the page offers both", async () => {
    const page = await new TestBrowser().get(`${fixture.origin}/device`);
    return page.text.includes("Partners & friends");
  });
});

afterAll(async () => {
  await fixture?.stop();
  await partners?.stop();
});

async function throughPartners(login: string) {
  const device = await startDevice(fixture.weir.url);
  const browser = new TestBrowser("zh-CN");
  const form = await browser.get(device.verification_uri_complete);
  const signInForm = await browser.submit(form, { provider: "partners" });
  expect(signInForm.url.startsWith(partners.url)).toBe(true);
  return { device, page: await browser.submit(signInForm, { login }, signInForm.url) };
}

describe("two providers", () => {
  it("are chosen on the page, each with its own rules, groups and team", async () => {
    const { device, page } = await throughPartners("pat");
    expect(page.html).toContain('lang="zh"');
    expect(page.text).toContain(device.user_code);
    const tokens = await fixture.tokens(device.device_code);
    // It gives no refresh tokens: the session ends with its access token.
    expect(tokens.refresh_token).toBeUndefined();
    const [session] = await fixture.weir.database.query(
      "select s.groups, s.role, t.name as team from weir.sign_in_sessions s join weir.users u on u.id = s.user_id join weir.teams t on t.id = u.team_id",
    );
    expect(session).toEqual({ groups: ["weir-users", "weir-auditors"], role: "auditor", team: "Partners" });
    expect((await throughPartners("sam")).page.status).toBe(403);
  });

  it("never mean the same person, whatever names they share", async () => {
    const users = async () =>
      (await fixture.weir.database.query("select id from weir.users where email = 'ada@example.com'")).length;
    await fixture.signIn("ada");
    expect(await users()).toBe(1);
    await throughPartners("ada");
    expect(await users()).toBe(2);
  });
});

describe("while PostgreSQL is away", () => {
  it("those signed in are served; signing in and renewing say that they have to wait", async () => {
    const tokens = await fixture.signIn("ada");
    const headers = { authorization: `Bearer ${tokens.access_token}` };
    const status = async () => (await ask(`${fixture.weir.url}/v1/messages`, { headers, body: messageBody() })).status;
    expect(await status()).toBe(200);

    await fixture.weir.database.kill();
    expect(await status()).toBe(200);
    const begun = await postForm(`${fixture.origin}/oauth/device_authorization`, {});
    const page = await new TestBrowser().get(`${fixture.origin}/device`);
    expect([begun.status, jsonOf(begun)]).toMatchObject([503, { error: "temporarily_unavailable" }]);
    expect(page.status).toBe(200);
    const fields = { user_code: "BBBB-BBBB", provider: "default" };
    const browser = new TestBrowser("zh");
    const posted = await browser.submit(await browser.get(`${fixture.origin}/device`), fields);
    expect([posted.status, posted.text]).toEqual([503, expect.stringContaining("目前无法登录")]);

    await fixture.weir.end("SIGKILL");
    await fixture.weir.begin();
    tokensOf(await refresh(fixture.weir.url, tokens.refresh_token ?? ""));
  });
});
