import { type Kysely, type RawBuilder, sql, type Transaction } from "kysely";

import type {
  CostQuery,
  CostReport,
  CostSums,
  DayCost,
  ExportGrain,
  ExportRow,
  MeteredRow,
  ReportStore,
  ReportWindow,
  SessionPart,
  SessionRow,
  UserRow,
} from "../ports/reports.ts";
import { mapped } from "./map-error.ts";
import { exportRowOf, type ExportRecord, groupOf, meteredOf, partOf, sumsOf } from "./report-rows.ts";
import {
  costStatement,
  daysStatement,
  exportStatement,
  meteredStatement,
  sessionsStatement,
  sessionStatement,
  usersStatement,
} from "./report-statements.ts";
import type { Database } from "./schema.ts";

/** Rows of an export that are held at once. */
const EXPORT_BATCH = 2_000;
/** Memory for the sums of one report: hundreds of thousands of sessions fit without a file. */
const WORK_MEM = "96MB";

const NOTHING: CostSums = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costMicroUsd: 0,
};

/** Reports from the ledger's rows and sums in PostgreSQL. */
export class PostgresReportStore implements ReportStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async cost(query: CostQuery): Promise<CostReport> {
    const rows = isEmpty(query) ? [] : await this.#ask("reporting cost", costStatement(query));
    const [first] = rows;
    return {
      rows: rows.map((row) => ({ group: groupOf(row, query.by), ...sumsOf(row) })),
      groups: first?.groups ?? 0,
      total: first === undefined ? NOTHING : sumsOf(first.total),
    };
  }

  async session(organizationId: string, sessionId: string): Promise<readonly SessionPart[]> {
    return (await this.#ask("reporting a session", sessionStatement(organizationId, sessionId))).map(partOf);
  }

  async sessions(query: ReportWindow & { readonly limit: number }): Promise<readonly SessionRow[]> {
    if (isEmpty(query)) return [];
    return (await this.#ask("reporting sessions", sessionsStatement(query))).map((row) => ({
      ...sumsOf(row),
      sessionId: row.session_id,
      userId: row.user_id,
      keyId: row.key_id,
      firstAtMs: row.first_at.getTime(),
      lastAtMs: row.last_at.getTime(),
    }));
  }

  async users(query: ReportWindow & { readonly limit: number }): Promise<readonly UserRow[]> {
    if (isEmpty(query)) return [];
    return (await this.#ask("reporting users", usersStatement(query))).map((row) => ({
      ...sumsOf(row),
      userId: row.user_id,
      conversations: row.conversations,
      models: row.models,
      lastAtMs: row.last_at.getTime(),
    }));
  }

  async days(query: ReportWindow & { readonly timeZone: string }): Promise<readonly DayCost[]> {
    if (isEmpty(query)) return [];
    return (await this.#ask("reporting days", daysStatement(query))).map((row) => ({
      day: row.day,
      requests: row.requests,
      costMicroUsd: row.cost_micro_usd,
    }));
  }

  async metered(query: ReportWindow & { readonly targets?: readonly string[] }): Promise<readonly MeteredRow[]> {
    if (isEmpty(query)) return [];
    return (await this.#ask("summing the ledger by day and model", meteredStatement(query))).map(meteredOf);
  }

  /** Through a cursor of the server, in one transaction: rows that come meanwhile are not among them. */
  async *export(query: ReportWindow & { readonly grain: ExportGrain }): AsyncGenerator<readonly ExportRow[]> {
    if (isEmpty(query)) return;
    const transaction = await mapped("exporting usage", () => this.#db.startTransaction().execute());
    let isWhole = false;
    try {
      await mapped("exporting usage", async () => {
        await prepare(transaction);
        await sql`declare weir_export no scroll cursor for ${exportStatement(query)}`.execute(transaction);
      });
      for (;;) {
        const { rows } = await mapped("exporting usage", () =>
          sql<ExportRecord>`fetch ${sql.lit(EXPORT_BATCH)} from weir_export`.execute(transaction),
        );
        if (rows.length === 0) break;
        yield rows.map(exportRowOf);
      }
      isWhole = true;
    } finally {
      // Nothing was written: rolling back is no loss, and also right after an error or when the reader has enough.
      await (isWhole ? transaction.commit().execute() : transaction.rollback().execute());
    }
  }

  async #ask<T>(doing: string, statement: RawBuilder<T>): Promise<readonly T[]> {
    return await mapped(doing, () =>
      this.#db
        .transaction()
        .setAccessMode("read only")
        .execute(async (transaction) => {
          await prepare(transaction);
          return (await statement.execute(transaction)).rows;
        }),
    );
  }
}

async function prepare(transaction: Transaction<Database>): Promise<void> {
  await sql`select set_config('work_mem', ${WORK_MEM}, true)`.execute(transaction);
}

function isEmpty({ fromMs, toMs }: ReportWindow): boolean {
  return fromMs >= toMs;
}
