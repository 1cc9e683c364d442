import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * How an exchange was routed and what it cost that a session left its warm cache. Every new column has a default or takes
 * null: no row is written anew, however large the table, and a replica of the version before goes on shipping while the
 * others are replaced. What it ships is right as it is: it spoke Messages alone and priced no moves.
 */
const ENTRIES = `
alter table weir.usage_entries
  add column client_format text not null default 'anthropic',
  add column target_model text,
  add column route_reason text,
  add column cache_move text,
  add column cache_loss_micro_usd bigint not null default 0
`;

function rollup(table: string): string {
  return `
alter table weir.${table}
  add column cache_moves bigint not null default 0,
  add column cache_loss_micro_usd bigint not null default 0
`;
}

export const routingInLedger: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of [ENTRIES, rollup("usage_hourly"), rollup("usage_daily")]) {
      await sql.raw(statement).execute(db);
    }
  },
};
