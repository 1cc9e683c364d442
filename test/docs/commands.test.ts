/** The commands in README, guides and examples are run as they stand: a reader's first minutes are a test. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { requires } from "../harness/requires.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { blocksOf, pages, ROOT, type Block } from "./markdown.ts";

/** What a reader's checkout has. The commands run in a directory of their own in which these are links. */
const CHECKOUT = ["bin", "examples", "node_modules", "package.json", "schema", "src"];
/** Secrets that a reader would have generated. */
const ADMIN_KEYS = {
  WEIR_ADMIN_WRITE_KEY: "wk-0f9d8c7b6a59483726151403f2e1d0c9",
  WEIR_ADMIN_READ_KEY: "rk-b1c2d3e4f5061728394a5b6c7d8e9fa0",
};
/** What the guides have their readers write into weir.yaml before the commands. */
const READERS_SETTINGS = {
  tags: { allowed: ["search"] },
  admin: {
    write_keys: [{ id: "terraform", key: ADMIN_KEYS.WEIR_ADMIN_WRITE_KEY }],
    read_keys: [{ id: "reporting", key: ADMIN_KEYS.WEIR_ADMIN_READ_KEY }],
  },
};
const COMMAND_TIMEOUT_MS = 120_000;

/** Stands for Claude Code: asks where it is told to, with the credential it is given, as the real one would. */
const CLAUDE = `#!/bin/sh
exec curl --silent --fail-with-body "$ANTHROPIC_BASE_URL/v1/messages" \\
  -H "authorization: Bearer $ANTHROPIC_AUTH_TOKEN" -H 'content-type: application/json' \\
  -d '{"model":"claude-haiku-4-5","max_tokens":50,"messages":[{"role":"user","content":"Hello"}]}'
`;

const all = pages().flatMap(blocksOf);
// The Chinese README has the very same blocks, which is tested as well.
const tested = Map.groupBy(
  all.filter(({ page, info }) => info === "sh test" && page !== "README.zh.md"),
  ({ page }) => page,
);

describe("the shell blocks of the README", () => {
  const readme = all.filter(({ page, info }) => page.startsWith("README") && /^(sh|bash|shell|console)\b/.test(info));

  it("are all run: by this test, or by .ci/run", () => {
    expect(readme.filter(({ info }) => info !== "sh test" && info !== "sh ci")).toEqual([]);
    expect(readme.length).toBeGreaterThan(10);
  });

  it("that .ci/run is to run, it runs", async () => {
    const script = await readFile(path.join(ROOT, ".ci/run"), "utf8");
    const commands = readme
      .filter(({ info }) => info === "sh ci")
      .flatMap(({ text }) => text.split(/\n|&&/))
      .map((command) => command.trim())
      .filter((command) => command !== "");
    expect([...new Set(commands)].filter((command) => !script.includes(command))).toEqual([]);
  });

  it("are the same in both languages", () => {
    const of = (page: string) => all.filter((block) => block.page === page).map(({ info, text }) => ({ info, text }));
    expect(of("README.zh.md")).toEqual(of("README.md"));
  });
});

const curl = requires("curl", { command: "apt-get install -y curl" });

describe.skipIf(curl.missing)(curl.title("the commands in the documents"), () => {
  let weir: WeirProcess;
  let directory = "";

  beforeAll(async () => {
    directory = await mkdtemp(path.join(tmpdir(), "weir-docs-"));
    const claude = path.join(directory, "claude");
    await writeFile(claude, CLAUDE);
    await chmod(claude, 0o755);
    weir = await WeirProcess.start({ config: READERS_SETTINGS });
  });

  afterAll(async () => {
    await weir.dispose();
    await rm(directory, { recursive: true, force: true });
  });

  it("are there to be run", () => {
    expect([...tested.keys()]).toEqual(expect.arrayContaining(["README.md", "examples/README.md"]));
  });

  it.each([...tested.keys()])(
    "work in order: %s",
    async (page) => {
      const checkout = await mkdtemp(path.join(directory, "checkout-"));
      for (const name of CHECKOUT) await symlink(path.join(ROOT, name), path.join(checkout, name));
      await symlink(path.join(weir.dataDir, "weir.yaml"), path.join(checkout, "weir.yaml"));
      for (const block of tested.get(page) ?? []) await runBlock(checkout, block);
    },
    5 * COMMAND_TIMEOUT_MS,
  );

  async function runBlock(cwd: string, { page, line, text }: Block): Promise<void> {
    const env = {
      PATH: [directory, path.join(ROOT, "node_modules/.bin"), process.env["PATH"]].join(":"),
      HOME: cwd,
      ...ADMIN_KEYS,
      ANTHROPIC_BASE_URL: weir.url,
      ANTHROPIC_AUTH_TOKEN: weir.key,
      WEIR_ADMIN_URL: weir.adminUrl,
      // A reader's Weir has the port that its configuration says; the test's has a free one.
      WEIR_URL: weir.url,
      NO_PROXY: "127.0.0.1",
      npm_config_update_notifier: "false",
    };
    const child = spawn("bash", ["-euo", "pipefail", "-c", text], {
      cwd,
      env,
      timeout: COMMAND_TIMEOUT_MS,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (output += chunk));
    const [code, signal] = await once(child, "close");
    if (code === 0) return;
    const log = weir.log.split("\n").slice(-20).join("\n");
    throw new Error(`${page}:${line} ended with ${code ?? signal}:\n${text}\n${output}\nWeir's log:\n${log}`);
  }
});
