import { type RawBuilder, sql } from "kysely";

import { USAGE_DIMENSIONS, type UsageDimension, type UsageQuery, type UsageRow } from "../ports/usage.ts";
import { type Coarsest, type Span, splitWindow } from "./window-split.ts";

const DEFAULT_LIMIT = 1_000;
const HOUR_MS = 3_600_000;
/** A zone's offset is looked at this often: no zone changes it for less than a few weeks. */
const OFFSET_SAMPLE_MS = 14 * 24 * HOUR_MS;
/** Where looking ends in a window without an end. */
const LAST_SAMPLE_MS = Date.UTC(2100, 0, 1);

/** The column behind each dimension; sessions and agents are in the rows alone. */
const COLUMN_OF = {
  organization: "organization_id",
  team: "team_id",
  user: "user_id",
  key: "key_id",
  model: "model_served",
  target: "target",
  session: "session_id",
  agent: "agent_id",
} as const satisfies Record<Exclude<UsageDimension, "day">, string>;

const ROLLUP_COLUMNS = "organization_id, team_id, user_id, key_id, model_served, target";
const ROLLUP_SUMS = `requests, input_tokens, output_tokens, cache_read_tokens, cache_write_tokens,
  cost_micro_usd, cache_moves, cache_loss_micro_usd`;
const ROW_SUMS = `1 as requests, input_tokens, output_tokens, cache_read_tokens,
  cache_write_5m_tokens + cache_write_1h_tokens as cache_write_tokens, cost_micro_usd,
  case when cache_move is null then 0 else 1 end as cache_moves, cache_loss_micro_usd`;

/** What a report's statement gives: the grouped dimensions as `d_<dimension>`, and the sums. */
export type ReportRow = Readonly<Record<string, string | number | null>>;

/** The statement that answers a report, over the rollups as far as they can. */
export function reportStatement(query: UsageQuery): RawBuilder<ReportRow> {
  const zone = query.timeZone ?? "UTC";
  const day = sql`to_char(at at time zone ${zone}, 'YYYY-MM-DD')`;
  const expressionOf = (dimension: UsageDimension): RawBuilder<unknown> =>
    dimension === "day" ? day : sql.ref(COLUMN_OF[dimension]);
  const filters = USAGE_DIMENSIONS.flatMap((dimension) => {
    const value = query.where?.[dimension];
    return value === undefined ? [] : [sql`${expressionOf(dimension)} = ${value}`];
  });
  const groups = query.groupBy.map((dimension) => sql`${expressionOf(dimension)} as ${sql.ref(`d_${dimension}`)}`);
  const positions = groups.map((_, index) => index + 1);
  const dayAt = query.groupBy.indexOf("day");
  const byDay = dayAt < 0 ? sql`` : sql`${sql.lit(dayAt + 1)}, `;
  return sql<ReportRow>`
    select ${sql.join([...groups, sql`sum(requests)::bigint as requests`])},
      sum(input_tokens)::bigint as input_tokens, sum(output_tokens)::bigint as output_tokens,
      sum(cache_read_tokens)::bigint as cache_read_tokens, sum(cache_write_tokens)::bigint as cache_write_tokens,
      sum(cost_micro_usd)::bigint as cost_micro_usd, sum(cache_moves)::bigint as cache_moves,
      sum(cache_loss_micro_usd)::bigint as cache_loss_micro_usd
    from (${sourceOf(query)}) as used
    ${filters.length === 0 ? sql`` : sql`where ${sql.join(filters, sql` and `)}`}
    ${positions.length === 0 ? sql`having count(*) > 0` : sql`group by ${sql.raw(positions.join(", "))}`}
    order by ${byDay}cost_micro_usd desc, requests desc${sql.raw(positions.map((at) => `, ${at}`).join(""))}
    limit ${query.limit ?? DEFAULT_LIMIT}`;
}

export function rowFromReport(query: UsageQuery, row: ReportRow): UsageRow {
  const group: Partial<Record<UsageDimension, string | null>> = {};
  for (const dimension of query.groupBy) {
    const value = row[`d_${dimension}`];
    group[dimension] = value === undefined || value === null ? null : String(value);
  }
  return {
    group,
    requests: Number(row["requests"]),
    inputTokens: Number(row["input_tokens"]),
    outputTokens: Number(row["output_tokens"]),
    cacheReadTokens: Number(row["cache_read_tokens"]),
    cacheWriteTokens: Number(row["cache_write_tokens"]),
    costMicroUsd: Number(row["cost_micro_usd"]),
    cacheMoves: Number(row["cache_moves"]),
    cacheLossMicroUsd: Number(row["cache_loss_micro_usd"]),
  };
}

/** The sums of costs by subject: `subjectColumn` is a column that the rollups have. */
export function totalsStatement(
  subjectColumn: "organization_id" | "team_id" | "user_id" | "key_id",
  window: Span,
): RawBuilder<{ subject: string; total: number }> {
  const subject = sql.ref(subjectColumn);
  const { days, hours, rows } = splitWindow(window);
  const part = (table: string, time: string, span: Span): RawBuilder<unknown> =>
    sql`select ${subject} as subject, cost_micro_usd from ${sql.table(table)} where ${within(time, span)}`;
  const parts = [
    ...days.map((span) => part("weir.usage_daily", "starts_at", span)),
    ...hours.map((span) => part("weir.usage_hourly", "starts_at", span)),
    ...rows.map((span) => part("weir.usage_entries", "admitted_at", span)),
  ];
  return sql`select subject, sum(cost_micro_usd)::bigint as total from (${unionAll(parts)}) as spent
    where subject is not null group by subject`;
}

/** The rows to sum, with their time as `at`. */
function sourceOf(query: UsageQuery): RawBuilder<unknown> {
  const { days, hours, rows } = splitWindow(query, coarsestFor(query));
  const owned = sql`organization_id = ${query.organizationId}`;
  const rollup = (table: string, span: Span): RawBuilder<unknown> =>
    sql`select starts_at as at, ${sql.raw(ROLLUP_COLUMNS)}, null as session_id, null as agent_id, ${sql.raw(ROLLUP_SUMS)}
      from ${sql.table(table)} where ${owned} and ${within("starts_at", span)}`;
  const parts = [
    ...days.map((span) => rollup("weir.usage_daily", span)),
    ...hours.map((span) => rollup("weir.usage_hourly", span)),
    ...rows.map(
      (span) =>
        sql`select admitted_at as at, ${sql.raw(ROLLUP_COLUMNS)}, session_id, agent_id, ${sql.raw(ROW_SUMS)}
        from weir.usage_entries where ${owned} and ${within("admitted_at", span)}`,
    ),
  ];
  return unionAll(parts);
}

function coarsestFor(query: UsageQuery): Coarsest {
  const used = new Set<string>([...query.groupBy, ...Object.keys(query.where ?? {})]);
  if (used.has("session") || used.has("agent")) return "row";
  if (!used.has("day") || (query.timeZone ?? "UTC") === "UTC") return "day";
  return hasWholeHours(query.timeZone ?? "UTC", query) ? "hour" : "row";
}

/** Whether the zone's days begin on whole hours UTC all through a window; India's, for one, do not. */
function hasWholeHours(zone: string, window: Span): boolean {
  const toMs = Math.min(window.toMs, LAST_SAMPLE_MS);
  for (let atMs = window.fromMs; atMs < toMs + OFFSET_SAMPLE_MS; atMs += OFFSET_SAMPLE_MS) {
    const at = Temporal.Instant.fromEpochMilliseconds(Math.floor(Math.min(atMs, toMs)));
    if ((at.toZonedDateTimeISO(zone).offsetNanoseconds / 1e6) % HOUR_MS !== 0) return false;
  }
  return true;
}

function unionAll(parts: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return sql.join(parts, sql` union all `);
}

function within(column: string, span: Span): RawBuilder<unknown> {
  const from = sql`${sql.ref(column)} >= ${new Date(span.fromMs)}`;
  return span.toMs === Infinity ? from : sql`${from} and ${sql.ref(column)} < ${new Date(span.toMs)}`;
}
