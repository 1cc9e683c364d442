import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
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
  await mkdir(config.data_dir, { recursive: true, mode: 0o700 });
  const made = randomBytes(PEPPER_BYTES).toString("base64url");
  try {
    // Exclusive: of two processes that begin at once, one makes it and the other reads it.
    await writeFile(file, `${made}\n`, { mode: 0o600, flag: "wx" });
    return made;
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    return (await readFile(file, "utf8")).trim();
  }
}
