import type { Outcome } from "../../message/entry.ts";

/** What costs can be reported by. */
export const COST_DIMENSIONS = ["organization", "team", "user", "key", "model", "target", "session", "tag"] as const;

export type CostDimension = (typeof COST_DIMENSIONS)[number];

/** Entries of one organisation admitted in [fromMs, toMs), milliseconds since the epoch; `toMs` may be `Infinity`. */
export interface ReportWindow {
  readonly organizationId: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/** Sums over entries. Money is integer micro-dollars. */
export interface CostSums {
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costMicroUsd: number;
}

export interface CostQuery extends ReportWindow {
  readonly by: readonly CostDimension[];
  readonly limit: number;
}

interface CostRow extends CostSums {
  /** The value of each dimension asked for; null where the entries have none. */
  readonly group: Readonly<Partial<Record<CostDimension, string | null>>>;
}

export interface CostReport {
  /** The dearest first, as many as the limit allows. */
  readonly rows: readonly CostRow[];
  /** How many groups there are in all, and what they sum up to, rows beyond the limit included. */
  readonly groups: number;
  readonly total: CostSums;
}

/** What one agent of a session used of one model. */
export interface SessionPart extends CostSums {
  /** Null for the session's own conversation. */
  readonly agentId: string | null;
  /** Null where the client did not say who started the agent. */
  readonly parentAgentId: string | null;
  readonly model: string;
  readonly userId: string | null;
  readonly keyId: string;
  readonly firstAtMs: number;
  /** When the last of it was settled. */
  readonly lastAtMs: number;
}

export interface SessionRow extends CostSums {
  readonly sessionId: string;
  readonly userId: string | null;
  readonly keyId: string;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

export interface UserRow extends CostSums {
  /** Null for keys without a user. */
  readonly userId: string | null;
  /** Sessions that were named by the client. */
  readonly conversations: number;
  /** The models used, the dearest first. */
  readonly models: readonly string[];
  readonly lastAtMs: number;
}

/** The cost of one day, in the time zone that was asked for. */
export interface DayCost {
  /** ISO date. */
  readonly day: string;
  readonly requests: number;
  readonly costMicroUsd: number;
}

/** How fine an export is: one row for each exchange, or sums by day (UTC) and everything that a report can group by. */
export type ExportGrain = "day" | "exchange";

/** One row of an export. */
export interface ExportRow extends CostSums {
  /** Null in sums by day, as are attempt, session and outcome. */
  readonly exchangeId: string | null;
  readonly attempt: number | null;
  readonly startMs: number;
  readonly endMs: number;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly keyId: string;
  readonly sessionId: string | null;
  readonly tag: string | null;
  readonly model: string;
  readonly target: string | null;
  readonly outcome: Outcome | null;
}

/** What Weir metered of one model on one day (UTC), for comparison with the provider's own figures. */
export interface MeteredRow {
  readonly day: string;
  readonly model: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  readonly costMicroUsd: number;
  /** How many of the requests Weir had to estimate. */
  readonly estimated: number;
  /** The price tables that the entries were admitted under. */
  readonly priceVersions: readonly string[];
}

/** Questions about what was spent. Every one is about one organisation; nothing of another is ever in the answer. */
export interface ReportStore {
  cost(query: CostQuery): Promise<CostReport>;
  /** Everything of one session, by agent and model; empty when there is no such session. */
  session(organizationId: string, sessionId: string): Promise<readonly SessionPart[]>;
  /** Sessions, the dearest first. Figures are those within the window. */
  sessions(query: ReportWindow & { readonly limit: number }): Promise<readonly SessionRow[]>;
  /** Users with anything in the window, the dearest first. */
  users(query: ReportWindow & { readonly limit: number }): Promise<readonly UserRow[]>;
  /** Days with cost, oldest first, whole days of `timeZone` where the window's edges are. Days without usage are left out. */
  days(query: ReportWindow & { readonly timeZone: string }): Promise<readonly DayCost[]>;
  /** All rows in the order of time, a few thousand at once: what is held in memory does not grow with the answer. */
  export(query: ReportWindow & { readonly grain: ExportGrain }): AsyncIterable<readonly ExportRow[]>;
  /** By day (those that begin in the window) and model, in that order; of the named targets alone where there are any. */
  metered(query: ReportWindow & { readonly targets?: readonly string[] }): Promise<readonly MeteredRow[]>;
}
