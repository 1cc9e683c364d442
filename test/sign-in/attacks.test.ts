/** What people try who must not get in, against a real Weir with a real OpenID provider. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, jsonOf } from "../harness/http-answer.ts";
import { messageBody } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { poll, postForm, refresh, startDevice, tokensOf } from "./device.ts";
import { SignInFixture } from "./sign-in-fixture.ts";
import { TestBrowser } from "./test-browser.ts";

let fixture: SignInFixture;

beforeAll(async () => {
  fixture = await SignInFixture.start({ oidc: { form_action_origins: ["https://adfs.example.com/x"] } });
});

afterAll(async () => {
  await fixture?.stop();
});

/** A browser up to where the provider sends it back, with that address, which it has not followed. */
async function upToCallback(): Promise<{ browser: TestBrowser; callback: string; deviceCode: string }> {
  const device = await startDevice(fixture.weir.url);
  const browser = new TestBrowser();
  const form = await browser.get(device.verification_uri_complete);
  const signInForm = await browser.submit(form, { provider: "default" });
  const body = new URLSearchParams({ login: "ada" });
  let answer = await browser.send(signInForm.url, { method: "POST", body });
  for (let hops = 0; hops < 5; hops++) {
    const location = new URL(answer.headers.get("location") ?? "", fixture.issuer.url).href;
    if (location.startsWith(fixture.origin)) return { browser, callback: location, deviceCode: device.device_code };
    answer = await browser.send(location, { method: "GET" });
  }
  throw new Error("the provider did not send the browser back");
}

async function status(headers: Readonly<Record<string, string>>): Promise<number> {
  return (await ask(`${fixture.weir.url}/v1/messages`, { headers, body: messageBody() })).status;
}

describe("the form of the page", () => {
  const own = () => ({ origin: fixture.origin, "sec-fetch-site": "same-origin" });

  async function submitted(headers: Record<string, string>, change: Record<string, string> = {}, cookies = true) {
    const device = await startDevice(fixture.weir.url);
    const browser = new TestBrowser();
    const form = await browser.get(device.verification_uri_complete);
    const body = new URLSearchParams({ ...form.fields, provider: "default", ...change });
    const sender = cookies ? browser : new TestBrowser();
    return await sender.send(`${fixture.origin}/device`, { method: "POST", headers, body });
  }

  it("is taken from the page itself", async () => {
    expect((await submitted(own())).status).toBe(303);
    expect((await submitted({ origin: fixture.origin })).status).toBe(303);
  });

  it.each<[string, () => Record<string, string>]>([
    ["another site", () => ({ ...own(), "sec-fetch-site": "cross-site" })],
    ["a sister host", () => ({ ...own(), "sec-fetch-site": "same-site" })],
    ["another origin", () => ({ ...own(), origin: "https://evil.example.com" })],
    ["an opaque origin", () => ({ ...own(), origin: "null" })],
    ["no origin at all", () => ({})],
    ["an origin that begins alike", () => ({ origin: `${fixture.origin}.evil.example.com` })],
  ])("is refused from %s", async (_, headers) => {
    const answer = await submitted(headers());
    expect(answer.status).toBe(403);
    expect(answer.headers.get("location")).toBeNull();
  });

  it("is refused without its token, with a made-up one, and with that of another browser", async () => {
    const other = await new TestBrowser().get(`${fixture.origin}/device`);
    for (const form_token of ["", "x", other.fields["form_token"] ?? ""]) {
      expect((await submitted(own(), { form_token })).status).toBe(403);
    }
    expect((await submitted(own(), {}, false)).status).toBe(403);
  });

  it("denies nothing for another site either", async () => {
    const device = await startDevice(fixture.weir.url);
    const headers = { origin: "https://evil.example.com", "content-type": "application/x-www-form-urlencoded" };
    await ask(`${fixture.origin}/device/deny`, { method: "POST", headers, body: `user_code=${device.user_code}` });
    expect(await poll(fixture.weir.url, device.device_code)).toBe("authorization_pending");
  });
});

describe("the page", () => {
  it("loads, frames, caches and leaks nothing", async () => {
    const page = await new TestBrowser().get(`${fixture.origin}/device?user_code=WDJB-MJHT`);
    const policy = page.headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).toContain("base-uri 'none'");
    expect(policy).toContain(`form-action 'self' ${fixture.issuer.url} https://adfs.example.com;`);
    expect(policy).not.toContain("unsafe");
    expect(page.headers.get("cache-control")).toBe("no-store");
    expect(page.headers.get("x-content-type-options")).toBe("nosniff");
    expect(page.html).not.toMatch(/<script|https?:\/\/|src=/);
    expect(page.headers.get("set-cookie")).toMatch(/; HttpOnly; SameSite=Lax$/);
  });

  it.each(['"><script>alert(1)</script>', "'><img src=x onerror=y>", "</title><b>", "&lt;b&gt;"])(
    "shows a code that is %s as text",
    async (text) => {
      const url = `${fixture.origin}/device?user_code=${encodeURIComponent(text)}`;
      const page = await new TestBrowser().get(url);
      expect(page.html).not.toMatch(/<script|<img|<b>/);
      const typed = await new TestBrowser().get(
        `${fixture.origin}/oauth/callback?error=${encodeURIComponent(text)}&state=x`,
      );
      expect(typed.html).not.toMatch(/<script|<img|<b>/);
    },
  );

  it("leads nowhere but to the provider, whatever is asked of it", async () => {
    const device = await startDevice(fixture.weir.url);
    const browser = new TestBrowser();
    const link = `${device.verification_uri_complete}&redirect_uri=https://evil.example.com&next=//evil.example.com`;
    const form = await browser.get(link);
    const headers = { origin: fixture.origin, "sec-fetch-site": "same-origin", "x-forwarded-host": "evil.example.com" };
    const change = { provider: "https://evil.example.com", redirect_uri: "https://evil.example.com" };
    const body = new URLSearchParams({ ...form.fields, ...change });
    const answer = await browser.send(`${fixture.origin}/device`, { method: "POST", headers, body });
    const location = new URL(answer.headers.get("location") ?? "");
    expect(location.origin).toBe(fixture.issuer.url);
    expect(location.searchParams.getAll("redirect_uri")).toEqual([`${fixture.origin}/oauth/callback`]);
    expect(location.searchParams.get("code_challenge_method")).toBe("S256");
    expect(location.searchParams.get("nonce")).toMatch(/^[\w-]{43}$/);
  });
});

describe("the way back from the provider", () => {
  it("approves the device that it was begun for", async () => {
    const { browser, callback, deviceCode } = await upToCallback();
    expect((await browser.get(callback)).status).toBe(200);
    await fixture.tokens(deviceCode);
  });

  it("is not taken from another browser: nobody is signed in by a link that somebody sent them", async () => {
    const { callback, deviceCode } = await upToCallback();
    const victim = new TestBrowser();
    await victim.get(`${fixture.origin}/device`);
    const page = await victim.get(callback);
    expect(page.status).toBe(400);
    expect(page.text).toContain("another browser");
    expect((await new TestBrowser().get(callback)).status).toBe(400);
    expect(await poll(fixture.weir.url, deviceCode)).toBe("authorization_pending");
  });

  it("is taken once", async () => {
    const { browser, callback, deviceCode } = await upToCallback();
    await browser.get(callback);
    const asked = fixture.issuer.tokenRequests;
    expect((await browser.get(callback)).status).toBe(400);
    expect(fixture.issuer.tokenRequests).toBe(asked);
    await fixture.tokens(deviceCode);
  });

  it.each<[string, (url: URL) => void]>([
    ["no state", (url) => url.searchParams.delete("state")],
    ["a made-up state", (url) => url.searchParams.set("state", "x".repeat(300))],
    ["a changed state", (url) => url.searchParams.set("state", `${url.searchParams.get("state")?.slice(0, -2)}AA`)],
    ["a made-up code", (url) => url.searchParams.set("code", "made-up")],
    ["no code", (url) => url.searchParams.delete("code")],
    ["two codes", (url) => url.searchParams.append("code", "other")],
    ["another issuer", (url) => url.searchParams.set("iss", "https://evil.example.com")],
  ])("is refused with %s", async (_, change) => {
    const { browser, callback, deviceCode } = await upToCallback();
    const url = new URL(callback);
    change(url);
    expect((await browser.get(url.href)).status).toBeGreaterThanOrEqual(400);
    expect(await poll(fixture.weir.url, deviceCode)).toBe("authorization_pending");
  });

  it("is refused with the code of another sign-in: PKCE and nonce belong to one", async () => {
    const [first, second] = [await upToCallback(), await upToCallback()];
    const url = new URL(first.callback);
    url.searchParams.set("code", new URL(second.callback).searchParams.get("code") ?? "");
    expect((await first.browser.get(url.href)).status).toBe(403);
    expect(await poll(fixture.weir.url, first.deviceCode)).toBe("authorization_pending");
  });
});

describe("tokens", () => {
  it("that are replaced and presented long after end the session, of thief and owner alike", async () => {
    const first = await fixture.signIn("ada");
    const second = tokensOf(await refresh(fixture.weir.url, first.refresh_token ?? ""));
    await fixture.weir.database.query(
      "update weir.refresh_tokens set rotated_at = rotated_at - interval '31 seconds' where rotated_at is not null",
    );

    expect(await refresh(fixture.weir.url, first.refresh_token ?? "")).toBe("invalid_grant");
    expect(await refresh(fixture.weir.url, second.refresh_token ?? "")).toBe("invalid_grant");
    const headers = { authorization: `Bearer ${second.access_token}` };
    await eventually("the access token is refused", async () => (await status(headers)) === 401, 1_000);
    const acts = await fixture.weir.database.dump();
    expect(acts).toContain("a replaced refresh token was presented again");
  });

  it("are no good for what they are not", async () => {
    const tokens = await fixture.signIn("ada");
    const { access_token, refresh_token = "" } = tokens;
    expect(await status({ authorization: `Bearer ${access_token}` })).toBe(200);
    expect(await status({ "x-api-key": access_token })).toBe(200);
    expect(await status({ authorization: `Bearer ${refresh_token}` })).toBe(401);
    expect(await status({ authorization: `Bearer ${access_token.slice(0, -1)}` })).toBe(401);
    expect(await refresh(fixture.weir.url, access_token)).toBe("invalid_grant");
    expect(await poll(fixture.weir.url, access_token)).toBe("expired_token");
  });

  it("are not told of: revoking an unknown one answers as revoking a known one", async () => {
    const { access_token } = await fixture.signIn("ada");
    const answers = await Promise.all(
      [access_token, "made-up", "eyJhbGciOiJub25lIn0.e30."].map((token) =>
        postForm(`${fixture.origin}/oauth/revoke`, { token }),
      ),
    );
    expect(answers.map((answer) => [answer.status, answer.body.length])).toEqual([
      [200, 0],
      [200, 0],
      [200, 0],
    ]);
  });

  it.each<[string, Record<string, string>, string]>([
    ["no grant type", {}, "invalid_request"],
    ["a password", { grant_type: "password", username: "a", password: "b" }, "unsupported_grant_type"],
    ["a code of the provider's", { grant_type: "authorization_code", code: "a" }, "unsupported_grant_type"],
    ["no device code", { grant_type: "urn:ietf:params:oauth:grant-type:device_code" }, "invalid_request"],
    ["no refresh token", { grant_type: "refresh_token" }, "invalid_request"],
    [
      "a made-up refresh token",
      { grant_type: "refresh_token", refresh_token: `wrr_${"A".repeat(43)}` },
      "invalid_grant",
    ],
    [
      "a refresh token of a megabyte",
      { grant_type: "refresh_token", refresh_token: "A".repeat(500_000) },
      "invalid_grant",
    ],
  ])("are not given for %s", async (_, fields, error) => {
    const answer = await postForm(`${fixture.origin}/oauth/token`, fields);
    expect(answer.status).toBe(400);
    expect(jsonOf(answer)).toMatchObject({ error, error_description: expect.any(String) });
    expect(answer.headers["cache-control"]).toBe("no-store");
  });
});

describe("guessing", () => {
  let limited: SignInFixture;

  beforeAll(async () => {
    const few = { max: 3 };
    const rate_limits = { device_verify: few, device_authorization: { max: 5 }, token_failures: few };
    limited = await SignInFixture.start({ config: { rate_limits } });
  });

  afterAll(async () => {
    await limited?.stop();
  });

  it("codes on the page ends after a few", async () => {
    const browser = new TestBrowser();
    const form = await browser.get(`${limited.origin}/device`);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push((await browser.submit(form, { user_code: "BBBB-BBBB" })).status);
    expect(answers).toEqual([400, 400, 400, 429, 429]);
    // The right code does not help any more either, nor a browser without history.
    const device = await startDevice(limited.weir.url);
    expect((await limited.approve(device.verification_uri_complete, "ada")).status).toBe(429);
  });

  it("device codes and refresh tokens ends after a few, while devices that wait go on", async () => {
    const device = await startDevice(limited.weir.url);
    const answers = [];
    for (let i = 0; i < 5; i++) answers.push(await poll(limited.weir.url, `${"A".repeat(42)}${i}`));
    expect(answers).toEqual(["expired_token", "expired_token", "expired_token", "slow_down", "slow_down"]);
    expect(await refresh(limited.weir.url, `wrr_${"A".repeat(43)}`)).toBe("slow_down");
    expect(await poll(limited.weir.url, device.device_code)).toBe("authorization_pending");
  });

  it("is not helped by beginning again and again", async () => {
    const answers = [];
    for (let i = 0; i < 7; i++)
      answers.push((await postForm(`${limited.origin}/oauth/device_authorization`, {})).status);
    expect(answers.at(-1)).toBe(429);
    const refused = await postForm(`${limited.origin}/oauth/device_authorization`, {});
    expect(jsonOf(refused)).toMatchObject({ error: "slow_down" });
    expect(refused.headers["retry-after"]).toBe("600");
  });
});
