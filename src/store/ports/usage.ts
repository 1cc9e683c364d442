import type { Entry } from "../../message/entry.ts";
import type { PayerScope } from "./spend-limits.ts";

/** Where the shipper stands, mirrored from the journal's positions. One cursor for each journal (each replica). */
export interface ShipCursor {
  readonly segment: number;
  readonly offset: number;
}

/** What a report can be grouped and filtered by. */
export const USAGE_DIMENSIONS = [
  "organization",
  "team",
  "user",
  "key",
  "model",
  "target",
  "session",
  "agent",
  "day",
] as const;

export type UsageDimension = (typeof USAGE_DIMENSIONS)[number];

/** What to report: entries of one organisation admitted in [fromMs, toMs). `toMs` may be `Infinity`. */
export interface UsageQuery {
  readonly organizationId: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly groupBy: readonly UsageDimension[];
  /** IANA zone whose days `day` means; UTC unless set. */
  readonly timeZone?: string;
  /** Equality filters on dimensions. */
  readonly where?: Partial<Record<UsageDimension, string>>;
  readonly limit?: number;
}

export interface UsageRow {
  /** The value of each grouped dimension; null where the rows have none. */
  readonly group: Readonly<Partial<Record<UsageDimension, string | null>>>;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWriteTokens: number;
  readonly costMicroUsd: number;
  /** How often a session left the upstream where its prompt cache was warm, and what that cost (an estimate). */
  readonly cacheMoves: number;
  readonly cacheLossMicroUsd: number;
}

export interface UsageStore {
  /** The cursor of journal `journalId`; null before its first batch. */
  cursor(journalId: string): Promise<ShipCursor | null>;
  /**
   * In one transaction: inserts entries (JSON texts of `Entry`) that are not there yet, adds the inserted ones to the
   * rollups, moves the cursor (never backwards). Returns how many rows were new. An entry that cannot be stored as a row (a
   * value out of range) is set aside with a loud log line and does not hold up the others. Throws `StoreError`
   * `unavailable` when the batch should be shipped again later.
   */
  ship(journalId: string, entries: readonly Buffer[], cursor: ShipCursor): Promise<number>;
  /**
   * Sum of costs in micro-dollars for entries admitted in [fromMs, toMs), for each subject of a scope. `toMs` may be
   * `Infinity`. Subjects without entries are left out. A tag is named `<organization>/<tag>`.
   */
  totals(scope: PayerScope, fromMs: number, toMs: number): Promise<ReadonlyMap<string, number>>;
  /** One row for each combination of the grouped dimensions, by day where that is one of them, then the dearest first. */
  report(query: UsageQuery): Promise<readonly UsageRow[]>;
  /** Single rows, newest first, for looking at exchanges. */
  entries(query: {
    organizationId: string;
    exchangeId?: string;
    sessionId?: string;
    limit: number;
  }): Promise<readonly Entry[]>;
}
