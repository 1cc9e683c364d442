import { EXPORT_FIELDS, flatten, unflatten } from "./export-fields.ts";
import type { ExportRecord } from "./export-records.ts";

/** What makes a spreadsheet take a cell for a formula; and the mark itself, so that reading can take it off again. */
const FORMULA = /^[=+\-@\t\r']/;

/** The first line of a CSV export. */
export const CSV_HEADER = `${EXPORT_FIELDS.join(",")}\n`;

/** A record as a line of RFC 4180, ended by LF. An absent value is an empty cell, an empty text is `""`. */
export function toCsvLine(record: ExportRecord): string {
  const flat = flatten(record);
  return `${EXPORT_FIELDS.map((name) => cellText(flat[name] ?? null)).join(",")}\n`;
}

/** The record of a line's cells. Throws RangeError with what is wrong. */
export function fromCsvCells(cells: readonly (string | null)[]): ExportRecord {
  if (cells.length !== EXPORT_FIELDS.length) {
    throw new RangeError(`it has ${cells.length} cells, not ${EXPORT_FIELDS.length}`);
  }
  const present = EXPORT_FIELDS.flatMap((name, index) => {
    const cell = cells[index] ?? null;
    return cell === null ? [] : [[name, cell.startsWith("'") ? cell.slice(1) : cell] as const];
  });
  return unflatten(Object.fromEntries(present));
}

function cellText(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return safe === "" || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The cells of every record of a CSV text that comes in pieces; null for an empty cell without quotes. */
export async function* csvRecords(pieces: AsyncIterable<string>): AsyncGenerator<(string | null)[]> {
  let cells: (string | null)[] = [];
  let cell = "";
  let state: "plain" | "quoted" | "after_quote" = "plain";
  let wasQuoted = false;
  const endCell = (): void => {
    cells.push(cell === "" && !wasQuoted ? null : cell);
    cell = "";
    wasQuoted = false;
    state = "plain";
  };
  for await (const piece of pieces) {
    for (const char of piece) {
      if (state === "quoted") {
        if (char === '"') state = "after_quote";
        else cell += char;
      } else if (state === "after_quote" && char === '"') {
        cell += '"';
        state = "quoted";
      } else if (char === '"' && cell === "" && !wasQuoted) {
        state = "quoted";
        wasQuoted = true;
      } else if (char === ",") {
        endCell();
      } else if (char === "\n") {
        // A CR before the LF belongs to the line's end, as some programs write it.
        if (!wasQuoted && cell.endsWith("\r")) cell = cell.slice(0, -1);
        endCell();
        yield cells;
        cells = [];
      } else if (char !== "\r" || state === "plain") {
        cell += char;
      }
    }
  }
  if (cells.length > 0 || cell !== "") {
    endCell();
    yield cells;
  }
}
