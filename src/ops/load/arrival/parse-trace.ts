import { LoadError } from "../load-error.ts";
import type { RateTrace, RequestTrace, Trace, TracedRequest } from "./trace.ts";

/** How long a rate holds when the trace has only one row and so does not show its interval. */
const LONE_ROW_MS = 60_000;

const KNOWN_SHAPES =
  "Known first lines: offset_ms,input_tokens,output_tokens (single requests, optionally with blocks,shared_prefix_blocks), " +
  "t_sec,req_per_sec (rates) and t_sec,NAME,NAME,... (rates of each client).";

/**
 * Reads an arrival trace from CSV; the first line tells which kind it is. `name` is shown in errors and reports.
 * Throws LoadError that names file, line and column.
 */
export function parseTrace(text: string, name: string): Trace {
  const table = new Table(text, name);
  const [first, second] = table.columns;
  if (first === "offset_ms") return parseRequests(table);
  if (first === "t_sec" && second !== undefined) return parseRates(table);
  throw new LoadError(
    "usage",
    `${name}, line 1: not an arrival trace ("${table.columns.join(",").slice(0, 80)}")`,
    KNOWN_SHAPES,
  );
}

function parseRequests(table: Table): RequestTrace {
  const input = table.column("input_tokens");
  const output = table.column("output_tokens");
  const blocks = table.columns.indexOf("blocks");
  const shared = table.columns.indexOf("shared_prefix_blocks");
  const requests: TracedRequest[] = [];
  let lastMs = 0;
  for (const row of table.rows()) {
    const offsetMs = row.number(0);
    if (offsetMs < lastMs) throw row.error(0, `time goes back from ${lastMs}`, "Sort the trace by its first column.");
    lastMs = offsetMs;
    const all = blocks < 0 ? 0 : row.number(blocks);
    const sharedPrefix = shared < 0 || all === 0 ? null : Math.min(1, row.number(shared) / all);
    requests.push({ offsetMs, inputTokens: row.number(input), outputTokens: row.number(output), sharedPrefix });
  }
  return { kind: "requests", name: table.name, requests };
}

function parseRates(table: Table): RateTrace {
  const names = table.columns.slice(1);
  const rows: { fromMs: number; perSecond: number[] }[] = [];
  for (const row of table.rows()) {
    const fromMs = row.number(0) * 1000;
    const before = rows.at(-1)?.fromMs ?? -1;
    if (fromMs <= before) throw row.error(0, "time does not advance", "Sort the trace by its first column.");
    rows.push({ fromMs, perSecond: names.map((_, i) => row.number(i + 1)) });
  }
  const last = rows.at(-1)?.fromMs ?? 0;
  const beforeLast = rows.at(-2)?.fromMs ?? last - LONE_ROW_MS;
  const clients = names.length === 1 && names[0] === "req_per_sec" ? [""] : names;
  return { kind: "rates", name: table.name, clients, rows, endMs: last + (last - beforeLast) };
}

/** Lines of comma-separated numbers under a line of names, as all known traces are; quoting does not occur in them. */
class Table {
  readonly name: string;
  readonly columns: readonly string[];
  readonly #lines: readonly string[];

  constructor(text: string, name: string) {
    this.name = name;
    this.#lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
    this.columns = (this.#lines[0] ?? "").split(",").map((column) => column.trim());
  }

  column(wanted: string): number {
    const index = this.columns.indexOf(wanted);
    if (index >= 0) return index;
    throw new LoadError("usage", `${this.name}, line 1: the column ${wanted} is missing`, KNOWN_SHAPES);
  }

  rows(): readonly Row[] {
    const rows: Row[] = [];
    for (let i = 1; i < this.#lines.length; i++) {
      const line = this.#lines[i] ?? "";
      if (line.trim() !== "") rows.push(new Row(this, i + 1, line.split(",")));
    }
    if (rows.length > 0) return rows;
    throw new LoadError(
      "usage",
      `${this.name}: the trace has no rows`,
      "Give a trace with at least one row under its first line.",
    );
  }
}

class Row {
  readonly #table: Table;
  readonly #line: number;
  readonly #cells: readonly string[];

  constructor(table: Table, line: number, cells: readonly string[]) {
    this.#table = table;
    this.#line = line;
    this.#cells = cells;
    if (cells.length !== table.columns.length) {
      throw this.error(
        0,
        `${cells.length} cells under ${table.columns.length} columns`,
        "Complete or remove the line.",
      );
    }
  }

  /** The cell as a number of at least zero. */
  number(index: number): number {
    const cell = (this.#cells[index] ?? "").trim();
    const value = /^\d*\.?\d+(?:e[+-]?\d+)?$/i.test(cell) ? Number(cell) : NaN;
    if (Number.isFinite(value)) return value;
    throw this.error(index, `"${cell.slice(0, 40)}" is not a number of at least zero`, "Correct or remove the line.");
  }

  error(index: number, what: string, fix: string): LoadError {
    const column = this.#table.columns[index] ?? String(index + 1);
    return new LoadError("usage", `${this.#table.name}, line ${this.#line}, column ${column}: ${what}`, fix);
  }
}
