import { type Command, Option } from "commander";

import { didYouMean } from "../../config/did-you-mean.ts";
import { csvLine } from "../../ledger/reports/csv.ts";
import { COST_DIMENSIONS, type CostDimension, type CostReport, type CostSums } from "../../store/ports/reports.ts";
import { EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { listOf, wholeNumber } from "../options/option-parser.ts";
import { labelOf, NAMED } from "../report/labels.ts";
import { addReportOptions, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { rangeDocument, sumColumns, sumsDocument, titleOf, withBars } from "../report/report-text.ts";
import type { Column } from "../terminal/table.ts";
import { printable } from "../terminal/text-width.ts";

const TABLE_ROWS = 50;
const MOST_ROWS = 100_000;

const EXAMPLES = [
  { line: "weir report cost --by team", note: "the last 30 days" },
  { line: "weir report cost --by tag,model --last 3mo" },
  { line: "weir report cost --by user --from 2026-11-01 --to 2026-11-30 --csv > november.csv" },
];

interface Options extends ReportOptions {
  readonly by?: readonly string[];
  readonly limit?: number;
  readonly csv?: boolean;
}

/** `weir report cost`. */
export function reportCostCommand(host: Host): Command {
  const command = defineCommand({
    name: "cost",
    summary: "cost by organisation, team, user, key, model, target, session or tag",
    description:
      "Sums cost and tokens from the ledger, the dearest first. Totals are exact: integer micro-dollars, of everything in the span, whatever the limit leaves out.",
    examples: EXAMPLES,
  })
    .option("--by <list>", `group by any of ${COST_DIMENSIONS.join(", ")} (default: team)`, listOf(dimension))
    .option(
      "--limit <n>",
      `rows to show, the dearest (default: ${TABLE_ROWS}; everything up to ${MOST_ROWS} with --json and --csv)`,
      wholeNumber(1, MOST_ROWS),
    )
    .addOption(new Option("--csv", "print CSV").conflicts("json"));
  return addReportOptions(command).action(async (options: Options) =>
    host.finish(await withReport(host, options, (frame) => showCost(frame, options))),
  );
}

async function showCost(frame: ReportFrame, options: Options): Promise<number> {
  const { records, window, output } = frame;
  const isDocument = output.isJson || options.csv === true;
  // Checked by the option's parser.
  const by = (options.by ?? ["team"]) as readonly CostDimension[];
  const report = await records.reports.cost({
    ...window,
    by,
    limit: options.limit ?? (isDocument ? MOST_ROWS : TABLE_ROWS),
  });
  if (options.csv === true) {
    output.terminal.out.write(costCsv(report, by, frame));
    return EXIT.ok;
  }
  output.result(costDocument(report, by, frame), () => costText(report, by, frame));
  return EXIT.ok;
}

function costDocument(report: CostReport, by: readonly CostDimension[], frame: ReportFrame): object {
  return {
    ...rangeDocument(frame.organization, frame.range),
    by,
    rows: report.rows.map((row) => ({
      ...Object.fromEntries(
        by.map((dimension) => {
          const value = row.group[dimension] ?? null;
          const isNamed = value !== null && NAMED.has(dimension);
          return [dimension, isNamed ? { id: value, name: labelOf(dimension, value, frame) } : value];
        }),
      ),
      ...sumsDocument(row),
    })),
    groups: report.groups,
    others: othersOf(report) === null ? null : sumsDocument(othersOf(report) ?? report.total),
    total: sumsDocument(report.total),
  };
}

function costText(report: CostReport, by: readonly CostDimension[], frame: ReportFrame): string[] {
  const { output, organization, range } = frame;
  const title = titleOf(organization, range);
  if (report.groups === 0) return [`No usage: ${title}.`];
  const others = othersOf(report);
  const rows: readonly CostSums[] = others === null ? report.rows : [...report.rows, others];
  const groups = by.map((dimension, at): Column => {
    const cells = report.rows.map(
      (row) => labelOf(dimension, row.group[dimension] ?? null, frame) ?? `(no ${dimension})`,
    );
    if (others !== null) cells.push(at === 0 ? `(${report.groups - report.rows.length} others)` : "");
    return { header: dimension.toUpperCase(), cells, isFlexible: true, footer: at === 0 ? "Total" : "" };
  });
  const lines = withBars(
    [...groups, ...sumColumns(rows, report.total)],
    { values: rows.map(({ costMicroUsd }) => costMicroUsd), total: report.total.costMicroUsd },
    { style: output.style, columns: output.terminal.out.columns },
  );
  return [output.style.bold(title), "", ...lines];
}

function costCsv(report: CostReport, by: readonly CostDimension[], frame: ReportFrame): string {
  const header = by.flatMap((dimension) => (NAMED.has(dimension) ? [`${dimension}_id`, dimension] : [dimension]));
  const lines = report.rows.map((row) => {
    const group = by.flatMap((dimension) => {
      const value = row.group[dimension] ?? null;
      const label = printable(labelOf(dimension, value, frame) ?? "");
      return NAMED.has(dimension) ? [value ?? "", label] : [label];
    });
    return csvLine([...group, ...Object.values(sumsDocument(row))]);
  });
  return [csvLine([...header, ...Object.keys(sumsDocument(report.total))]), ...lines].join("");
}

/** What the limit left out, as one sum; null when that is nothing. */
function othersOf({ rows, groups, total }: CostReport): CostSums | null {
  if (groups <= rows.length) return null;
  const rest = (of: (sums: CostSums) => number): number => of(total) - rows.reduce((sum, row) => sum + of(row), 0);
  return {
    requests: rest(({ requests }) => requests),
    inputTokens: rest(({ inputTokens }) => inputTokens),
    outputTokens: rest(({ outputTokens }) => outputTokens),
    cacheReadTokens: rest(({ cacheReadTokens }) => cacheReadTokens),
    cacheWriteTokens: rest(({ cacheWriteTokens }) => cacheWriteTokens),
    costMicroUsd: rest(({ costMicroUsd }) => costMicroUsd),
  };
}

function dimension(entry: string): string {
  if (COST_DIMENSIONS.some((name) => name === entry)) return entry;
  const [similar] = didYouMean(entry, COST_DIMENSIONS);
  const hint = similar === undefined ? "" : `did you mean ${similar}? `;
  throw new RangeError(
    `${JSON.stringify(entry)} is nothing to group by; ${hint}there are ${COST_DIMENSIONS.join(", ")}`,
  );
}
