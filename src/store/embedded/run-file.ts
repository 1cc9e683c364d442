import { readFile, rename, writeFile } from "node:fs/promises";

import { z } from "zod";

import { unlessMissing } from "./file-errors.ts";

const SCHEMA = z.object({
  pid: z.number(),
  dataDirectory: z.string(),
  host: z.string(),
  port: z.number(),
  user: z.string(),
  database: z.string(),
  version: z.string(),
  settingsMark: z.string(),
  startedAtMs: z.number(),
});

/** What `run/postgres.json` tells people and other Weir processes of the running server. No secret is in it. */
export type RunFile = z.infer<typeof SCHEMA>;

/** Null when there is none, or none that this version understands. */
export async function readRunFile(path: string): Promise<RunFile | null> {
  const text = await unlessMissing(readFile(path, "utf8"));
  if (text === null) return null;
  try {
    return SCHEMA.parse(JSON.parse(text));
  } catch {
    // Written by another version or cut by a crash: what counts is in postmaster.pid.
    return null;
  }
}

export async function writeRunFile(path: string, content: RunFile): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  await rename(`${path}.new`, path);
}
