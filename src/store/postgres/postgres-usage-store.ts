import { type Kysely, sql } from "kysely";
import type { Pool } from "pg";

import type { Logger } from "../../core/logger.ts";
import type { Entry } from "../../message/entry.ts";
import type { BudgetScope } from "../ports/directory.ts";
import type { PayerScope } from "../ports/spend-limits.ts";
import type { ShipCursor, UsageQuery, UsageRow, UsageStore } from "../ports/usage.ts";
import { type EntryRow, entryFromRow } from "./entry-row.ts";
import { mapped } from "./map-error.ts";
import type { Database } from "./schema.ts";
import { shipBatch } from "./ship-batch.ts";
import { tagTotalsStatement } from "./tag-totals.ts";
import { reportStatement, rowFromReport, totalsStatement } from "./usage-report.ts";

const SUBJECT_COLUMN = {
  organization: "organization_id",
  team: "team_id",
  user: "user_id",
  key: "key_id",
} as const satisfies Record<BudgetScope, string>;

/** The ledger's rows, their rollups and the shippers' cursors in PostgreSQL. */
export class PostgresUsageStore implements UsageStore {
  readonly #pool: Pool;
  readonly #db: Kysely<Database>;
  readonly #logger: Logger;

  constructor(pool: Pool, db: Kysely<Database>, logger: Logger) {
    this.#pool = pool;
    this.#db = db;
    this.#logger = logger;
  }

  async cursor(journalId: string): Promise<ShipCursor | null> {
    return await mapped(`reading the cursor of journal ${journalId}`, async () => {
      const row = await this.#db
        .selectFrom("ship_cursors")
        .select(["segment", "byte_offset as offset"])
        .where("journal_id", "=", journalId)
        .executeTakeFirst();
      return row ?? null;
    });
  }

  async ship(journalId: string, entries: readonly Buffer[], cursor: ShipCursor): Promise<number> {
    return await mapped(`shipping ${entries.length} entries of journal ${journalId}`, () =>
      shipBatch(this.#pool, { journalId, entries, cursor }, this.#logger),
    );
  }

  async totals(scope: PayerScope, fromMs: number, toMs: number): Promise<ReadonlyMap<string, number>> {
    if (fromMs >= toMs) return new Map();
    return await mapped(`summing costs by ${scope}`, async () => {
      const window = { fromMs, toMs };
      const statement = scope === "tag" ? tagTotalsStatement(window) : totalsStatement(SUBJECT_COLUMN[scope], window);
      const { rows } = await statement.execute(this.#db);
      return new Map(rows.map((row) => [row.subject, row.total]));
    });
  }

  async report(query: UsageQuery): Promise<readonly UsageRow[]> {
    if (query.fromMs >= query.toMs) return [];
    return await mapped("reporting usage", async () => {
      const { rows } = await reportStatement(query).execute(this.#db);
      return rows.map((row) => rowFromReport(query, row));
    });
  }

  async entries(query: Parameters<UsageStore["entries"]>[0]): Promise<readonly Entry[]> {
    const { organizationId, exchangeId, sessionId, limit } = query;
    return await mapped("reading ledger entries", async () => {
      const { rows } = await sql<EntryRow>`
        select * from weir.usage_entries
        where organization_id = ${organizationId}
          ${exchangeId === undefined ? sql`` : sql`and exchange_id = ${exchangeId}`}
          ${sessionId === undefined ? sql`` : sql`and session_id = ${sessionId}`}
        order by admitted_at desc, exchange_id desc, attempt desc
        limit ${limit}`.execute(this.#db);
      return rows.map(entryFromRow);
    });
  }
}
