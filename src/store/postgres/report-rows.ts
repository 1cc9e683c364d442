import type { Outcome } from "../../message/entry.ts";
import type { CostDimension, CostSums, ExportRow, MeteredRow, SessionPart } from "../ports/reports.ts";

/** Sums as node-postgres gives them: bigints are numbers, checked to be exact (store-pool.ts). */
export interface SumsRow {
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_tokens: number;
  readonly cost_micro_usd: number;
}

export interface CostRecord extends SumsRow {
  readonly d_organization?: string | null;
  readonly d_team?: string | null;
  readonly d_user?: string | null;
  readonly d_key?: string | null;
  readonly d_model?: string | null;
  readonly d_target?: string | null;
  readonly d_session?: string | null;
  readonly d_tag?: string | null;
  readonly groups: number;
  readonly total: SumsRow;
}

export interface PartRecord extends SumsRow {
  readonly agent_id: string | null;
  readonly parent_agent_id: string | null;
  readonly model_served: string;
  readonly user_id: string | null;
  readonly key_id: string;
  readonly first_at: Date;
  readonly last_at: Date;
}

export interface SessionRecord extends SumsRow {
  readonly session_id: string;
  readonly user_id: string | null;
  readonly key_id: string;
  readonly first_at: Date;
  readonly last_at: Date;
}

export interface UserRecord extends SumsRow {
  readonly user_id: string | null;
  readonly conversations: number;
  readonly models: readonly string[];
  readonly last_at: Date;
}

export interface ExportRecord extends SumsRow {
  readonly exchange_id: string | null;
  readonly attempt: number | null;
  readonly start_at: Date;
  readonly end_at: Date;
  readonly team_id: string | null;
  readonly user_id: string | null;
  readonly key_id: string;
  readonly session_id: string | null;
  readonly tag: string | null;
  readonly model_served: string;
  readonly target: string | null;
  readonly outcome: Outcome | null;
}

export interface MeteredRecord {
  readonly day: string;
  readonly model_served: string;
  readonly requests: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_tokens: number;
  readonly cache_write_5m_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly cost_micro_usd: number;
  readonly estimated: number;
  readonly price_versions: readonly string[];
}

export function sumsOf(row: SumsRow): CostSums {
  return {
    requests: row.requests,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWriteTokens: row.cache_write_tokens,
    costMicroUsd: row.cost_micro_usd,
  };
}

export function groupOf(
  row: CostRecord,
  by: readonly CostDimension[],
): Readonly<Partial<Record<CostDimension, string | null>>> {
  return Object.fromEntries(by.map((dimension) => [dimension, row[`d_${dimension}`] ?? null]));
}

export function partOf(row: PartRecord): SessionPart {
  return {
    ...sumsOf(row),
    agentId: row.agent_id,
    parentAgentId: row.parent_agent_id,
    model: row.model_served,
    userId: row.user_id,
    keyId: row.key_id,
    firstAtMs: row.first_at.getTime(),
    lastAtMs: row.last_at.getTime(),
  };
}

export function exportRowOf(row: ExportRecord): ExportRow {
  return {
    ...sumsOf(row),
    exchangeId: row.exchange_id,
    attempt: row.attempt,
    startMs: row.start_at.getTime(),
    endMs: row.end_at.getTime(),
    teamId: row.team_id,
    userId: row.user_id,
    keyId: row.key_id,
    sessionId: row.session_id,
    tag: row.tag,
    model: row.model_served,
    target: row.target,
    outcome: row.outcome,
  };
}

export function meteredOf(row: MeteredRecord): MeteredRow {
  return {
    day: row.day,
    model: row.model_served,
    requests: row.requests,
    inputTokens: row.input_tokens,
    outputTokens: row.output_tokens,
    cacheReadTokens: row.cache_read_tokens,
    cacheWrite5mTokens: row.cache_write_5m_tokens,
    cacheWrite1hTokens: row.cache_write_1h_tokens,
    costMicroUsd: row.cost_micro_usd,
    estimated: row.estimated,
    priceVersions: row.price_versions,
  };
}
