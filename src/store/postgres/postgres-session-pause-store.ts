import { type Kysely, sql } from "kysely";

import type { SessionPauseRecord, SessionPauseStore } from "../ports/session-pauses.ts";
import { mapped } from "./map-error.ts";
import type { Database } from "./schema.ts";

interface PauseRow {
  readonly organization_id: string;
  readonly session_id: string;
  readonly paused_at: Date;
  readonly spent_micro_usd: number;
  readonly usual_micro_usd: number;
  readonly window_ms: number;
}

/** Paused sessions in PostgreSQL. A resumed one stays as a row, with who let it go on, until it is paused again. */
export class PostgresSessionPauseStore implements SessionPauseStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async put(pause: SessionPauseRecord): Promise<void> {
    await mapped("pausing a session", () =>
      sql`
        insert into weir.session_pauses as known
          (organization_id, session_id, paused_at, spent_micro_usd, usual_micro_usd, window_ms)
        values (${pause.organizationId}, ${pause.sessionId}, ${new Date(pause.atMs)}, ${pause.spentMicroUsd},
          ${pause.usualMicroUsd}, ${pause.windowMs})
        on conflict (organization_id, session_id) do update set
          paused_at = excluded.paused_at, spent_micro_usd = excluded.spent_micro_usd,
          usual_micro_usd = excluded.usual_micro_usd, window_ms = excluded.window_ms, resumed_at = null, resumed_by = null
        where known.resumed_at is not null`.execute(this.#db),
    );
  }

  async active(organizationId?: string): Promise<readonly SessionPauseRecord[]> {
    return await mapped("reading paused sessions", async () => {
      const { rows } = await sql<PauseRow>`
        select * from weir.session_pauses where resumed_at is null
          ${organizationId === undefined ? sql`` : sql`and organization_id = ${organizationId}`}
        order by paused_at, organization_id, session_id`.execute(this.#db);
      return rows.map(recordOf);
    });
  }

  async resume(
    organizationId: string,
    sessionId: string,
    by: { actor: string; atMs: number },
  ): Promise<SessionPauseRecord | null> {
    return await mapped("resuming a session", async () => {
      const { rows } = await sql<PauseRow>`
        update weir.session_pauses set resumed_at = ${new Date(by.atMs)}, resumed_by = ${by.actor}
        where organization_id = ${organizationId} and session_id = ${sessionId} and resumed_at is null
        returning *`.execute(this.#db);
      const [row] = rows;
      return row === undefined ? null : recordOf(row);
    });
  }
}

function recordOf(row: PauseRow): SessionPauseRecord {
  return {
    organizationId: row.organization_id,
    sessionId: row.session_id,
    atMs: row.paused_at.getTime(),
    spentMicroUsd: row.spent_micro_usd,
    usualMicroUsd: row.usual_micro_usd,
    windowMs: row.window_ms,
  };
}
