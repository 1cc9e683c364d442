import { formatUsd } from "../../core/money.ts";
import type { OrganizationRecord } from "../../store/ports/directory.ts";
import type { CostSums } from "../../store/ports/reports.ts";
import { isoTime } from "../keys/key-document.ts";
import { bar } from "../terminal/bars.ts";
import { type Style, styleFor } from "../terminal/style.ts";
import { type Column, tableLines } from "../terminal/table.ts";
import { displayWidth } from "../terminal/text-width.ts";
import type { UsageRange } from "../usage/usage-range.ts";

const BAR_COLUMNS = 12;

/** `acme, 2026-10-22 00:00 to 2026-11-20 12:00 (UTC)`. */
export function titleOf({ name, timeZone }: OrganizationRecord, range: UsageRange): string {
  return `${name}, ${dateTime(range.fromMs, timeZone)} to ${dateTime(range.toMs, timeZone)} (${timeZone})`;
}

/** To the minute, in a time zone. */
export function dateTime(atMs: number, timeZone: string): string {
  const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone);
  return `${at.toPlainDate().toString()} ${at.toPlainTime().toString({ smallestUnit: "minute" })}`;
}

/** `2h 05m`, `3m 20s`, `4s`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const two = (value: number): string => String(value).padStart(2, "0");
  if (hours > 0) return `${hours}h ${two(minutes)}m`;
  return minutes > 0 ? `${minutes}m ${two(seconds % 60)}s` : `${seconds}s`;
}

/** What a report is about, for its JSON. */
export function rangeDocument(organization: OrganizationRecord, range: UsageRange): object {
  return {
    organization: { id: organization.id, name: organization.name },
    from: isoTime(range.fromMs),
    to: isoTime(range.toMs),
    time_zone: organization.timeZone,
  };
}

/** Sums as `--json` shows them: money exact in `cost_micro_usd`, and text in `cost_usd`. */
export function sumsDocument(sums: CostSums): Record<string, number | string> {
  return {
    requests: sums.requests,
    input_tokens: sums.inputTokens,
    cache_write_tokens: sums.cacheWriteTokens,
    cache_read_tokens: sums.cacheReadTokens,
    output_tokens: sums.outputTokens,
    cost_usd: formatUsd(sums.costMicroUsd),
    cost_micro_usd: sums.costMicroUsd,
  };
}

/** The columns of tokens and cost that every table ends with. */
export function sumColumns(rows: readonly CostSums[], total?: CostSums): Column[] {
  const number = (header: string, of: (sums: CostSums) => number): Column => ({
    header,
    cells: rows.map((row) => count(of(row))),
    align: "right",
    ...(total === undefined ? {} : { footer: count(of(total)) }),
  });
  return [
    number("REQUESTS", ({ requests }) => requests),
    number("INPUT", ({ inputTokens }) => inputTokens),
    number("CACHE WRITE", ({ cacheWriteTokens }) => cacheWriteTokens),
    number("CACHE READ", ({ cacheReadTokens }) => cacheReadTokens),
    number("OUTPUT", ({ outputTokens }) => outputTokens),
    {
      header: "COST USD",
      cells: rows.map(({ costMicroUsd }) => formatUsd(costMicroUsd)),
      align: "point",
      ...(total === undefined ? {} : { footer: formatUsd(total.costMicroUsd) }),
    },
  ];
}

/** A whole number with separators: `12,345,678`. */
export function count(value: number): string {
  return value.toLocaleString("en-US");
}

/** The table with a column of bars at its end, where the screen is a screen and has room for them. */
export function withBars(
  table: readonly Column[],
  bars: { readonly values: readonly number[]; readonly total: number },
  screen: { readonly style: Style; readonly columns: number | null },
): string[] {
  const largest = Math.max(0, ...bars.values);
  if (screen.columns === null || bars.values.length < 2 || largest === 0) return tableLines(table, screen);
  const cells = bars.values.map((value) => {
    const percent = `${Math.round((value / bars.total) * 100)}%`.padStart(4);
    return `${percent} ${bar(value / largest, BAR_COLUMNS)}`;
  });
  const full: Column[] = [...table, { header: "SHARE", cells, paint: (padded) => screen.style.cyan(padded) }];
  const widest = Math.max(...tableLines(full, { style: styleFor(false), columns: null }).map(displayWidth));
  return tableLines(widest <= screen.columns ? full : table, screen);
}
