import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CliFixture } from "../testing/cli-fixture.ts";
import { FakeWeir } from "../testing/fake-weir.ts";

const KEY = `wr-dev-${"k".repeat(43)}`;
const CLI_PROCESS = path.join(import.meta.dirname, "../testing/cli-process.ts");

/** Stands for Claude Code: writes down how it was called, then does what STUB_DO says. */
const STUB = `#!${process.execPath}
const { writeFileSync } = require("node:fs");
const note = (more) => writeFileSync(process.env.STUB_OUT, JSON.stringify({ args: process.argv.slice(2), env: process.env, cwd: process.cwd(), ...more }));
const [what, value] = (process.env.STUB_DO ?? "exit 0").split(" ");
if (what === "exit") { note({}); process.exit(Number(value)); }
if (what === "kill") { note({}); process.kill(process.pid, value); setInterval(() => {}, 1000); }
if (what === "echo") { note({}); process.stdin.pipe(process.stdout); }
if (what === "wait") {
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"]) process.on(signal, () => { note({ signal }); process.exit(42); });
  setInterval(() => {}, 1000);
  process.stdout.write("waiting\\n");
}
`;

let weir: CliFixture;
let server: FakeWeir;
beforeEach(async () => {
  weir = await CliFixture.create();
  server = await FakeWeir.start();
  await mkdir(weir.file("bin"));
  await writeFile(weir.file("bin/claude"), STUB, { mode: 0o755 });
  Object.assign(weir.env, {
    PATH: `/nowhere:${weir.file("bin")}`,
    WEIR_KEY: KEY,
    WEIR_URL: server.url,
    STUB_OUT: weir.file("call.json"),
  });
});
afterEach(async () => {
  await server[Symbol.asyncDispose]();
  await weir[Symbol.asyncDispose]();
});

interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly signal?: string;
}

/** How the stub was called. */
async function call(): Promise<Call> {
  // Written by the stub above.
  return JSON.parse(await readFile(weir.file("call.json"), "utf8")) as Call;
}

describe("weir claude", () => {
  it("runs Claude Code with Weir's address and the key, and says nothing itself", async () => {
    const run = await weir.run("claude");
    expect(run).toMatchObject({ exitCode: 0, out: "", err: "" });
    const { env, args, cwd } = await call();
    expect(env).toMatchObject({ ANTHROPIC_BASE_URL: server.url, ANTHROPIC_AUTH_TOKEN: KEY, HOME: weir.directory });
    expect(args).toEqual([]);
    expect(cwd).toBe(weir.directory);
  });

  it.each([
    [["-p", "hello world", "--output-format", "json"]],
    [["--help"], ["--", "--help"]],
    [["-p", "x", "--help", "-h", "--version", "-V"]],
    [["--continue", "--json", "--url", "http://other", "--config", "c"]],
    [["-p", "x", "--", "y", "--"]],
    [["fix", "--dangerously-skip-permissions", "-c", "", "a=b", "--x=y z"]],
    [["--no-such-flag", "'quoted' \"words\" $HOME `id`"]],
    [["mcp", "add", "--transport", "http", "name"]],
  ])("passes %j on as it is", async (expected, given = expected) => {
    expect(await weir.run(["claude", ...given])).toMatchObject({ exitCode: 0, out: "", err: "" });
    expect((await call()).args).toEqual(expected);
  });

  it("takes its own options before Claude Code's", async () => {
    weir.env["WEIR_URL"] = "http://127.0.0.1:1";
    weir.env["WEIR_KEY"] = undefined;
    await writeFile(weir.file("my-key"), `${KEY}\n`);
    const run = await weir.run(["claude", "--url", `${server.url}/`, "--key-file", "my-key", "-p", "x"]);
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(await call()).toMatchObject({
      args: ["-p", "x"],
      env: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_AUTH_TOKEN: KEY },
    });
  });

  it("shows its own help", async () => {
    const run = await weir.run("claude --help");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toContain("Runs your Claude Code");
    expect((await weir.run("claude -h")).out).toBe(run.out);
  });

  it.each([
    ["exit 0", 0],
    ["exit 7", 7],
    ["kill SIGTERM", 143],
    ["kill SIGKILL", 137],
  ])("given a Claude Code that ends by %s, ends with %i", async (what, exitCode) => {
    weir.env["STUB_DO"] = what;
    expect((await weir.run("claude")).exitCode).toBe(exitCode);
  });

  it("keeps from Claude Code what would lead it past Weir, and says so without the values", async () => {
    Object.assign(weir.env, {
      ANTHROPIC_API_KEY: "sk-ant-secret",
      CLAUDE_CODE_USE_BEDROCK: "1",
      ANTHROPIC_MODEL: "opus",
    });
    const run = await weir.run("claude");
    const { env } = await call();
    expect(env).toMatchObject({ ANTHROPIC_MODEL: "opus" });
    for (const name of ["ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK", "WEIR_KEY"])
      expect(env).not.toHaveProperty(name);
    expect(run.err).toContain("ANTHROPIC_API_KEY, CLAUDE_CODE_USE_BEDROCK not passed on");
    expect(run.err).not.toContain("sk-ant-secret");
  });

  it("keeps a corporate proxy from between Claude Code and a Weir on this machine", async () => {
    Object.assign(weir.env, { HTTPS_PROXY: "http://proxy:3128", NO_PROXY: ".corp" });
    await weir.run("claude");
    expect((await call()).env).toMatchObject({
      HTTPS_PROXY: "http://proxy:3128",
      NO_PROXY: ".corp,127.0.0.1",
      no_proxy: "127.0.0.1",
    });
  });
});

describe("the key of weir claude", () => {
  it("is the stored one where WEIR_KEY is not set", async () => {
    weir.env["WEIR_KEY"] = "";
    const created = (await weir.run("keys create --name laptop --save --json")).json();
    expect((await weir.run("claude")).exitCode).toBe(0);
    expect((await call()).env["ANTHROPIC_AUTH_TOKEN"]).toBe(created["secret"]);
  });

  it("is not taken from a stored file that others may read", async () => {
    weir.env["WEIR_KEY"] = undefined;
    await weir.run("keys create --name laptop --save");
    const file = weir.file(".config/weir/key");
    await chmod(file, 0o640);
    const run = await weir.run("claude");
    expect(run).toMatchObject({ exitCode: 3, err: expect.stringContaining(`fix: chmod 600 ${file}`) });
  });

  it("is looked for below XDG_CONFIG_HOME", async () => {
    Object.assign(weir.env, { WEIR_KEY: undefined, XDG_CONFIG_HOME: weir.file("xdg") });
    await weir.run("keys create --name laptop --save");
    expect((await readFile(weir.file("xdg/weir/key"), "utf8")).trim()).toMatch(/^wr-dev-/);
    expect((await weir.run("claude")).exitCode).toBe(0);
  });

  it.each([
    [{ WEIR_KEY: "" }, "", "you have no Weir key", "weir keys create --name laptop --save"],
    [{ WEIR_KEY: "sk-ant-something" }, "", "WEIR_KEY does not hold a Weir key", "beginning with wr-"],
    [{}, "--key-file nowhere", "there is no key file", "Check the path"],
    [{}, "--key-file bin/claude", "does not hold a Weir key", "one key, beginning with wr-"],
    [{}, "--key-file bin", "cannot be read (EISDIR)", "permissions"],
  ])("given %j %s, ends with exit 3 and what to do, and starts nothing", async (env, options, message, remedy) => {
    Object.assign(weir.env, env);
    const run = await weir.run(`claude ${options}`);
    expect(run.exitCode).toBe(3);
    expect(run.err).toContain(message);
    expect(run.err).toContain(remedy);
    expect(run.err).not.toContain("sk-ant-something");
    await expect(call()).rejects.toThrow("ENOENT");
  });

  it("that Weir refuses is told before Claude Code starts, with Weir's reason", async () => {
    server.answers["/v1/models"] = {
      status: 401,
      body: { error: { type: "authentication_error", message: "This key has been revoked." } },
    };
    const run = await weir.run("claude");
    expect(run).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("refuses the key from WEIR_KEY: This key has been revoked."),
    });
    expect(run.err).not.toContain(KEY);
    expect(server.asked.at(-1)?.headers.authorization).toBe(`Bearer ${KEY}`);
    await expect(call()).rejects.toThrow("ENOENT");
  });

  it("that may not list models is good enough", async () => {
    server.answers["/v1/models"] = { status: 403, body: "no" };
    expect((await weir.run("claude")).exitCode).toBe(0);
  });
});

describe("the Weir of weir claude", () => {
  it("given none at the address, says how to start it", async () => {
    weir.env["WEIR_URL"] = "http://127.0.0.1:1";
    const run = await weir.run("claude --json");
    expect(run.exitCode).toBe(3);
    expect(run.json()).toEqual({
      error: {
        code: "unavailable",
        message: "Weir does not answer at http://127.0.0.1:1: nothing listens there",
        remedy: expect.stringContaining("Start it with `weir serve`"),
      },
    });
  });

  it("given one that is not ready, says why", async () => {
    server.answers["/readyz"] = {
      status: 503,
      body: { status: "not_ready", failures: [{ check: "journal", reason: "disk full" }] },
    };
    const run = await weir.run("claude");
    expect(run).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("takes no requests now\n  journal: disk full"),
    });
  });

  it("given something else there, does not hand it the key", async () => {
    server.answers["/readyz"] = { status: 200, body: "<html>" };
    const run = await weir.run("claude");
    expect(run).toMatchObject({ exitCode: 3, err: expect.stringContaining("is not Weir") });
    expect(server.asked.map(({ url }) => url)).toEqual(["/readyz"]);
  });

  it("is not asked given --no-check", async () => {
    expect((await weir.run("claude --no-check -p x")).exitCode).toBe(0);
    expect(server.asked).toEqual([]);
    expect((await call()).args).toEqual(["-p", "x"]);
  });

  it("is where the configuration says", async () => {
    weir.env["WEIR_URL"] = undefined;
    await weir.writeConfig(`listen:\n  port: ${server.port}\n`);
    expect((await weir.run("claude")).exitCode).toBe(0);
    expect((await call()).env["ANTHROPIC_BASE_URL"]).toBe(server.url);
  });

  it("is not another machine because a weir.yaml that lies in the directory says so", async () => {
    weir.env["WEIR_URL"] = undefined;
    await weir.writeConfig("listen:\n  public_url: https://evil.example\n");
    const run = await weir.run("claude --no-check");
    expect(run).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining("would send your key to https://evil.example"),
    });
    await expect(call()).rejects.toThrow("ENOENT");
    expect((await weir.run("claude --no-check --config weir.yaml")).exitCode).toBe(0);
    expect((await call()).env["ANTHROPIC_BASE_URL"]).toBe("https://evil.example");
  });

  it.each([
    ["ftp://x", "--url is no address of a Weir"],
    ["https://user:pass@x", "--url is no address of a Weir"],
    ["nonsense", "--url is no address of a Weir"],
  ])("is not %s", async (url, message) => {
    expect(await weir.run(["claude", "--url", url])).toMatchObject({
      exitCode: 2,
      err: expect.stringContaining(message),
    });
  });

  it("is told about a connection that others can read", async () => {
    const run = await weir.run("claude --no-check --dry-run --url http://weir.example.com");
    expect(run).toMatchObject({ exitCode: 0, err: expect.stringContaining("unencrypted") });
  });

  it("is shown by --dry-run, with the call and without the key", async () => {
    const run = await weir.run(["claude", "--dry-run", "-p", "it's me"]);
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toBe(
      `ANTHROPIC_BASE_URL=${server.url}\nANTHROPIC_AUTH_TOKEN=[redacted]\n${weir.file("bin/claude")} -p 'it'\\''s me'\n`,
    );
    expect((await weir.run(["claude", "--dry-run", "--json", "x"])).json()).toMatchObject({
      args: ["x"],
      key_source: "WEIR_KEY",
    });
    await expect(call()).rejects.toThrow("ENOENT");
  });
});

describe("the program of weir claude", () => {
  it.each([
    [{ PATH: "/nowhere" }, "Claude Code is not installed", "npm install -g @anthropic-ai/claude-code"],
    [{ CLAUDE_BIN: "/nowhere/claude" }, "CLAUDE_BIN is /nowhere/claude", "Set CLAUDE_BIN"],
    [{ CLAUDE_BIN: "weir.yaml" }, "CLAUDE_BIN is weir.yaml", "Set CLAUDE_BIN"],
  ])("given %j, is missing: exit 3 and how to install it", async (env, message, remedy) => {
    Object.assign(weir.env, env);
    const run = await weir.run("claude");
    expect(run.exitCode).toBe(3);
    expect(run.err).toContain(message);
    expect(run.err).toContain(remedy);
  });

  it("is CLAUDE_BIN where that is set, absolute or as on a PATH", async () => {
    await writeFile(weir.file("bin/other"), STUB, { mode: 0o755 });
    await writeFile(weir.file("bin/claude"), "#!/bin/sh\nexit 99\n", { mode: 0o755 });
    for (const name of [weir.file("bin/other"), "./bin/other", "other"]) {
      weir.env["CLAUDE_BIN"] = name;
      expect((await weir.run("claude")).exitCode).toBe(0);
    }
  });

  it("given one that the system cannot run, says so", async () => {
    await writeFile(weir.file("bin/claude"), "#!/nowhere/interpreter\n", { mode: 0o755 });
    expect(await weir.run("claude")).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("cannot be run (ENOENT)"),
    });
  });
});

describe("weir claude as a process", () => {
  let child: ChildProcess | null = null;
  afterEach(() => void child?.kill("SIGKILL"));

  function start(args: readonly string[], env: Record<string, string> = {}): ChildProcess {
    child = spawn(process.execPath, [CLI_PROCESS, "claude", ...args], {
      cwd: weir.directory,
      env: { ...weir.env, ...env },
    });
    return child;
  }

  it("gives Claude Code its own input and output", async () => {
    const running = start(["-p", "x"], { STUB_DO: "echo" });
    let out = "";
    running.stdout?.on("data", (chunk: Buffer) => (out += chunk.toString()));
    running.stdin?.end("what I type");
    const [exitCode] = await once(running, "close");
    expect({ exitCode, out }).toEqual({ exitCode: 0, out: "what I type" });
  });

  it.each(["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR2"] as const)(
    "passes %s on, and ends as Claude Code does",
    async (signal) => {
      const running = start([], { STUB_DO: "wait" });
      if (running.stdout === null) throw new Error("no stdout");
      await once(running.stdout, "data");
      running.kill(signal);
      const [exitCode] = await once(running, "close");
      expect({ exitCode, signal: (await call()).signal }).toEqual({ exitCode: 42, signal });
    },
  );
});
