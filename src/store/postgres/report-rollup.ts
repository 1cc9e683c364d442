import { type RawBuilder, sql } from "kysely";

import type { CostDimension, ReportWindow } from "../ports/reports.ts";
import { type Span, splitWindow } from "./window-split.ts";

const SUMS = "requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens, cost_micro_usd";
const ROW_SUMS = `1::bigint as requests, input_tokens, output_tokens, cache_read_tokens,
  cache_write_5m_tokens + cache_write_1h_tokens as cache_write_tokens, cost_micro_usd`;

/** Sums in a statement that groups rows of `sourceFor`, under the names of the columns. */
export const SUMMED = SUMS.split(", ")
  .map((sum) => `weir.total(${sum}) as ${sum}`)
  .join(", ");

/** Dimensions that each table of daily sums has, and what else it knows. */
const WITH_SESSIONS = "organization_id, session_id, key_id, user_id, team_id, tag";
const WITH_TAGS = "organization_id, key_id, model_served, target, user_id, team_id, tag";
const WITHOUT_TAGS = "organization_id, key_id, model_served, target, user_id, team_id";
const ALL = "organization_id, session_id, key_id, model_served, target, user_id, team_id, tag";

/**
 * The rows of one organisation in a window, to sum by `by`: whole days (UTC) from the smallest table of sums that knows all
 * of these dimensions, the edges from hours or the ledger's rows. Sessions by model or target are in the rows alone.
 */
export function sourceFor(window: ReportWindow, by: readonly CostDimension[]): RawBuilder<unknown> {
  if (by.includes("session")) {
    const needsRows = by.includes("model") || by.includes("target");
    return needsRows ? union([rowsIn(window, [window], ALL)]) : sessionSource(window);
  }
  const { days, hours, rows } = splitWindow(window);
  if (by.includes("tag")) {
    const parts = days.map((span) => sumsIn(window, span, { table: "weir.usage_tags", columns: WITH_TAGS }));
    return union([...parts, rowsIn(window, [...hours, ...rows], WITH_TAGS)]);
  }
  return union([
    ...days.map((span) => sumsIn(window, span, { table: "weir.usage_daily", columns: WITHOUT_TAGS })),
    ...hours.map((span) => sumsIn(window, span, { table: "weir.usage_hourly", columns: WITHOUT_TAGS })),
    rowsIn(window, rows, WITHOUT_TAGS),
  ]);
}

/** As `sourceFor`, by session and everything but model and target, with the times of first and last. */
export function sessionSource(window: ReportWindow): RawBuilder<unknown> {
  const { days, hours, rows } = splitWindow(window);
  const timesOfRow = `${WITH_SESSIONS}, admitted_at as first_at, settled_at as last_at`;
  return union([
    ...days.map((span) =>
      sumsIn(window, span, { table: "weir.usage_sessions", columns: `${WITH_SESSIONS}, first_at, last_at` }),
    ),
    rowsIn(window, [...hours, ...rows], timesOfRow),
  ]);
}

/** As `sourceFor` by everything but sessions, with the day (UTC) as `starts_at`. */
export function daySource(window: ReportWindow): RawBuilder<unknown> {
  const { days, hours, rows } = splitWindow(window);
  return union([
    ...days.map((span) => sumsIn(window, span, { table: "weir.usage_tags", columns: `${WITH_TAGS}, starts_at` })),
    rowsIn(window, [...hours, ...rows], `${WITH_TAGS}, date_trunc('day', admitted_at, 'UTC') as starts_at`),
  ]);
}

/** A condition on a column of time. */
export function within(column: string, span: Span): RawBuilder<unknown> {
  const from = sql`${sql.ref(column)} >= ${new Date(span.fromMs)}`;
  return span.toMs === Infinity ? from : sql`${from} and ${sql.ref(column)} < ${new Date(span.toMs)}`;
}

function sumsIn(
  { organizationId }: ReportWindow,
  span: Span,
  { table, columns }: { readonly table: string; readonly columns: string },
): RawBuilder<unknown> {
  return sql`select ${sql.raw(columns)}, ${sql.raw(SUMS)}
    from ${sql.table(table)} where organization_id = ${organizationId} and ${within("starts_at", span)}`;
}

/** Null where there are no spans. */
function rowsIn({ organizationId }: ReportWindow, spans: readonly Span[], columns: string): RawBuilder<unknown> | null {
  if (spans.length === 0) return null;
  return union(
    spans.map(
      (span) => sql`select ${sql.raw(columns)}, ${sql.raw(ROW_SUMS)}
        from weir.usage_entries where organization_id = ${organizationId} and ${within("admitted_at", span)}`,
    ),
  );
}

function union(parts: readonly (RawBuilder<unknown> | null)[]): RawBuilder<unknown> {
  return sql.join(
    parts.filter((part) => part !== null),
    sql` union all `,
  );
}
