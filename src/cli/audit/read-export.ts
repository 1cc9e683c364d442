import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";

import { CSV_HEADER, csvRecords, fromCsvCells } from "../../ledger/audit/export-csv.ts";
import { fromJsonLine } from "../../ledger/audit/export-json-lines.ts";
import type { ExportRecord } from "../../ledger/audit/export-records.ts";
import type { ReadRecord } from "../../ledger/audit/verify-export.ts";
import { CliError } from "../cli-error.ts";
import { isSystemError } from "../system-error.ts";

/** The records of an export in either form, one after another. Throws CliError when the file cannot be read. */
export async function* readExport(file: string): AsyncGenerator<ReadRecord> {
  try {
    if (await startsLikeJson(file)) yield* jsonRecords(file);
    else yield* csvFileRecords(file);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new CliError("unavailable", `cannot read ${file}: ${error.code}`, {
      remedy: "Give a file that `weir audit export` wrote.",
      cause: error,
    });
  }
}

async function startsLikeJson(file: string): Promise<boolean> {
  for await (const chunk of createReadStream(file, { encoding: "utf8", end: 63 })) {
    return String(chunk).trimStart().startsWith("{");
  }
  throw new CliError("usage", `${file} is empty`, { remedy: "Give a file that `weir audit export` wrote." });
}

async function* jsonRecords(file: string): AsyncGenerator<ReadRecord> {
  let line = 0;
  const lines = createInterface({ input: createReadStream(file, { encoding: "utf8" }), crlfDelay: Infinity });
  for await (const text of lines) {
    line += 1;
    if (text !== "") yield attempt(line, () => fromJsonLine(text));
  }
}

async function* csvFileRecords(file: string): AsyncGenerator<ReadRecord> {
  let line = 0;
  for await (const cells of csvRecords(createReadStream(file, { encoding: "utf8" }))) {
    line += 1;
    if (line > 1) yield attempt(line, () => fromCsvCells(cells));
    else if (`${cells.join(",")}\n` !== CSV_HEADER) {
      throw new CliError("usage", `${file} is no export of the audit trail: its first line is another`, {
        remedy: "Give a file that `weir audit export` wrote, as it was written.",
      });
    }
  }
}

function attempt(line: number, read: () => ExportRecord): ReadRecord {
  try {
    return read();
  } catch (error) {
    if (error instanceof RangeError || error instanceof SyntaxError) {
      return { type: "malformed", line, why: error.message };
    }
    throw error;
  }
}
