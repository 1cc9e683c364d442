import type { Style } from "./style.ts";
import { displayWidth, fitWidth, padTo, printable } from "./text-width.ts";

export interface Column {
  readonly header: string;
  readonly cells: readonly string[];
  /** `point` sets numbers right with their decimal points one above the other. */
  readonly align?: "left" | "right" | "point";
  /** The cell of the last line, below a rule, for totals. */
  readonly footer?: string;
  /** May be cut with `…` when the table is wider than the screen. */
  readonly isFlexible?: boolean;
  /** Colours a cell after it has been padded. `row` counts from 0. */
  readonly paint?: (padded: string, row: number) => string;
}

const GAP = "  ";
const NARROWEST = 8;

/** The lines of a table: header, rows and, where a column has a footer, a rule and the footers. */
export function tableLines(columns: readonly Column[], options: { style: Style; columns: number | null }): string[] {
  const { style } = options;
  const grids = columns.map(gridOf);
  const widths = fitWidths(columns, grids, options.columns);
  const rowCount = Math.max(0, ...columns.map(({ cells }) => cells.length));
  const line = (cellOf: (grid: Grid, column: number) => string): string => grids.map(cellOf).join(GAP).trimEnd();
  const fill = (text: string, column: number): string => {
    const width = widths[column] ?? 0;
    return padTo(fitWidth(text, width), width, grids[column]?.align);
  };
  const lines = [line((grid, i) => style.dim(fill(grid.header, i)))];
  for (let row = 0; row < rowCount; row++) {
    lines.push(
      line((grid, i) => {
        const cell = fill(grid.cells[row] ?? "", i);
        return columns[i]?.paint?.(cell, row) ?? cell;
      }),
    );
  }
  if (columns.every(({ footer }) => footer === undefined)) return lines;
  lines.push(line((_, i) => style.dim("─".repeat(widths[i] ?? 0))));
  lines.push(line((grid, i) => style.bold(fill(grid.footer, i))));
  return lines;
}

/** A column's texts, safe to print and with decimal points in one place. */
interface Grid {
  readonly header: string;
  readonly cells: readonly string[];
  readonly footer: string;
  readonly align: "left" | "right";
}

function gridOf({ header, cells, footer = "", align = "left" }: Column): Grid {
  const safe = [...cells, footer].map(printable);
  const aligned = align === "point" ? alignPoints(safe) : safe;
  return {
    header: printable(header),
    cells: aligned.slice(0, -1),
    footer: aligned.at(-1) ?? "",
    align: align === "left" ? "left" : "right",
  };
}

function alignPoints(numbers: readonly string[]): string[] {
  const tail = (text: string): number => (text.includes(".") ? text.length - text.indexOf(".") : 0);
  const longest = Math.max(0, ...numbers.map(tail));
  return numbers.map((text) => (text === "" ? text : text + " ".repeat(longest - tail(text))));
}

/** As wide as the widest cell; where that is too much for the screen, flexible columns give way, the widest first. */
function fitWidths(columns: readonly Column[], grids: readonly Grid[], screen: number | null): number[] {
  const widths = grids.map(({ header, cells, footer }) =>
    Math.max(...[header, footer, ...cells].map((text) => displayWidth(text))),
  );
  if (screen === null) return widths;
  let excess = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1) - screen;
  while (excess > 0) {
    let widest = -1;
    for (const [i, width] of widths.entries()) {
      if (columns[i]?.isFlexible === true && width > NARROWEST && width > (widths[widest] ?? 0)) widest = i;
    }
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    excess -= 1;
  }
  return widths;
}
