import { formatUsd } from "../../core/money.ts";
import type { UsageDimension } from "../../store/ports/usage.ts";
import type { Names } from "../directory/names.ts";
import { bar } from "../terminal/bars.ts";
import { type Style, styleFor } from "../terminal/style.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { displayWidth } from "../terminal/text-width.ts";
import { labelOf } from "./usage-labels.ts";
import type { UsageReport, UsageSums } from "./usage-report.ts";

const BAR_COLUMNS = 12;

export interface TableOptions {
  readonly names: Names;
  readonly style: Style;
  /** Width of the screen; null where there is none, and then no bars are drawn. */
  readonly columns: number | null;
}

/** A usage report as a table with a line of totals. */
export function usageTable(report: UsageReport, { names, style, columns }: TableOptions): string[] {
  const { rows, others, total } = report;
  const sums: readonly UsageSums[] = others === null ? rows : [...rows, others];
  const number = (header: string, of: (sums: UsageSums) => number): Column => ({
    header,
    cells: sums.map((row) => formatCount(of(row))),
    align: "right",
    footer: formatCount(of(total)),
  });
  const table: Column[] = [
    ...report.by.map((dimension, i) => groupColumn(report, { dimension, isFirst: i === 0, names })),
    number("REQUESTS", ({ requests }) => requests),
    number("INPUT", ({ inputTokens }) => inputTokens),
    number("CACHE WRITE", ({ cacheWriteTokens }) => cacheWriteTokens),
    number("CACHE READ", ({ cacheReadTokens }) => cacheReadTokens),
    number("OUTPUT", ({ outputTokens }) => outputTokens),
    {
      header: "COST USD",
      cells: sums.map(({ costMicroUsd }) => formatUsd(costMicroUsd)),
      align: "point",
      footer: formatUsd(total.costMicroUsd),
    },
  ];
  if (columns === null || sums.length < 2) return tableLines(table, { style, columns });
  // A screen too narrow for the bars gets the numbers whole.
  const withBars = tableLines([...table, shareColumn(sums, total, style)], { style: styleFor(false), columns: null });
  const hasRoom = Math.max(...withBars.map(displayWidth)) <= columns;
  return tableLines(hasRoom ? [...table, shareColumn(sums, total, style)] : table, { style, columns });
}

/** A whole number with separators: `12,345,678`. */
function formatCount(count: number): string {
  return count.toLocaleString("en-US");
}

function groupColumn(
  { rows, others }: UsageReport,
  { dimension, isFirst, names }: { dimension: UsageDimension; isFirst: boolean; names: Names },
): Column {
  const cells = rows.map((row) => labelOf(row, dimension, names) ?? `(no ${dimension})`);
  if (others !== null) cells.push(isFirst ? "(others)" : "");
  const isFlexible = dimension !== "day";
  return { header: dimension.toUpperCase(), cells, isFlexible, footer: isFirst ? "Total" : "" };
}

function shareColumn(sums: readonly UsageSums[], total: UsageSums, style: Style): Column {
  const largest = Math.max(...sums.map(({ costMicroUsd }) => costMicroUsd));
  const cells = sums.map(({ costMicroUsd }) => {
    if (total.costMicroUsd === 0) return "";
    const percent = `${Math.round((costMicroUsd / total.costMicroUsd) * 100)}%`.padStart(4);
    return `${percent} ${bar(costMicroUsd / largest, BAR_COLUMNS)}`;
  });
  return { header: "SHARE", cells, paint: (padded) => style.cyan(padded) };
}
