/**
 * Writes schema/weir.schema.json and docs/reference/configuration.md from the configuration schema. With `--check` it
 * writes nothing and exits 1 if one of them is stale.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { configJsonSchema } from "../src/config/json-schema.ts";
import { configReference } from "../src/config/reference-page.ts";

const ROOT = path.resolve(import.meta.dirname, "..");

/** The generated files: path from the root of the project, and content. */
export function configDocs(): { path: string; content: string }[] {
  return [
    { path: "schema/weir.schema.json", content: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    { path: "docs/reference/configuration.md", content: configReference() },
  ];
}

/** Paths of the generated files under `root` that are missing or stale. */
export async function staleConfigDocs(root: string = ROOT): Promise<string[]> {
  const stale: string[] = [];
  for (const { path: name, content } of configDocs()) {
    if ((await readIfPresent(path.join(root, name))) !== content) stale.push(name);
  }
  return stale;
}

/** Writes the generated files under `root`; returns the paths of those that changed. */
export async function writeConfigDocs(root: string = ROOT): Promise<string[]> {
  const stale = await staleConfigDocs(root);
  for (const { path: name, content } of configDocs()) {
    if (!stale.includes(name)) continue;
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, content);
  }
  return stale;
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
    for (const name of await writeConfigDocs()) console.log(`wrote ${name}`);
    return 0;
  }
  const stale = await staleConfigDocs();
  for (const name of stale) console.error(`${name} is stale: run npm run generate`);
  return stale.length === 0 ? 0 : 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await main(process.argv.slice(2));
