import { primaryOf, promisedTo } from "./fault-cell.ts";
import type { CellResult } from "./verdict.ts";

/** What happened in some cells, counted. */
export interface MatrixCounts {
  readonly cells: number;
  /** Whole answers of the first target, and of the second. */
  readonly here: number;
  readonly elsewhere: number;
  readonly cut: number;
  readonly error: number;
  readonly altered: number;
  readonly garbled: number;
  /** Inferences that began at a provider beyond the one that the ledger has: attempts that failed after they began. */
  readonly extraCharges: number;
  /** Rows in the ledger beyond one for each exchange, and exchanges without a row. */
  readonly wrongRows: number;
}

export function countsOf(results: readonly CellResult[]): MatrixCounts {
  const having = (isSo: (result: CellResult) => boolean): number => results.filter(isSo).length;
  return {
    cells: results.length,
    here: having(({ verdict, cell, answer }) => verdict === "right" && answer.upstream === primaryOf(cell)),
    elsewhere: having(({ verdict, cell, answer }) => verdict === "right" && answer.upstream !== primaryOf(cell)),
    cut: having(({ verdict }) => verdict === "cut"),
    error: having(({ verdict }) => verdict === "error"),
    altered: having(({ verdict }) => verdict === "altered"),
    garbled: having(({ verdict }) => verdict === "garbled"),
    extraCharges: results.reduce((sum, { charges }) => sum + Math.max(0, charges - 1), 0),
    wrongRows: results.reduce((sum, { entries }) => sum + Math.abs(entries.length - 1), 0),
  };
}

/** Of the cells in which failing over was possible, how many had the whole answer: the promise is all. */
export function successOf(results: readonly CellResult[]): { readonly possible: number; readonly right: number } {
  const open = results.filter((result) => {
    const promised = promisedTo(result.cell);
    return promised === "here" || promised === "elsewhere";
  });
  return { possible: open.length, right: open.filter(({ verdict }) => verdict === "right").length };
}

/** A table in Markdown, a row for each value of `keyOf`. */
export function matrixTable(
  title: string,
  results: readonly CellResult[],
  keyOf: (result: CellResult) => string,
): string {
  const groups = Map.groupBy(results, keyOf);
  const head = [title, "cells", "whole, first target", "whole, second target", "cut", "error", "altered", "garbled"];
  const rows = [...groups].map(([key, group]) => {
    const { cells, here, elsewhere, cut, error, altered, garbled, extraCharges } = countsOf(group);
    return [key, ...[cells, here, elsewhere, cut, error, altered, garbled, extraCharges].map(String)];
  });
  const all = [[...head, "charged besides"], [...head, ""].map(() => "---"), ...rows];
  return all.map((row) => `| ${row.join(" | ")} |`).join("\n");
}
