/** The real Claude Code signs in to a real Weir by its device flow, works with it, renews its session and signs out. */
import { execFile } from "node:child_process";
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask } from "../harness/http-answer.ts";
import { requires } from "../harness/requires.ts";
import { eventually } from "../harness/waiting.ts";
import { SignInFixture } from "../sign-in/sign-in-fixture.ts";
import { claudeCode } from "./install.ts";
import { Terminal } from "./terminal.ts";

const run = promisify(execFile);
const claude = await claudeCode();
const script = requires("script", { command: "apt-get install -y bsdutils" });
const isMissing = claude.missing || script.missing;

/** What Claude Code keeps of a sign-in. */
interface Credentials {
  readonly enterpriseGateway?: { readonly url: string; readonly jwt: string; readonly idpRefreshToken: string };
}

describe.skipIf(isMissing)(claude.title(script.title("Claude Code signing in")), () => {
  let fixture: SignInFixture;
  let place = "";
  let terminal: Terminal | null = null;

  beforeAll(async () => {
    // So short that Claude Code renews at every start.
    fixture = await SignInFixture.start({ config: { session: { ttl_hours: 0.05 } } });
    place = await mkdtemp(join(tmpdir(), "weir-claude-sign-in-"));
    await Promise.all(["home", "config", "work"].map((name) => mkdir(join(place, name))));
    const settings = { forceLoginMethod: "gateway", forceLoginGatewayUrl: fixture.origin };
    await writeFile(join(place, "config/settings.json"), JSON.stringify(settings));
    const projects = { [join(place, "work")]: { hasTrustDialogAccepted: true, hasCompletedProjectOnboarding: true } };
    const known = { hasCompletedOnboarding: true, lastOnboardingVersion: "2.1.329", theme: "dark", projects };
    await writeFile(join(place, "config/.claude.json"), JSON.stringify(known));
    // Stands for the browser: writes down what it is to open.
    await writeFile(join(place, "browser"), `#!/bin/sh\nprintf '%s' "$1" > '${place}/opened'\n`);
    await chmod(join(place, "browser"), 0o755);
  });

  afterAll(async () => {
    await terminal?.close();
    await fixture?.stop();
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  });

  const environment = (): Record<string, string> => ({
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: join(place, "home"),
    CLAUDE_CONFIG_DIR: join(place, "config"),
    BROWSER: join(place, "browser"),
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    NO_PROXY: "127.0.0.1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
  });

  async function credentials(): Promise<Credentials> {
    const text = await readFile(join(place, "config/.credentials.json"), "utf8").catch(() => "{}"); // not signed in
    return JSON.parse(text) as Credentials; // Claude Code's own file
  }

  async function command(...args: readonly string[]): Promise<string> {
    const options = { cwd: join(place, "work"), env: environment(), timeout: 120_000 };
    const pending = run(claude.program, args, options);
    pending.child.stdin?.end();
    return (await pending).stdout;
  }

  it("shows the code that the person approves in the browser, and is signed in", async () => {
    terminal = new Terminal(`'${claude.program}'`, { cwd: join(place, "work"), env: environment() });
    await terminal.shows(/ClaudeCodev2/);
    await terminal.shows(/❯/);
    terminal.type("/login");
    await terminal.shows(/login/);
    terminal.type("\r");
    await terminal.shows(/Entertoconnect/);
    terminal.type("\r");
    await terminal.shows(/trustthisgateway/);
    terminal.type("\u001b[A");
    await terminal.shows(/❯Yes/);
    terminal.type("\r");
    const link = await eventually("Claude Code opens the browser", async () =>
      readFile(join(place, "opened"), "utf8").catch(() => null),
    );
    const code = new URL(link).searchParams.get("user_code") ?? "";
    await terminal.shows(new RegExp(code));

    const page = await fixture.approve(link, "ada");
    expect(page.text).toContain(code);

    await terminal.shows(/Connected/);
    terminal.type("\r");
    await terminal.close();
    expect((await credentials()).enterpriseGateway).toMatchObject({ url: fixture.origin });
  }, 120_000);

  it("is served afterwards, in its person's name", async () => {
    expect(await command("-p", "Say hello", "--model", "claude-haiku-4-5")).toContain("sandbox");

    const rows = await fixture.weir.entries((entries) => entries.some(({ keyId }) => keyId.startsWith("session:")));
    const [user] = await fixture.weir.database.query<{ id: string }>(
      "select id from weir.users where email = 'ada@example.com'",
    );
    expect(new Set(rows.map(({ userId }) => userId))).toEqual(new Set([user?.id]));
  }, 150_000);

  it("renews its session by itself", async () => {
    const before = (await credentials()).enterpriseGateway;
    await command("-p", "Say hello again", "--model", "claude-haiku-4-5");
    const after = (await credentials()).enterpriseGateway;

    expect(after?.idpRefreshToken).not.toBe(before?.idpRefreshToken);
    expect(after?.jwt).not.toBe(before?.jwt);
  }, 150_000);

  it("ends its session at Weir when it signs out", async () => {
    const { jwt = "" } = (await credentials()).enterpriseGateway ?? {};
    const status = async (): Promise<number> =>
      (await ask(`${fixture.weir.url}/v1/models`, { headers: { authorization: `Bearer ${jwt}` } })).status;
    expect(await status()).toBe(200);

    await command("auth", "logout");

    expect((await credentials()).enterpriseGateway).toBeUndefined();
    await eventually("the session is over", async () => (await status()) === 401);
  }, 150_000);
});
