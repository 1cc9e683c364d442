import { type RawBuilder, sql } from "kysely";

import type { CostDimension, CostQuery, ExportGrain, ReportWindow } from "../ports/reports.ts";
import type { CostRecord, ExportRecord, MeteredRecord, PartRecord, SessionRecord, UserRecord } from "./report-rows.ts";
import { daySource, sessionSource, sourceFor, SUMMED, within } from "./report-rollup.ts";

/** The column behind each dimension. */
const COLUMN_OF = {
  organization: "organization_id",
  team: "team_id",
  user: "user_id",
  key: "key_id",
  model: "model_served",
  target: "target",
  session: "session_id",
  tag: "tag",
} as const satisfies Record<CostDimension, string>;

const SUMMED_AGAIN = SUMMED.replaceAll("total(", "total(all_groups.");

/** Groups in order of cost, with the number and the sum of all of them beside each: one reading, so that they agree. */
export function costStatement(query: CostQuery): RawBuilder<CostRecord> {
  const groups = query.by.map((by) => sql`${sql.ref(COLUMN_OF[by])} as ${sql.ref(`d_${by}`)}`);
  const positions = query.by.map((_, at) => at + 1).join(", ");
  return sql<CostRecord>`
    with all_groups as (
      select ${sql.join([...groups, sql.raw(SUMMED)])} from (${sourceFor(query, query.by)}) as used
      ${positions === "" ? sql`having count(*) > 0` : sql`group by ${sql.raw(positions)}`}
    ), total as (select count(*) as groups, ${sql.raw(SUMMED_AGAIN)} from all_groups)
    select all_groups.*, total.groups,
      json_build_object(
        'requests', total.requests, 'input_tokens', total.input_tokens, 'output_tokens', total.output_tokens,
        'cache_read_tokens', total.cache_read_tokens, 'cache_write_tokens', total.cache_write_tokens,
        'cost_micro_usd', total.cost_micro_usd) as total
    from all_groups, total
    order by all_groups.cost_micro_usd desc, all_groups.requests desc${sql.raw(positions === "" ? "" : `, ${positions}`)}
    limit ${query.limit}`;
}

export function sessionStatement(organizationId: string, sessionId: string): RawBuilder<PartRecord> {
  return sql<PartRecord>`
    select agent_id, parent_agent_id, model_served, user_id, key_id, count(*) as requests,
      weir.total(input_tokens) as input_tokens, weir.total(output_tokens) as output_tokens,
      weir.total(cache_read_tokens) as cache_read_tokens,
      weir.total(cache_write_5m_tokens + cache_write_1h_tokens) as cache_write_tokens,
      weir.total(cost_micro_usd) as cost_micro_usd, min(admitted_at) as first_at, max(settled_at) as last_at
    from weir.usage_entries
    where organization_id = ${organizationId} and session_id = ${sessionId}
    group by 1, 2, 3, 4, 5
    order by min(admitted_at), 1 nulls first, 2, 3, 4, 5`;
}

export function sessionsStatement(query: ReportWindow & { readonly limit: number }): RawBuilder<SessionRecord> {
  return sql<SessionRecord>`
    select session_id, max(user_id) as user_id, max(key_id) as key_id, ${sql.raw(SUMMED)},
      min(first_at) as first_at, max(last_at) as last_at
    from (${sessionSource(query)}) as used
    where session_id is not null
    group by session_id
    order by cost_micro_usd desc, session_id
    limit ${query.limit}`;
}

/** Tokens and models from the sums by model, conversations from those by session. */
export function usersStatement(query: ReportWindow & { readonly limit: number }): RawBuilder<UserRecord> {
  return sql<UserRecord>`
    with models as (
      select user_id, model_served, ${sql.raw(SUMMED)} from (${sourceFor(query, ["user", "model"])}) as used group by 1, 2
    ), sums as (
      select user_id, ${sql.raw(SUMMED)}, array_agg(model_served order by cost_micro_usd desc, model_served) as models
      from models group by 1
    ), talked as (
      select user_id, session_id, max(last_at) as last_at from (${sessionSource(query)}) as used group by 1, 2
    ), talks as (
      select user_id, count(session_id) as conversations, max(last_at) as last_at from talked group by 1
    )
    select sums.*, conversations, last_at
    from sums join talks on talks.user_id is not distinct from sums.user_id
    order by sums.cost_micro_usd desc, sums.requests desc, sums.user_id nulls last
    limit ${query.limit}`;
}

export function daysStatement(
  query: ReportWindow & { readonly timeZone: string },
): RawBuilder<{ day: string; requests: number; cost_micro_usd: number }> {
  return sql`
    select to_char(starts_at at time zone ${query.timeZone}, 'YYYY-MM-DD') as day,
      weir.total(requests) as requests, weir.total(cost_micro_usd) as cost_micro_usd
    from weir.usage_quarters
    where organization_id = ${query.organizationId} and ${within("starts_at", query)}
    group by 1 order by 1`;
}

export function exportStatement(query: ReportWindow & { readonly grain: ExportGrain }): RawBuilder<ExportRecord> {
  const owned = sql`organization_id = ${query.organizationId}`;
  if (query.grain === "day") {
    return sql<ExportRecord>`
      select null::text as exchange_id, null::integer as attempt, starts_at as start_at,
        starts_at + interval '1 day' as end_at, team_id, user_id, key_id, null::text as session_id, tag, model_served, target,
        null::text as outcome, ${sql.raw(SUMMED)}
      from (${daySource(query)}) as used
      group by starts_at, team_id, user_id, key_id, tag, model_served, target
      order by starts_at, team_id, user_id, key_id, tag, model_served, target`;
  }
  return sql<ExportRecord>`
    select exchange_id, attempt, admitted_at as start_at, settled_at as end_at, team_id, user_id, key_id, session_id, tag,
      model_served, target, outcome, 1::bigint as requests, input_tokens, output_tokens, cache_read_tokens,
      cache_write_5m_tokens + cache_write_1h_tokens as cache_write_tokens, cost_micro_usd
    from weir.usage_entries where ${owned} and ${within("admitted_at", query)}
    order by admitted_at`;
}

export function meteredStatement(
  query: ReportWindow & { readonly targets?: readonly string[] },
): RawBuilder<MeteredRecord> {
  const targets = query.targets;
  return sql<MeteredRecord>`
    select to_char(starts_at at time zone 'UTC', 'YYYY-MM-DD') as day, model_served,
      weir.total(requests) as requests, weir.total(input_tokens) as input_tokens,
      weir.total(output_tokens) as output_tokens, weir.total(cache_read_tokens) as cache_read_tokens,
      weir.total(cache_write_5m_tokens) as cache_write_5m_tokens,
      weir.total(cache_write_1h_tokens) as cache_write_1h_tokens,
      weir.total(cost_micro_usd) as cost_micro_usd, weir.total(estimated) as estimated,
      array_agg(distinct price_version order by price_version) as price_versions
    from weir.usage_metered
    where organization_id = ${query.organizationId} and ${within("starts_at", query)}
      ${targets === undefined ? sql`` : sql`and target = any(${[...targets]})`}
    group by 1, 2 order by 1, 2`;
}
