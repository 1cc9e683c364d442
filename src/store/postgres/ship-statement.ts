import { ENTRY_DEFAULTS } from "../../message/entry-defaults.ts";

/**
 * How each column of `usage_entries` comes from the JSON of an entry (`e`) and its usage (`u`). Times are cut to whole
 * milliseconds, which can move no entry over the start of a window. `missing` is the SQL for a field that an earlier Weir
 * did not write; without it the column is null then.
 */
const COLUMNS: readonly (readonly [
  column: string,
  source: "e" | "u",
  field: string,
  type: string,
  missing?: string,
])[] = [
  ["exchange_id", "e", "exchangeId", "text"],
  ["attempt", "e", "attempt", "integer"],
  ["attempts", "e", "attempts", "integer"],
  ["organization_id", "e", "organizationId", "text"],
  ["team_id", "e", "teamId", "text"],
  ["user_id", "e", "userId", "text"],
  ["key_id", "e", "keyId", "text"],
  ["user_type", "e", "userType", "text"],
  ["session_id", "e", "sessionId", "text"],
  ["agent_id", "e", "agentId", "text"],
  ["parent_agent_id", "e", "parentAgentId", "text"],
  ["tag", "e", "tag", "text"],
  ["endpoint", "e", "endpoint", "text"],
  ["client_format", "e", "clientFormat", "text", `'${ENTRY_DEFAULTS.clientFormat}'`],
  ["model_asked", "e", "modelAsked", "text"],
  ["model_served", "e", "modelServed", "text"],
  ["target", "e", "target", "text"],
  ["target_model", "e", "targetModel", "text"],
  ["route_reason", "e", "routeReason", "text"],
  ["stream", "e", "stream", "boolean"],
  ["status", "e", "status", "integer"],
  ["outcome", "e", "outcome", "text"],
  ["input_tokens", "u", "inputTokens", "bigint"],
  ["output_tokens", "u", "outputTokens", "bigint"],
  ["cache_write_5m_tokens", "u", "cacheWrite5mTokens", "bigint"],
  ["cache_write_1h_tokens", "u", "cacheWrite1hTokens", "bigint"],
  ["cache_read_tokens", "u", "cacheReadTokens", "bigint"],
  ["web_search_requests", "u", "webSearchRequests", "bigint"],
  ["service_tier", "u", "serviceTier", "text"],
  ["speed", "u", "speed", "text"],
  ["inference_geo", "u", "inferenceGeo", "text"],
  ["usage_source", "e", "usageSource", "text"],
  ["cost_micro_usd", "e", "costMicroUsd", "bigint"],
  ["cache_move", "e", "cacheMove", "text"],
  ["cache_loss_micro_usd", "e", "cacheLossMicroUsd", "bigint", String(ENTRY_DEFAULTS.cacheLossMicroUsd)],
  ["reserved_micro_usd", "e", "reservedMicroUsd", "bigint"],
  ["price_version", "e", "priceVersion", "text"],
  ["admitted_at", "e", "admittedAtMs", "time"],
  ["settled_at", "e", "settledAtMs", "time"],
  ["latency_ms", "e", "latencyMs", "double precision"],
  ["time_to_first_token_ms", "e", "timeToFirstTokenMs", "double precision"],
  ["upstream_request_id", "e", "upstreamRequestId", "text"],
];

const KEY = "starts_at, organization_id, key_id, model_served, target, user_id, team_id";
const SUMS = [
  "requests",
  "input_tokens",
  "output_tokens",
  "cache_read_tokens",
  "cache_write_tokens",
  "cost_micro_usd",
  "cache_moves",
  "cache_loss_micro_usd",
];

/**
 * Stores a batch in one statement, and so in one transaction. Parameters: $1 the entries as one JSON array, $2 the journal,
 * $3 and $4 the cursor. Gives one row with the number of entries that were new.
 *
 * Only entries that were really inserted reach the rollups, so a batch shipped twice counts once. Every insert goes in the
 * order of its key: two shippers lock rows in the same order.
 */
export const SHIP_STATEMENT = `
with inserted as (
  insert into weir.usage_entries (${COLUMNS.map(([column]) => column).join(", ")})
  select ${COLUMNS.map(expression).join(", ")}
  from json_to_recordset($1::json) as e(${declare("e")}, "usage" json)
  cross join lateral json_to_record(e."usage") as u(${declare("u")})
  order by e."exchangeId", e."attempt"
  on conflict do nothing
  returning *
), hourly as (${addToRollup("usage_hourly", "hour")}
), daily as (${addToRollup("usage_daily", "day")}
), cursor as (
  insert into weir.ship_cursors as known (journal_id, segment, byte_offset) values ($2, $3, $4)
  on conflict (journal_id) do update set segment = excluded.segment, byte_offset = excluded.byte_offset
  where (known.segment, known.byte_offset) < (excluded.segment, excluded.byte_offset)
)
select count(*) as new_rows from inserted
`;

/** The columns of one JSON object, as `json_to_recordset` wants them declared. */
function declare(source: "e" | "u"): string {
  return COLUMNS.filter((row) => row[1] === source)
    .map(([, , field, type]) => `"${field}" ${type === "time" ? "double precision" : type}`)
    .join(", ");
}

function expression([, source, field, type, missing]: (typeof COLUMNS)[number]): string {
  const given = `${source}."${field}"`;
  const value = missing === undefined ? given : `coalesce(${given}, ${missing})`;
  return type === "time" ? `to_timestamp(floor(${value}) / 1000)` : value;
}

function addToRollup(table: string, unit: "hour" | "day"): string {
  return `
  insert into weir.${table} as known (${KEY}, ${SUMS.join(", ")})
  select date_trunc('${unit}', admitted_at, 'UTC'), organization_id, key_id, model_served, target, user_id, team_id,
    count(*), sum(input_tokens), sum(output_tokens), sum(cache_read_tokens),
    sum(cache_write_5m_tokens + cache_write_1h_tokens), sum(cost_micro_usd), count(cache_move), sum(cache_loss_micro_usd)
  from inserted
  group by 1, 2, 3, 4, 5, 6, 7
  order by 1, 2, 3, 4, 5, 6, 7
  on conflict (${KEY}) do update set ${SUMS.map((sum) => `${sum} = known.${sum} + excluded.${sum}`).join(", ")}`;
}
