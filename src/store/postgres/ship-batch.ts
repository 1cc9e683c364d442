import { setTimeout as sleep } from "node:timers/promises";

import type { Pool } from "pg";

import type { Logger } from "../../core/logger.ts";
import type { ShipCursor } from "../ports/usage.ts";
import { isDataError, isTransientConflict } from "./map-error.ts";
import { SHIP_STATEMENT } from "./ship-statement.ts";

const CONFLICT_ATTEMPTS = 6;
const CONFLICT_PAUSE_MS = 10;

const OPEN_BRACKET = Buffer.from("[");
const COMMA = Buffer.from(",");
const CLOSE_BRACKET = Buffer.from("]");

export interface Batch {
  readonly journalId: string;
  /** JSON texts of entries. */
  readonly entries: readonly Buffer[];
  readonly cursor: ShipCursor;
}

/**
 * Stores a batch and returns how many of its entries were new. The JSON goes to PostgreSQL as it came from the journal:
 * Node only joins the bytes. Where PostgreSQL refuses an entry for what is in it, the batch is halved until that entry is
 * alone; it is kept whole in `usage_set_aside` and the others go through.
 */
export async function shipBatch(pool: Pool, batch: Batch, logger: Logger): Promise<number> {
  try {
    return await storeBatch(pool, batch);
  } catch (error) {
    if (!isDataError(error)) throw error;
    const { entries } = batch;
    const [only] = entries;
    if (only === undefined) throw error;
    if (entries.length === 1) {
      await setAside(pool, batch, { entry: only, reason: error });
      logger.error(
        { err: error, journalId: batch.journalId, bytes: only.length },
        "a ledger entry cannot be stored as a row; it is kept in weir.usage_set_aside and missing from all sums",
      );
      return 0;
    }
    const middle = entries.length >> 1;
    const start = { segment: 0, offset: 0 };
    // The cursor moves with the second half: by then the first is safe.
    const first = await shipBatch(pool, { ...batch, entries: entries.slice(0, middle), cursor: start }, logger);
    return first + (await shipBatch(pool, { ...batch, entries: entries.slice(middle) }, logger));
  }
}

async function storeBatch(pool: Pool, batch: Batch): Promise<number> {
  const values = [jsonArray(batch.entries), batch.journalId, batch.cursor.segment, batch.cursor.offset];
  for (let attempt = 1; ; attempt++) {
    try {
      const result = await pool.query<{ new_rows: number }>({ name: "weir_ship", text: SHIP_STATEMENT, values });
      return result.rows[0]?.new_rows ?? 0;
    } catch (error) {
      if (!isTransientConflict(error) || attempt === CONFLICT_ATTEMPTS) throw error;
      await sleep(CONFLICT_PAUSE_MS * attempt * Math.random());
    }
  }
}

/** Keeps an entry that has no row, once however often it is shipped, and moves the cursor past it. */
async function setAside(pool: Pool, batch: Batch, refused: { entry: Buffer; reason: unknown }): Promise<void> {
  const reason = refused.reason instanceof Error ? refused.reason.message : String(refused.reason);
  await pool.query(
    `insert into weir.usage_set_aside (journal_id, entry, reason)
     select $1, $2, $3 where not exists (select from weir.usage_set_aside where journal_id = $1 and entry = $2)`,
    [batch.journalId, refused.entry, reason],
  );
  await storeBatch(pool, { ...batch, entries: [] });
}

function jsonArray(entries: readonly Buffer[]): Buffer {
  const parts: Buffer[] = [OPEN_BRACKET];
  for (const entry of entries) {
    if (parts.length > 1) parts.push(COMMA);
    parts.push(entry);
  }
  parts.push(CLOSE_BRACKET);
  return Buffer.concat(parts);
}
