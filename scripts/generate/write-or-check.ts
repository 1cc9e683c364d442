import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";

import type { GeneratedFile } from "./generated-file.ts";

const ROOT = path.resolve(import.meta.dirname, "../..");

/** The paths of those files that are missing under `root` or have other content. */
export async function staleFiles(files: readonly GeneratedFile[], root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const { path: name, content } of files) {
    if ((await readIfPresent(path.join(root, name))) !== content) stale.push(name);
  }
  return stale;
}

/** Writes what is stale under `root`; returns the paths. */
export async function writeFiles(files: readonly GeneratedFile[], root: string): Promise<string[]> {
  const stale = await staleFiles(files, root);
  for (const { path: name, content } of files) {
    if (!stale.includes(name)) continue;
    await mkdir(path.dirname(path.join(root, name)), { recursive: true });
    await writeFile(path.join(root, name), content);
  }
  return stale;
}

/** The main function of a generator: writes the files, or with `--check` says which are stale. Gives the exit code. */
export async function generateMain(
  generate: (root: string) => Promise<readonly GeneratedFile[]>,
  args: readonly string[],
): Promise<number> {
  const files = await generate(ROOT);
  if (!args.includes("--check")) {
    for (const name of await writeFiles(files, ROOT)) console.log(`wrote ${name}`);
    return 0;
  }
  const stale = await staleFiles(files, ROOT);
  for (const name of stale) console.error(`${name} is stale: run npm run generate`);
  return stale.length === 0 ? 0 : 1;
}

async function readIfPresent(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
