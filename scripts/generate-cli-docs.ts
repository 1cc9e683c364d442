/**
 * Writes docs/reference/cli.md from the command line itself. With `--check` it writes nothing and exits 1 if the page is
 * stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import type { CliContext } from "../src/cli/cli-context.ts";
import { buildProgram } from "../src/cli/program.ts";
import { cliReference } from "../src/cli/reference-page.ts";
import type { TextSink } from "../src/cli/terminal/terminal.ts";
import { systemClock } from "../src/core/clock.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const NAME = "docs/reference/cli.md";

/** The generated file: path from the root of the project, and content. */
export function cliDoc(): { path: string; content: string } {
  return { path: NAME, content: cliReference(buildProgram(describingContext())) };
}

/** The path of the page under `root` if it is missing or stale. */
export async function staleCliDocs(root: string = ROOT): Promise<string[]> {
  const { path: name, content } = cliDoc();
  return (await readIfPresent(path.join(root, name))) === content ? [] : [name];
}

/** Writes the page under `root`; returns its path if it changed. */
export async function writeCliDocs(root: string = ROOT): Promise<string[]> {
  const stale = await staleCliDocs(root);
  const { path: name, content } = cliDoc();
  if (stale.length === 0) return stale;
  await mkdir(path.dirname(path.join(root, name)), { recursive: true });
  await writeFile(path.join(root, name), content);
  return stale;
}

/** A context for a program that is described and never run. */
function describingContext(): CliContext {
  const sink: TextSink = { isTty: false, hasColors: false, columns: 100, write: () => {} };
  const never = (): never => {
    throw new Error("this program is only described");
  };
  return {
    clock: systemClock,
    env: {},
    cwd: ROOT,
    version: "",
    terminal: { out: sink, err: sink, isInteractive: false, confirm: never, onInterrupt: never },
    inspect: {
      embeddedPostgres: never,
      database: never,
      connectUpstream: never,
      routes: never,
      runningAdmin: never,
      journalDirectory: never,
      secretFiles: never,
    },
    serve: never,
    loadConfig: never,
    openRecords: never,
  };
}

async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}

async function main(args: readonly string[]): Promise<number> {
  if (!args.includes("--check")) {
    for (const name of await writeCliDocs()) console.log(`wrote ${name}`);
    return 0;
  }
  const stale = await staleCliDocs();
  for (const name of stale) console.error(`${name} is stale: run npm run generate`);
  return stale.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
