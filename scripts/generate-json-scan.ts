import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { GeneratedFile } from "./generate/generated-file.ts";

/** Where the module's data would begin: after the fields that wasm/json-scan.ts lays out by hand. */
const MEMORY_BASE = 20_480;
const LINE = 116;

/** Compiles wasm/json-scan.ts and puts the module, as base64, into a source file that the server imports. */
export async function jsonScanModule(root: string): Promise<GeneratedFile> {
  const directory = await mkdtemp(path.join(tmpdir(), "weir-wasm-"));
  try {
    const outFile = path.join(directory, "json-scan.wasm");
    // As a program: its types would replace those of node's console.
    await promisify(execFile)(process.execPath, [
      fileURLToPath(import.meta.resolve("assemblyscript/bin/asc.js")),
      "wasm/json-scan.ts",
      "-O3",
      "--noAssert",
      ...options({
        runtime: "stub",
        enable: "simd",
        initialMemory: "2",
        memoryBase: String(MEMORY_BASE),
        baseDir: root,
      }),
      ...options({ outFile }),
    ]);
    return { path: "src/wire/json/json-scan-module.ts", content: source(await readFile(outFile)) };
  } finally {
    await rm(directory, { recursive: true });
  }
}

function options(values: Readonly<Record<string, string>>): string[] {
  return Object.entries(values).flatMap(([name, value]) => [`--${name}`, value]);
}

function source(module: Buffer): string {
  const text = module.toString("base64");
  const lines = Array.from({ length: Math.ceil(text.length / LINE) }, (_, i) => text.slice(i * LINE, (i + 1) * LINE));
  return [
    "/** The WebAssembly of wasm/json-scan.ts, base64. Made by `npm run generate`; do not edit. */",
    "export const JSON_SCAN_MODULE =",
    lines.map((line) => `  "${line}"`).join(" +\n") + ";",
    "",
  ].join("\n");
}
