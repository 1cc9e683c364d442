import { chmod, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import os from "node:os";
import path from "node:path";

import { classOfSecret } from "../../identity/key-secret.ts";
import { CliError } from "../cli-error.ts";
import { isSystemError } from "../system-error.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Where a developer's own key is kept: `~/.config/weir/key`, or below XDG_CONFIG_HOME. */
export function keyFilePath(env: Env): string {
  const configured = env["XDG_CONFIG_HOME"] ?? "";
  const home = env["HOME"] ?? os.homedir();
  return path.join(path.isAbsolute(configured) ? configured : path.join(home, ".config"), "weir", "key");
}

/** Stores a key for this user alone (0600), replacing another in one step. Rejects with CliError. */
export async function writeKeyFile(file: string, secret: string): Promise<void> {
  const draft = `${file}.new-${process.pid}`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(draft, "w", 0o600);
    try {
      // The mode of `open` counts only for a new file.
      await chmod(draft, 0o600);
      await handle.writeFile(`${secret}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(draft, file);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("unavailable", `the key cannot be stored in ${file} (${error.code})`, {
      remedy: "Check who owns that directory, or store the key yourself.",
      cause: error,
    });
  }
}

/**
 * The key in a file, or null when there is no such file. Rejects with CliError when it cannot be read, holds no Weir key, or,
 * with `isPrivate`, when others may read it.
 */
export async function readKeyFile(file: string, options: { isPrivate: boolean }): Promise<string | null> {
  let text: string;
  try {
    if (options.isPrivate) refuseShared(file, (await stat(file)).mode);
    text = await readFile(file, "utf8");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    if (error.code === "ENOENT") return null;
    throw new CliError("unavailable", `the key file ${file} cannot be read (${error.code})`, {
      remedy: "Check its path and permissions.",
      cause: error,
    });
  }
  const secret = text.trim();
  if (classOfSecret(secret) !== null) return secret;
  throw new CliError("unavailable", `${file} does not hold a Weir key`, {
    remedy: "It must contain one key, beginning with wr-, and nothing else. `weir keys create --save` writes one.",
  });
}

function refuseShared(file: string, mode: number): void {
  if ((mode & 0o077) === 0) return;
  throw new CliError("unavailable", `others may read your key: ${file} has mode ${modeText(mode)}`, {
    remedy: `chmod 600 ${file}`,
  });
}

/** The permission bits of a file mode in octal, as chmod takes them. */
export function modeText(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}
