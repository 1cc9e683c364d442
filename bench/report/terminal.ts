import { styleText } from "node:util";
import {
  type Table,
  cpuTable,
  firstTokenTable,
  memoryTable,
  rateTable,
  ratioTable,
  targetTable,
  transitTable,
  translationTable,
} from "./figures.ts";
import type { Report } from "./report.ts";
import { summarise } from "./summary.ts";
import { judge } from "./targets.ts";

/** Prints every table of the run on standard output. */
export function printReport(report: Report): void {
  const summary = summarise(report.samples);
  const tables = [
    cpuTable(report, summary),
    ratioTable(report, summary),
    rateTable(report, summary),
    translationTable(report, summary),
    firstTokenTable(summary),
    transitTable(summary),
    memoryTable(summary),
    targetTable(judge(summary)),
  ];
  for (const table of tables) {
    if (table.rows.length > 0) console.log(`\n${formatTable(table)}`);
  }
  console.log();
}

export function formatTable(table: Table): string {
  const lines = [table.columns, ...table.rows];
  const widths = table.columns.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  const format = (line: readonly string[]): string =>
    line
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ");
  const [head, ...rows] = lines.map(format);
  return [styleText("bold", table.title), styleText("dim", head ?? ""), ...rows.map(colour)].join("\n");
}

function colour(row: string): string {
  if (row.endsWith(" missed")) return styleText("red", row);
  return row.endsWith(" met") ? styleText("green", row) : row;
}
