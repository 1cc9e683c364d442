import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";

import { modeEnvironment, type ClaudeMode } from "./modes.ts";

export interface ClaudeOptions {
  readonly program: string;
  readonly url: string;
  readonly key: string;
  /** Which cloud it believes that it talks to. Default: `anthropic`. */
  readonly mode?: ClaudeMode;
  /** After `-p <prompt>`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Lets it do what it does at the start of an ordinary session, as discovering models. */
  readonly allowNonessential?: boolean;
  /** Runs this instead, with the program's arguments after it: for `weir claude`. */
  readonly through?: readonly string[];
}

export interface ClaudeRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT_MS = 150_000;

/** Runs Claude Code on one prompt, apart from whatever this machine has: its own home, configuration and working directory. */
export async function runClaude(prompt: string, options: ClaudeOptions): Promise<ClaudeRun> {
  const place = await mkdtemp(join(tmpdir(), "weir-claude-"));
  const directories = ["home", "config", "tmp", "work"].map((name) => join(place, name));
  const [home = "", config = "", tmp = "", work = ""] = directories;
  await Promise.all(directories.map((directory) => mkdir(directory)));
  const { program, url, key, mode = "anthropic", args = [], through } = options;
  const env = {
    PATH: "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    CLAUDE_CONFIG_DIR: config,
    TMPDIR: tmp,
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_PROXY: "127.0.0.1,localhost",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
    DISABLE_ERROR_REPORTING: "1",
    DISABLE_BUG_COMMAND: "1",
    ...(options.allowNonessential === true ? {} : { CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1" }),
    ...(through === undefined ? modeEnvironment(mode, { url, key }) : {}),
    ...options.env,
  };
  const [command = program, ...first] = [...(through ?? []), ...(through === undefined ? [program] : [])];
  try {
    const child = spawn(command, [...first, "-p", prompt, ...args], {
      cwd: work,
      env,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: TIMEOUT_MS,
      killSignal: "SIGKILL",
    });
    const exit = once(child, "exit");
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
    await exit;
    return { code: child.exitCode, stdout, stderr };
  } finally {
    await rm(place, { recursive: true, force: true, maxRetries: 5 });
  }
}
