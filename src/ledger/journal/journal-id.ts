import { randomUUID } from "node:crypto";
import { open, readdir, readFile, rename } from "node:fs/promises";
import path from "node:path";

import type { Logger } from "../../core/logger.ts";
import { syncDirectory } from "./directory-sync.ts";
import { JournalError, systemCode } from "./journal-error.ts";
import { segmentNumber } from "./segment-catalog.ts";
import { headerJournalId, SEGMENT_HEADER_BYTES } from "./segment-header.ts";

const ID_FILE = "id";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * The journal's id, made with the directory and never changed: PostgreSQL keeps a cursor for it. When the file is lost or
 * damaged, the id is taken from the segments. Rejects with JournalError `corrupt` when there are segments but none says it.
 */
export async function loadJournalId(directory: string, logger: Logger): Promise<string> {
  const file = path.join(directory, ID_FILE);
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    if (systemCode(error) !== "ENOENT") throw error;
    return null;
  });
  const stored = text?.trim() ?? "";
  if (UUID.test(stored)) return stored;

  const fromSegments = await idInSegments(directory);
  if (fromSegments !== null) logger.warn({ file }, "the journal's id file was lost and is restored from its segments");
  const id = fromSegments ?? randomUUID();
  await writeDurably(file, `${id}\n`);
  return id;
}

async function idInSegments(directory: string): Promise<string | null> {
  const names = (await readdir(directory)).filter((name) => segmentNumber(name) !== null).sort();
  for (const name of names) {
    const id = headerJournalId(await readStart(path.join(directory, name)));
    if (id !== null) return id;
  }
  if (names.length === 0) return null;
  throw new JournalError(
    "corrupt",
    `${path.join(directory, ID_FILE)} is missing or damaged and no segment beside it says the journal's id: restore the ` +
      `file from a copy (the id is also in PostgreSQL, with the shipper's cursor)`,
  );
}

async function readStart(file: string): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(SEGMENT_HEADER_BYTES), 0, SEGMENT_HEADER_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

async function writeDurably(file: string, text: string): Promise<void> {
  const unfinished = `${file}.new`;
  const handle = await open(unfinished, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(unfinished, file);
  await syncDirectory(path.dirname(file));
}
