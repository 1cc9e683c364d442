import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, statSync } from "node:fs";
import { join } from "node:path";

export const COMPILER = "gcc";

export interface NativeTools {
  readonly upstream: string;
  readonly load: string;
}

/**
 * Compiles upstream.c and load.c into `outDir` when they are missing or older than their source.
 * Throws with the command that installs the compiler when there is none.
 */
export function buildNativeTools(outDir: string): NativeTools {
  mkdirSync(outDir, { recursive: true });
  return { upstream: compile("upstream", outDir), load: compile("load", outDir) };
}

function compile(name: string, outDir: string): string {
  const source = join(import.meta.dirname, `${name}.c`);
  const binary = join(outDir, name);
  if (existsSync(binary) && statSync(binary).mtimeMs > statSync(source).mtimeMs) return binary;
  try {
    execFileSync(COMPILER, ["-O2", "-Wall", "-o", binary, source, "-lm"], { stdio: ["ignore", "ignore", "pipe"] });
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") {
      throw new Error(
        "The benchmark's tools are written in C and gcc is not installed: apt-get install -y gcc libc6-dev",
        { cause },
      );
    }
    throw cause;
  }
  return binary;
}
