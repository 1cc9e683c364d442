import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

import {
  type ProviderUsage,
  ProviderUsageSums,
  ReconciliationError,
} from "../../ledger/reconciliation/provider-usage.ts";
import { readAnthropicPage } from "../../ledger/reconciliation/read-anthropic.ts";
import { readBedrockLine } from "../../ledger/reconciliation/read-bedrock.ts";
import { UsageCsvReader } from "../../ledger/reconciliation/read-csv.ts";
import { CliError } from "../cli-error.ts";

export const PROVIDERS = ["anthropic-usage-api", "bedrock-logs", "csv"] as const;
export type ReconcileProvider = (typeof PROVIDERS)[number];

/** What the files say, summed by day and model. Logs and CSV are read line by line: their size does not matter. */
export async function readFiles(
  provider: ReconcileProvider,
  files: readonly string[],
): Promise<readonly ProviderUsage[]> {
  const sums = new ProviderUsageSums();
  for (const file of files) {
    if (provider === "anthropic-usage-api") await readPages(file, sums);
    else await readLines(file, provider, sums);
  }
  return sums.rows();
}

/** One page, a list of pages, or one page a line. */
async function readPages(file: string, sums: ProviderUsageSums): Promise<void> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw unreadable(file, error);
  });
  for (const [at, document] of documentsOf(text, file).entries()) {
    for (const row of explained(`${file}, page ${at + 1}`, () => readAnthropicPage(document)).rows) sums.add(row);
  }
}

function documentsOf(text: string, file: string): readonly unknown[] {
  try {
    const document: unknown = JSON.parse(text);
    return Array.isArray(document) ? document : [document];
  } catch {
    const lines = text.split("\n").filter((line) => line.trim() !== "");
    return lines.map((line, at): unknown => {
      try {
        return JSON.parse(line);
      } catch (error) {
        throw wrong(`${file}, line ${at + 1}`, new ReconciliationError("it is no JSON"), error);
      }
    });
  }
}

async function readLines(
  file: string,
  provider: Exclude<ReconcileProvider, "anthropic-usage-api">,
  sums: ProviderUsageSums,
): Promise<void> {
  const csv = new UsageCsvReader();
  const read = (line: string): ProviderUsage | null => (provider === "csv" ? csv.read(line) : readBedrockLine(line));
  let number = 0;
  try {
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      number += 1;
      if (line.trim() === "") continue;
      const row = explained(`${file}, line ${number}`, () => read(line));
      if (row !== null) sums.add(row);
    }
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(file, error);
  }
}

function explained<T>(where: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof ReconciliationError) throw wrong(where, error, error);
    throw error;
  }
}

function wrong(where: string, error: ReconciliationError, cause: unknown): CliError {
  return new CliError("usage", `${where}: ${error.message}`, {
    remedy: "Give --provider the kind of file that it is; docs/guides/reports.md shows what each looks like.",
    cause,
  });
}

function unreadable(file: string, error: unknown): CliError {
  const reason = error instanceof Error ? error.message : String(error);
  return new CliError("unavailable", `${file} cannot be read: ${reason}`, {
    remedy: "Give --file the path of a file that you may read.",
    cause: error,
  });
}
