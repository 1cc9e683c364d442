import { Client } from "pg";

import type { PostgresConnection } from "../../src/store/postgres-connection.ts";

const STEP = 500_000;
const DAYS = 90;

/** What a ledger of an organisation with 500 people looks like after three months. */
export interface LedgerShape {
  readonly rows: number;
  readonly users: number;
  readonly requestsPerSession: number;
}

export const SHAPE: LedgerShape = { rows: 10_000_000, users: 500, requestsPerSession: 40 };

/** Fills the ledger by SQL, through the trigger that keeps the sums of reports, and the rollups that the shipper keeps. */
export async function fillLedger(
  connection: PostgresConnection,
  { rows, users, requestsPerSession }: LedgerShape,
): Promise<void> {
  const client = new Client(connection);
  await client.connect();
  try {
    await client.query("set work_mem = '256MB'");
    for (let from = 0; from < rows; from += STEP) {
      await client.query(INSERT, [from, Math.min(rows, from + STEP) - 1, rows, requestsPerSession, users, DAYS]);
    }
    await client.query(rollup("usage_hourly", "hour"));
    await client.query(rollup("usage_daily", "day"));
    await client.query("vacuum analyze");
  } finally {
    await client.end();
  }
}

const INSERT = `
insert into weir.usage_entries (exchange_id, attempt, attempts, organization_id, team_id, user_id, key_id, user_type, session_id,
  agent_id, parent_agent_id, endpoint, model_asked, model_served, target, stream, status, outcome, input_tokens, output_tokens,
  cache_write_5m_tokens, cache_write_1h_tokens, cache_read_tokens, web_search_requests, usage_source, cost_micro_usd,
  reserved_micro_usd, price_version, admitted_at, settled_at, latency_ms, tag)
select weir.exchange_id_at(at) || lpad(i::text, 16, '0'), 1, 1, 'org_1', 'team_' || (u % 20), 'usr_' || u, 'key_' || u,
  'developer', 'ses_' || (i / $4), case when i % 5 = 0 then 'agent_' || (i / 8) end, null, 'messages', model, model,
  case when i % 10 = 0 then 'bedrock' else 'anthropic' end, true, 200, 'complete', 500 + i % 1000, 200 + i % 300, 0, 300, 40000, 0,
  'reported', 10000 + i % 50000, 60000, '2026-11', at, at + interval '8 seconds', 8000,
  case when u % 3 = 0 then 'project-' || (u % 30) end
from (
  select i, ((i / $4) % $5)::int as u,
    (array['claude-opus-5', 'claude-sonnet-5', 'claude-haiku-4-5'])[1 + (i % 17 % 3)] as model,
    now() - make_interval(days => $6) + (i::float8 / $3) * make_interval(days => $6) as at
  from generate_series($1::bigint, $2::bigint) as i
) as made`;

function rollup(table: string, unit: string): string {
  return `
insert into weir.${table} (starts_at, organization_id, key_id, model_served, target, user_id, team_id, requests, input_tokens,
  output_tokens, cache_read_tokens, cache_write_tokens, cost_micro_usd)
select date_trunc('${unit}', admitted_at, 'UTC'), organization_id, key_id, model_served, target, user_id, team_id, count(*),
  sum(input_tokens), sum(output_tokens), sum(cache_read_tokens), sum(cache_write_5m_tokens + cache_write_1h_tokens),
  sum(cost_micro_usd)
from weir.usage_entries group by 1, 2, 3, 4, 5, 6, 7`;
}
