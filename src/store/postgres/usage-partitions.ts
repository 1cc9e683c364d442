import type { Pool } from "pg";

/** Months made ahead at every start. A process that runs longer than that ships into `usage_entries_other`, and loses nothing. */
const MONTHS_AHEAD = 12;

/** Makes the partitions of the coming months where they are missing; several processes at once do it once. */
export async function makeUsagePartitions(pool: Pool, monthsAhead: number = MONTHS_AHEAD): Promise<number> {
  const { rows } = await pool.query<{ made: number }>("select weir.make_usage_partitions($1) as made", [monthsAhead]);
  return rows[0]?.made ?? 0;
}

/** What `dropUsageBefore` did. */
export interface Retired {
  /** Partitions that were dropped whole. */
  readonly partitions: readonly string[];
  /** Rows deleted one by one, from partitions of mixed age. */
  readonly rows: number;
}

/**
 * Removes ledger rows admitted before `cutoffMs`: whole months by dropping their partition, the rest row by row. The sums by
 * hour and day stay, so that cost can still be reported by everything but the single exchange.
 */
export async function dropUsageBefore(pool: Pool, cutoffMs: number): Promise<Retired> {
  const cutoff = new Date(cutoffMs);
  // Names come from the catalogue and match the pattern: nothing in them needs quoting.
  const { rows } = await pool.query<{ name: string }>(
    `select relname as name from pg_inherits join pg_class on pg_class.oid = inhrelid
     where inhparent = 'weir.usage_entries'::regclass and relname ~ '^usage_entries_[0-9]{4}_[0-9]{2}$' order by 1`,
  );
  const partitions: string[] = [];
  for (const { name } of rows) {
    const [, year = 0, month = 0] = /_(\d{4})_(\d{2})$/.exec(name)?.map(Number) ?? [];
    if (Date.UTC(year, month) > cutoffMs) continue;
    // Ids are made by the wall clock, admissions timed by a checked one: look instead of trusting that they agree.
    const young = await pool.query(`select 1 from weir.${name} where admitted_at >= $1 limit 1`, [cutoff]);
    if (young.rows.length > 0) continue;
    await pool.query(`drop table weir.${name}`);
    partitions.push(name);
  }
  const deleted = await pool.query("delete from weir.usage_entries where admitted_at < $1", [cutoff]);
  return { partitions, rows: deleted.rowCount ?? 0 };
}
