import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { poll, startDevice, type Tokens, tokensOf } from "./device.ts";
import { TestBrowser, type TestPage } from "./test-browser.ts";
import { CLIENT_ID, CLIENT_SECRET, TestIssuer, type TestPerson } from "./test-issuer.ts";

const ADA: TestPerson = {
  sub: "ada",
  email: "ada@example.com",
  email_verified: true,
  name: "Ada",
  groups: ["dev", "finops"],
};

/** A real Weir and a real identity provider that know each other, on this machine. */
export class SignInFixture {
  readonly weir: WeirProcess;
  readonly issuer: TestIssuer;
  /** Where clients and browsers reach Weir. */
  readonly origin: string;

  private constructor(weir: WeirProcess, issuer: TestIssuer, origin: string) {
    this.weir = weir;
    this.issuer = issuer;
    this.origin = origin;
  }

  /** Starts both. `oidc` and `config` add to the configuration. */
  static async start(
    given: { oidc?: Readonly<Record<string, unknown>>; config?: Readonly<Record<string, unknown>> } = {},
  ): Promise<SignInFixture> {
    const port = await freePort();
    const origin = `http://127.0.0.1:${port}`;
    const issuer = await TestIssuer.start([`${origin}/oauth/callback`]);
    issuer.know(ADA);
    const many = { max: 100_000 };
    const weir = await WeirProcess.start({
      config: {
        listen: { host: "127.0.0.1", port, public_url: origin },
        oidc: {
          issuer: issuer.url,
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          scopes: ["openid", "profile", "email", "offline_access", "groups"],
          // Without it, oidc-provider leaves offline_access out, as OpenID Connect (11) has it.
          extra_auth_params: { prompt: "consent" },
          ...given.oidc,
        },
        rate_limits: { device_verify: many, device_authorization: many, token_failures: many },
        ...given.config,
      },
    });
    return new SignInFixture(weir, issuer, origin);
  }

  /** A person goes through the browser part; the page where they end up. */
  async approve(link: string, login: string, browser = new TestBrowser()): Promise<TestPage> {
    const form = await browser.get(link);
    const signInForm = await browser.submit(form, { provider: "default" });
    if (!signInForm.url.startsWith(this.issuer.url)) return signInForm;
    return await browser.submit(signInForm, { login }, signInForm.url);
  }

  /** The tokens of a device that its person has approved. */
  async tokens(deviceCode: string): Promise<Tokens> {
    return await eventually("the device has its tokens", async () => {
      const answer = await poll(this.weir.url, deviceCode);
      return answer === "authorization_pending" || answer === "slow_down" ? null : tokensOf(answer);
    });
  }

  async signIn(login: string): Promise<Tokens> {
    const device = await startDevice(this.weir.url);
    const page = await this.approve(device.verification_uri_complete, login);
    if (page.status !== 200) throw new Error(`sign-in ended with ${page.status}: ${page.text}`);
    return await this.tokens(device.device_code);
  }

  /** The configuration as it stands on the disk. */
  async readConfig(): Promise<Record<string, unknown>> {
    // Written by WeirProcess, as JSON.
    return JSON.parse(await readFile(this.#configFile, "utf8")) as Record<string, unknown>;
  }

  /** Changes the configuration under the running Weir, which takes it by itself. */
  async writeConfig(config: Readonly<Record<string, unknown>>): Promise<void> {
    await writeFile(this.#configFile, JSON.stringify(config));
  }

  get #configFile(): string {
    return join(this.weir.dataDir, "weir.yaml");
  }

  async stop(): Promise<void> {
    await this.weir.dispose();
    await this.issuer.stop();
  }
}

/** A port that is free now: the provider has to know the callback before Weir starts. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}
