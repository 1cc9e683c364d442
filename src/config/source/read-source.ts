import { createReadStream } from "node:fs";

import type { FileReading } from "./expand.ts";
import { parseSource, type SourceFile } from "./parse-source.ts";

/** Beyond any honest configuration or secret; keeps a slip such as `${file:/dev/zero}` from filling the memory. */
const MAX_BYTES = 4 * 1024 * 1024;

/** Reads and parses a configuration file. Never throws; a file that cannot be read has that as its one problem. */
export async function readSource(file: string): Promise<SourceFile> {
  const reading = await readText(file);
  if ("text" in reading) return parseSource(file, reading.text);
  const isMissing = reading.problem === MISSING;
  const problem = {
    code: isMissing ? "file_not_found" : "unreadable_file",
    place: { origin: file, file, line: null, column: null },
    message: `the configuration file ${file} ${reading.problem}`,
    fix: isMissing
      ? "Check the path, or write a file to start from with `weir config init`."
      : "Make it a UTF-8 text file that the user running Weir may read.",
  };
  return { file, text: "", tree: null, scalars: [], problems: [problem] };
}

const MISSING = "does not exist";

const REASONS: Readonly<Partial<Record<string, string>>> = {
  ENOENT: MISSING,
  ENOTDIR: MISSING,
  EACCES: "may not be read (permission denied)",
  EPERM: "may not be read (permission denied)",
  EISDIR: "is a directory",
  ELOOP: "is a symbolic link that leads in a circle",
};

/** The text of a file, or why there is none, as a phrase to follow the file's name. */
export async function readText(file: string): Promise<FileReading> {
  const chunks: Buffer[] = [];
  try {
    // A stream with an end, because special files have no size to look at beforehand.
    for await (const chunk of createReadStream(file, { end: MAX_BYTES })) chunks.push(Buffer.from(chunk));
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    return { problem: REASONS[code] ?? `could not be read (${code})` };
  }
  const bytes = Buffer.concat(chunks);
  if (bytes.length > MAX_BYTES) return { problem: `is larger than ${MAX_BYTES} bytes` };
  try {
    return { text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch {
    // The decoder's only complaint: bytes that are not UTF-8.
    return { problem: "is not UTF-8 text" };
  }
}
