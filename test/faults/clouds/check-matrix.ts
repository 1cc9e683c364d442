import { expect } from "vitest";

import { noteFigure } from "../../harness/figures.ts";
import type { Cell } from "./fault-cell.ts";
import { runMatrix } from "./fault-matrix.ts";
import { countsOf, successOf } from "./matrix-table.ts";
import { complaintsOf, type CellResult } from "./verdict.ts";

/** Promise 5: nothing is tried again once a byte has been relayed; here also: everything is before. */
const PROMISE = 5;

/** Runs the cells, asserts what is promised of each, and notes the figures. */
export async function checkMatrix(what: string, cells: readonly Cell[]): Promise<readonly CellResult[]> {
  const { results, problems } = await runMatrix(cells);
  expect(results.flatMap(complaintsOf)).toEqual([]);
  expect(problems).toEqual([]);
  const { possible, right } = successOf(results);
  expect(right).toBe(possible);
  const counts = countsOf(results);
  expect(counts.wrongRows).toBe(0);
  // A matrix in which nothing was broken would prove nothing.
  expect(Math.min(counts.here, counts.elsewhere, counts.cut, counts.error)).toBeGreaterThan(0);
  noteFigure(PROMISE, `fault matrix, ${what}`, { ...counts, failover_possible: possible, failover_right: right });
  return results;
}
