import { execFile } from "node:child_process";
import { access, constants, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The version whose behaviour these tests describe. */
const VERSION = "2.1.329";
const PACKAGE = "@anthropic-ai/claude-code-linux-x64";
const CACHE = join(import.meta.dirname, ".cache");
const DIRECTORY = join(CACHE, "node_modules", PACKAGE);
const INSTALL = ["install", "--prefix", CACHE, "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
const INSTALL_TIMEOUT_MS = 540_000;

/** The real Claude Code, or why it is not here. */
export type ClaudeCode = { readonly program: string } | { readonly program: null; readonly reason: string };

/** The pinned Claude Code in this folder's cache, installed from npm if it is not there yet. */
export async function claudeCode(): Promise<ClaudeCode> {
  if (process.platform !== "linux" || process.arch !== "x64") {
    return { program: null, reason: `${PACKAGE} is for linux-x64, this is ${process.platform}-${process.arch}` };
  }
  const program = join(DIRECTORY, "claude");
  if (await isInstalled(program)) return { program };
  try {
    await run("npm", [...INSTALL, `${PACKAGE}@${VERSION}`], { timeout: INSTALL_TIMEOUT_MS });
  } catch (error) {
    const why = error instanceof Error ? (error.message.split("\n").at(-1) ?? "") : String(error);
    return {
      program: null,
      reason: `it could not be installed (${why}): npm ${INSTALL.join(" ")} ${PACKAGE}@${VERSION}`,
    };
  }
  return { program };
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
