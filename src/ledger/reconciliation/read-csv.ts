import { decimalToInteger, type ProviderUsage, ReconciliationError } from "./provider-usage.ts";

const MICRO_PER_USD = 1_000_000n;

/** Columns that a CSV may have, in any order; others are ignored. The first two must be there. */
const CSV_COLUMNS = [
  "day",
  "model",
  "requests",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cost_usd",
] as const;

/** Reads a CSV line by line: the first names the columns. */
export class UsageCsvReader {
  #columns: readonly string[] | null = null;

  /** Null for the header and for empty lines. Throws ReconciliationError when the line does not fit. */
  read(line: string): ProviderUsage | null {
    if (line.trim() === "") return null;
    const cells = cellsOf(line);
    if (this.#columns === null) {
      this.#columns = cells.map((cell) => cell.trim().toLowerCase());
      for (const name of ["day", "model"]) {
        if (!this.#columns.includes(name)) {
          throw new ReconciliationError(`there is no column ${name}; Weir reads ${CSV_COLUMNS.join(", ")}`);
        }
      }
      return null;
    }
    const cell = (name: (typeof CSV_COLUMNS)[number]): string =>
      cells[this.#columns?.indexOf(name) ?? -1]?.trim() ?? "";
    const day = cell("day").slice(0, 10);
    if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) throw new ReconciliationError(`${JSON.stringify(cell("day"))} is no day`);
    const amount = cell("cost_usd");
    return {
      day,
      model: cell("model") === "" ? null : cell("model"),
      requests: wholeNumber(cell("requests")),
      inputTokens: wholeNumber(cell("input_tokens")),
      outputTokens: wholeNumber(cell("output_tokens")),
      cacheReadTokens: wholeNumber(cell("cache_read_tokens")),
      cacheWriteTokens: wholeNumber(cell("cache_write_tokens")),
      costMicroUsd: amount === "" ? null : decimalToInteger(amount.replace(/^\$/, ""), MICRO_PER_USD),
    };
  }
}

function wholeNumber(text: string): number | null {
  if (text === "") return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value)) return value;
  throw new ReconciliationError(`${JSON.stringify(text)} is no number of tokens or requests`);
}

/** The cells of one line (RFC 4180, without line breaks in cells). */
function cellsOf(line: string): string[] {
  const cells: string[] = [];
  const cell = /(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g;
  for (const [, quoted, plain = ""] of line.replace(/\r$/, "").matchAll(cell)) {
    cells.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
  }
  return cells;
}
