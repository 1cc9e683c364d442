/** The whole sign-in: a real Weir, a real OpenID provider, a browser's way between them. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, jsonOf } from "../harness/http-answer.ts";
import { messageBody } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import type { WeirProcess } from "../harness/weir-process.ts";
import { poll, postForm, refresh, startDevice, tokensOf } from "./device.ts";
import { SignInFixture } from "./sign-in-fixture.ts";
import { TestBrowser } from "./test-browser.ts";
import type { TestIssuer } from "./test-issuer.ts";

let fixture: SignInFixture;
let weir: WeirProcess;
let issuer: TestIssuer;
let origin: string;

beforeAll(async () => {
  const teams = [{ group: "dev", team: "Development" }];
  fixture = await SignInFixture.start({ oidc: { allowed_email_domains: ["example.com"], teams } });
  ({ weir, issuer, origin } = fixture);
  issuer.know({ sub: "bob", email: "bob@elsewhere.example", email_verified: true, name: "Bob", groups: ["dev"] });
});

afterAll(async () => {
  await fixture?.stop();
});

async function status(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  return (await ask(`${weir.url}/v1/messages`, { headers, body: messageBody() })).status;
}

describe("signing in", () => {
  it("begins with metadata that name every endpoint", async () => {
    const answer = await ask(`${weir.url}/.well-known/oauth-authorization-server`);

    expect(answer.status).toBe(200);
    expect(jsonOf(answer)).toMatchObject({
      issuer: origin,
      device_authorization_endpoint: `${origin}/oauth/device_authorization`,
      token_endpoint: `${origin}/oauth/token`,
      revocation_endpoint: `${origin}/oauth/revoke`,
      grant_types_supported: ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"],
      token_endpoint_auth_methods_supported: ["none"],
    });
  });

  it("gives a device a code, and after the person's approval tokens with which it is served and charged to the person", async () => {
    const device = await startDevice(weir.url);
    expect(device).toMatchObject({
      user_code: expect.stringMatching(/^[B-DF-HJ-NP-TV-XZ]{4}-[B-DF-HJ-NP-TV-XZ]{4}$/),
      verification_uri: `${origin}/device`,
      verification_uri_complete: `${origin}/device?user_code=${device.user_code}`,
      expires_in: 600,
      interval: 5,
    });
    expect(await poll(weir.url, device.device_code)).toBe("authorization_pending");
    expect(await poll(weir.url, device.device_code)).toBe("slow_down");

    const page = await fixture.approve(device.verification_uri_complete, "ada");
    expect(page.status).toBe(200);
    expect(page.text).toContain(`You approved the device with the code ${device.user_code}`);
    expect(page.text).toContain("ada@example.com");

    const tokens = await fixture.tokens(device.device_code);
    expect(tokens).toMatchObject({ token_type: "Bearer", expires_in: 3600, refresh_token: expect.any(String) });
    expect(await poll(weir.url, device.device_code)).toBe("expired_token");
    expect(await status(tokens.access_token)).toBe(200);

    const [entry] = await weir.entries((rows) => rows.some(({ keyId }) => keyId.startsWith("session:usr_")));
    const [user] = await weir.database.query<{ id: string; name: string; email: string; team: string }>(
      "select u.id, u.name, u.email, t.name as team from weir.users u join weir.teams t on t.id = u.team_id",
    );
    expect(user).toMatchObject({ name: "Ada", email: "ada@example.com", team: "Development" });
    expect(entry).toMatchObject({ userId: user?.id, keyId: `session:${user?.id}`, userType: "developer" });
  });

  it("keeps neither codes nor tokens where they could be read", async () => {
    const device = await startDevice(weir.url);
    await fixture.approve(device.verification_uri_complete, "ada");
    const tokens = await fixture.tokens(device.device_code);
    const secrets = [
      device.device_code,
      device.user_code.replace("-", ""),
      tokens.access_token,
      tokens.refresh_token ?? "",
    ];

    const kept = (await weir.database.dump()) + weir.log;

    expect(secrets.filter((secret) => kept.includes(secret))).toEqual([]);
  });

  it("renews by a new refresh token each time, asking the provider, and gives a lost answer again", async () => {
    const first = await fixture.signIn("ada");
    const asked = issuer.tokenRequests;
    const second = tokensOf(await refresh(weir.url, first.refresh_token ?? ""));
    expect(issuer.tokenRequests).toBe(asked + 1);
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(await status(second.access_token)).toBe(200);

    const again = tokensOf(await refresh(weir.url, first.refresh_token ?? ""));
    expect(again.refresh_token).toBe(second.refresh_token);
    expect(issuer.tokenRequests).toBe(asked + 1);
    expect(tokensOf(await refresh(weir.url, second.refresh_token ?? "")).refresh_token).not.toBe(second.refresh_token);
  });

  it("gives processes that renew at the same moment the same successor", async () => {
    const { refresh_token = "" } = await fixture.signIn("ada");
    const answers = await Promise.all([1, 2, 3, 4].map(async () => tokensOf(await refresh(weir.url, refresh_token))));

    expect(new Set(answers.map((answer) => answer.refresh_token)).size).toBe(1);
  });

  it("says that the provider is away without ending the session", async () => {
    const { refresh_token = "" } = await fixture.signIn("ada");
    issuer.isDown = true;
    const answer = await postForm(`${weir.url}/oauth/token`, { grant_type: "refresh_token", refresh_token });
    issuer.isDown = false;

    expect(answer.status).toBe(503);
    expect(jsonOf(answer)).toMatchObject({ error: "temporarily_unavailable" });
    tokensOf(await refresh(weir.url, refresh_token));
  });

  it("ends the session of a person whom the provider does not know any more", async () => {
    issuer.know({ sub: "eve", email: "eve@example.com", name: "Eve", groups: [] });
    const tokens = await fixture.signIn("eve");
    expect(await status(tokens.access_token)).toBe(200);
    issuer.forget("eve");

    expect(await refresh(weir.url, tokens.refresh_token ?? "")).toBe("invalid_grant");
    await eventually("the session is over", async () => (await status(tokens.access_token)) === 401);
    expect(await refresh(weir.url, tokens.refresh_token ?? "")).toBe("invalid_grant");
  });

  it("ends with the sign-out, everywhere and at once", async () => {
    const tokens = await fixture.signIn("ada");
    const answer = await postForm(`${weir.url}/oauth/revoke`, { token: tokens.access_token });

    expect(answer.status).toBe(200);
    await eventually("the session is over", async () => (await status(tokens.access_token)) === 401, 1_000);
    expect(await refresh(weir.url, tokens.refresh_token ?? "")).toBe("invalid_grant");
  });

  it("ends with the user", async () => {
    issuer.know({ sub: "mallory", email: "mallory@example.com", name: "Mallory", groups: [] });
    const tokens = await fixture.signIn("mallory");
    expect(await status(tokens.access_token)).toBe(200);
    await weir.database.withStore(async ({ directory }) => {
      const { users } = await directory.load();
      await directory.setStatus("user", users.find(({ name }) => name === "Mallory")?.id ?? "", "revoked");
    });

    await eventually("the session is over", async () => (await status(tokens.access_token)) === 401, 1_000);
    expect(await refresh(weir.url, tokens.refresh_token ?? "")).toBe("invalid_grant");
    const device = await startDevice(weir.url);
    expect((await fixture.approve(device.verification_uri_complete, "mallory")).status).toBe(403);
    expect(await poll(weir.url, device.device_code)).toBe("access_denied");
  });

  it("tells person and device when the rules do not let them in", async () => {
    const device = await startDevice(weir.url);
    const page = await fixture.approve(device.verification_uri_complete, "bob");

    expect(page.status).toBe(403);
    expect(page.text).toContain("domain");
    expect(await poll(weir.url, device.device_code)).toBe("access_denied");
  });

  it("can be denied on the page", async () => {
    const device = await startDevice(weir.url);
    const browser = new TestBrowser();
    const form = await browser.get(device.verification_uri_complete);
    const page = await browser.submit(form, {}, "/device/deny");

    expect(page.text).toContain(device.user_code);
    expect(await poll(weir.url, device.device_code)).toBe("access_denied");
  });

  it("survives a restart of Weir", async () => {
    const tokens = await fixture.signIn("ada");
    await weir.end("SIGKILL");
    await weir.begin();

    expect(await status(tokens.access_token)).toBe(200);
    tokensOf(await refresh(weir.url, tokens.refresh_token ?? ""));
  });
});
