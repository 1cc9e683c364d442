import type { Entry } from "../../message/entry.ts";

/** A row of `usage_entries` as node-postgres gives it. */
export interface EntryRow {
  readonly exchange_id: string;
  readonly attempt: number;
  readonly attempts: number;
  readonly organization_id: string;
  readonly team_id: string | null;
  readonly user_id: string | null;
  readonly key_id: string;
  readonly user_type: string;
  readonly session_id: string | null;
  readonly agent_id: string | null;
  readonly parent_agent_id: string | null;
  readonly tag: string | null;
  readonly endpoint: string;
  readonly client_format: string;
  readonly model_asked: string;
  readonly model_served: string;
  readonly target: string | null;
  readonly target_model: string | null;
  readonly route_reason: string | null;
  readonly stream: boolean;
  readonly status: number;
  readonly outcome: Entry["outcome"];
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_write_5m_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly cache_read_tokens: number;
  readonly web_search_requests: number;
  readonly service_tier: string | null;
  readonly speed: string | null;
  readonly inference_geo: string | null;
  readonly usage_source: Entry["usageSource"];
  readonly cost_micro_usd: number;
  readonly cache_move: string | null;
  readonly cache_loss_micro_usd: number;
  readonly reserved_micro_usd: number;
  readonly price_version: string;
  readonly admitted_at: Date;
  readonly settled_at: Date;
  readonly latency_ms: number;
  readonly time_to_first_token_ms: number | null;
  readonly upstream_request_id: string | null;
}

/** The entry that a row was made from. */
export function entryFromRow(row: EntryRow): Entry {
  return {
    exchangeId: row.exchange_id,
    attempt: row.attempt,
    attempts: row.attempts,
    organizationId: row.organization_id,
    teamId: row.team_id,
    userId: row.user_id,
    keyId: row.key_id,
    userType: row.user_type,
    sessionId: row.session_id,
    agentId: row.agent_id,
    parentAgentId: row.parent_agent_id,
    tag: row.tag,
    endpoint: row.endpoint,
    clientFormat: row.client_format,
    modelAsked: row.model_asked,
    modelServed: row.model_served,
    target: row.target,
    targetModel: row.target_model,
    routeReason: row.route_reason,
    stream: row.stream,
    status: row.status,
    outcome: row.outcome,
    usage: {
      inputTokens: row.input_tokens,
      outputTokens: row.output_tokens,
      cacheWrite5mTokens: row.cache_write_5m_tokens,
      cacheWrite1hTokens: row.cache_write_1h_tokens,
      cacheReadTokens: row.cache_read_tokens,
      webSearchRequests: row.web_search_requests,
      serviceTier: row.service_tier,
      speed: row.speed,
      inferenceGeo: row.inference_geo,
    },
    usageSource: row.usage_source,
    costMicroUsd: row.cost_micro_usd,
    cacheMove: row.cache_move,
    cacheLossMicroUsd: row.cache_loss_micro_usd,
    priceVersion: row.price_version,
    reservedMicroUsd: row.reserved_micro_usd,
    admittedAtMs: row.admitted_at.getTime(),
    settledAtMs: row.settled_at.getTime(),
    latencyMs: row.latency_ms,
    timeToFirstTokenMs: row.time_to_first_token_ms,
    upstreamRequestId: row.upstream_request_id,
  };
}
