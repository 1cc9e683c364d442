import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import type { Config } from "../config/schema.ts";

/** Name of the file below the data directory that holds a generated pepper. */
export const PEPPER_FILE = "key-pepper";
const PEPPER_BYTES = 32;

/**
 * The pepper under which keys are stored: the configured one, else one that is made once and kept, readable by its owner
 * only, in the data directory. (pre-prod and prod refuse a configuration without one.)
 */
export async function keyPepper(config: Config): Promise<string> {
  const configured = config.security.key_pepper;
  if (configured !== undefined) return configured;
  const file = path.join(config.data_dir, PEPPER_FILE);
  return (await readPepper(file)) ?? (await makePepper(file));
}

async function makePepper(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const made = randomBytes(PEPPER_BYTES).toString("base64url");
  // Written whole before it gets its name, so that nobody ever reads half of it.
  const draft = `${file}.${made.slice(0, 8)}`;
  await writeFile(draft, `${made}\n`, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, file);
    return made;
  } catch (error) {
    // Of two processes that begin at once, one makes it and the other reads it.
    const others = isCode(error, "EEXIST") ? await readPepper(file) : null;
    if (others === null) throw error;
    return others;
  } finally {
    await rm(draft);
  }
}

/** The kept pepper; null when none has been made yet. Throws when there is one that cannot be whole. */
async function readPepper(file: string): Promise<string | null> {
  let pepper: string;
  try {
    pepper = (await readFile(file, "utf8")).trim();
  } catch (error) {
    if (isCode(error, "ENOENT")) return null;
    throw error;
  }
  if (pepper.length >= PEPPER_BYTES) return pepper;
  throw new Error(
    `${file} is damaged: it holds ${pepper.length} characters, not a pepper. Restore it from a backup; ` +
      "without it no key is recognised. To begin anew instead, remove it and issue all keys again.",
  );
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
