/** The browser part in a real browser, which enforces what the page's headers say. */
import { createServer } from "node:http";
import { once } from "node:events";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { requires } from "../harness/requires.ts";
import { ChromiumPage } from "./chromium.ts";
import { poll, startDevice } from "./device.ts";
import { SignInFixture } from "./sign-in-fixture.ts";

const chromium = requires("chromium", { command: "apt-get install -y chromium" });

describe.skipIf(chromium.missing)(chromium.title("in a real browser"), () => {
  let fixture: SignInFixture;
  let page: ChromiumPage;

  beforeAll(async () => {
    fixture = await SignInFixture.start();
  });
  beforeEach(async () => {
    page = await ChromiumPage.open("chromium");
  });
  afterEach(async () => {
    await page?.close();
  });
  afterAll(async () => {
    await fixture?.stop();
  });

  it("a person compares the code, signs in at the provider and has approved the device", async () => {
    const device = await startDevice(fixture.weir.url);
    await page.go(device.verification_uri_complete);
    await page.until("document.querySelector('input[name=user_code]') !== null");
    expect(await page.value("document.querySelector('input[name=user_code]').value")).toBe(device.user_code);
    // The style is in force: its hash is that of the policy.
    expect(await page.value("getComputedStyle(document.querySelector('input[name=user_code]')).textAlign")).toBe(
      "center",
    );

    await page.value("document.querySelector('button[name=provider]').click()");
    await page.until(`location.origin === ${JSON.stringify(fixture.issuer.url)}`);
    await page.until("document.querySelector('input[name=login]') !== null");
    await page.value(
      "document.querySelector('input[name=login]').value = 'ada'; document.querySelector('button').click()",
    );
    await page.until("document.body.innerText.includes('You approved the device')");

    expect(await page.value("document.querySelector('strong.code').innerText")).toBe(device.user_code);
    expect(await page.value("document.body.innerText.includes('ada@example.com')")).toBe(true);
    expect(await page.value("document.cookie")).toBe("");
    expect(page.complaints.filter((text) => /policy|refused|blocked/i.test(text))).toEqual([]);
    await fixture.tokens(device.device_code);
  });

  it("every control has a name, the page a language and a heading, and errors are announced", async () => {
    await page.go(`${fixture.origin}/device`);
    await page.until("document.querySelector('form') !== null");
    expect(await page.value("document.documentElement.lang")).toBe("en");
    expect(await page.value("document.querySelectorAll('h1').length")).toBe(1);
    expect(await page.value("document.querySelector('input[type=text]').labels.length")).toBe(1);
    expect(await page.value("[...document.querySelectorAll('button')].every((b) => b.innerText.trim() !== '')")).toBe(
      true,
    );
    expect(await page.value("document.activeElement.name")).toBe("user_code");

    await page.value(
      "document.querySelector('input[type=text]').value = 'BBBB-BBBB'; document.querySelector('button').click()",
    );
    await page.until("document.querySelector('[role=alert]') !== null");
    expect(await page.value("document.querySelector('[role=alert]').innerText")).toContain("not known");
  });

  it("another site can neither send the form nor frame the page", async () => {
    const device = await startDevice(fixture.weir.url);
    const evil = createServer((request, response) => {
      const frame = `<iframe src="${fixture.origin}/device"></iframe>`;
      const form = `<form method="post" action="${fixture.origin}/device/deny"><input name="user_code" value="${device.user_code}"></form><script>document.forms[0].submit()</script>`;
      response.writeHead(200, { "content-type": "text/html" }).end(request.url === "/frame" ? frame : form);
    }).listen(0, "127.0.0.1");
    await once(evil, "listening");
    const address = evil.address();
    const origin = typeof address === "object" && address !== null ? `http://localhost:${address.port}` : "";

    // The person has been on the page before, so that the browser has its cookie.
    await page.go(`${fixture.origin}/device`);
    await page.until("document.querySelector('form') !== null");
    await page.go(`${origin}/form`);
    await page.until("document.querySelector('[role=alert]')?.innerText.includes('another site') === true");
    expect(await poll(fixture.weir.url, device.device_code)).toBe("authorization_pending");
    await page.go(`${origin}/frame`);
    await page.until("document.querySelector('iframe') !== null && document.readyState === 'complete'");
    expect(page.complaints.join("\n")).toContain("frame-ancestors");

    evil.closeAllConnections();
    evil.close();
  });
});
