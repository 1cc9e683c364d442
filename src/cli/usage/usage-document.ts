import { formatUsd } from "../../core/money.ts";
import { csvCell } from "../../ledger/reports/csv.ts";
import type { OrganizationRecord } from "../../store/ports/directory.ts";
import type { UsageDimension, UsageRow } from "../../store/ports/usage.ts";
import type { Names } from "../directory/names.ts";
import { isoTime } from "../keys/key-document.ts";
import { printable } from "../terminal/text-width.ts";
import { labelOf, NAMED_DIMENSIONS } from "./usage-labels.ts";
import type { UsageRange } from "./usage-range.ts";
import type { UsageReport, UsageSums } from "./usage-report.ts";

/** A usage report as `--json` shows it. Money is exact in `cost_micro_usd`, and text in `cost_usd`. */
export function usageDocument(
  report: UsageReport,
  { organization, range, names }: { organization: OrganizationRecord; range: UsageRange; names: Names },
): object {
  return {
    organization: { id: organization.id, name: organization.name },
    from: isoTime(range.fromMs),
    to: isoTime(range.toMs),
    time_zone: organization.timeZone,
    by: report.by,
    rows: report.rows.map((row) => ({ ...groupDocument(row, report.by, names), ...sumsDocument(row) })),
    others: report.others === null ? null : sumsDocument(report.others),
    total: sumsDocument(report.total),
  };
}

/** A usage report as CSV (RFC 4180, lines ended by LF): ids and names, exact money, no totals. */
export function usageCsv(report: UsageReport, names: Names): string {
  const columns = report.by.flatMap((by) => (NAMED_DIMENSIONS.has(by) ? [`${by}_id`, by] : [by]));
  const header = [...columns, ...Object.keys(sumsDocument(report.total))];
  const lines = report.rows.map((row) => {
    const group = report.by.flatMap((by) => {
      const label = printable(labelOf(row, by, names) ?? "");
      return NAMED_DIMENSIONS.has(by) ? [row.group[by] ?? "", label] : [label];
    });
    return [...group.map(csvCell), ...Object.values(sumsDocument(row)).map(String)];
  });
  return [header, ...lines].map((cells) => `${cells.join(",")}\n`).join("");
}

function groupDocument(row: UsageRow, by: readonly UsageDimension[], names: Names): Record<string, unknown> {
  return Object.fromEntries(
    by.map((dimension) => {
      const value = row.group[dimension] ?? null;
      const isNamed = NAMED_DIMENSIONS.has(dimension) && value !== null;
      return [dimension, isNamed ? { id: value, name: labelOf(row, dimension, names) } : value];
    }),
  );
}

function sumsDocument(sums: UsageSums): Record<string, number | string> {
  return {
    requests: sums.requests,
    input_tokens: sums.inputTokens,
    cache_write_tokens: sums.cacheWriteTokens,
    cache_read_tokens: sums.cacheReadTokens,
    output_tokens: sums.outputTokens,
    cost_usd: formatUsd(sums.costMicroUsd),
    cost_micro_usd: sums.costMicroUsd,
    cache_moves: sums.cacheMoves,
    cache_loss_usd: formatUsd(sums.cacheLossMicroUsd),
    cache_loss_micro_usd: sums.cacheLossMicroUsd,
  };
}
