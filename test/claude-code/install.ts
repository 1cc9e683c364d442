import { execFile } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { requires, type Requirement } from "../harness/requires.ts";

const run = promisify(execFile);

/** The version whose behaviour these tests describe. */
const VERSION = "2.1.329";
const PACKAGE = "@anthropic-ai/claude-code-linux-x64";
const ROOT = resolve(import.meta.dirname, "../..");
const CACHE = "test/claude-code/.cache";
const DIRECTORY = join(ROOT, CACHE, "node_modules", PACKAGE);
const OPTIONS = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
const INSTALL = ["install", "--prefix", CACHE, ...OPTIONS, `${PACKAGE}@${VERSION}`];
const INSTALL_TIMEOUT_MS = 540_000;

/** The real Claude Code: its program, where it is here, and how a test says that it needs it. */
export interface ClaudeCode extends Requirement {
  readonly program: string;
}

/** The pinned Claude Code in this folder's cache, installed from npm if it is not there yet. */
export async function claudeCode(): Promise<ClaudeCode> {
  const program = join(DIRECTORY, "claude");
  const isHere = (await isInstalled(program)) || (isBuiltForThis() && (await install()));
  const command = isBuiltForThis() ? `npm ${INSTALL.join(" ")}` : "a machine with Linux on x64";
  return { program, ...requires("Claude Code", { command, found: isHere }) };
}

function isBuiltForThis(): boolean {
  return process.platform === "linux" && process.arch === "x64";
}

/** False when npm cannot: no network, no registry, no space. */
async function install(): Promise<boolean> {
  return await run("npm", INSTALL, { cwd: ROOT, timeout: INSTALL_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}

async function isInstalled(program: string): Promise<boolean> {
  try {
    await access(program, constants.X_OK);
    const manifest: unknown = JSON.parse(await readFile(join(DIRECTORY, "package.json"), "utf8"));
    return typeof manifest === "object" && manifest !== null && "version" in manifest && manifest.version === VERSION;
  } catch {
    return false; // not there, or not whole
  }
}
