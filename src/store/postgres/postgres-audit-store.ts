import type { Pool, PoolClient } from "pg";

import type {
  AuditQuery,
  AuditRow,
  AuditStatement,
  AuditStore,
  ChainId,
  ChainSlice,
  ChainState,
  ChainTip,
} from "../ports/audit.ts";
import {
  type AuditDbRow,
  rowFromDb,
  ROW_COLUMNS,
  rowsJson,
  type StatementDbRow,
  statementFromDb,
  GENESIS,
} from "./audit-row.ts";
import { auditConditions } from "./audit-conditions.ts";
import { mapped } from "./map-error.ts";

/** Locks the chain until the transaction ends, making it where it is new. */
const LOCK_CHAIN = `
insert into weir.audit_chains as chain (organization_id, class, seq, hash) values ($1, $2, 0, '${GENESIS}')
on conflict (organization_id, class) do update set head_seq = chain.head_seq
returning seq, encode(hash, 'hex') as hash`;

const INSERT_ROWS = `
insert into weir.audit_rows (${ROW_COLUMNS.join(", ")})
select organization_id, class, seq, at_ms, actor, action, object, before, after, address, request_id, result, reason,
  decode(prev, 'hex'), decode(hash, 'hex')
from json_to_recordset($1::json) as r(organization_id text, class text, seq bigint, at_ms bigint, actor text, action text,
  object text, before text, after text, address text, request_id text, result text, reason text, prev text, hash text)
order by seq`;

/** The audit trail in PostgreSQL. */
export class PostgresAuditStore implements AuditStore {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async append(...[chain, extend, objects = []]: Parameters<AuditStore["append"]>): Promise<ChainTip> {
    return await mapped("writing the audit trail", () =>
      this.#inTransaction(async (client) => {
        const { organizationId, retentionClass } = chain;
        const locked = await client.query<Pick<ChainTip, "seq" | "hash">>(LOCK_CHAIN, [organizationId, retentionClass]);
        const tip = { organizationId, retentionClass, ...required(locked.rows[0]) };
        const rows = extend(tip, await knownObjects(client, chain, objects));
        const last = rows.at(-1);
        if (last === undefined) return tip;
        await client.query(INSERT_ROWS, [rowsJson(rows)]);
        await client.query(
          "update weir.audit_chains set seq = $3, hash = decode($4, 'hex') where organization_id = $1 and class = $2",
          [organizationId, retentionClass, last.seq, last.hash],
        );
        return { organizationId, retentionClass, seq: last.seq, hash: last.hash };
      }),
    );
  }

  async chains(organizationId?: string): Promise<readonly ChainState[]> {
    const { rows } = await mapped("reading the audit chains", () =>
      this.#pool.query<ChainState>(
        `select organization_id as "organizationId", class as "retentionClass", seq, encode(hash, 'hex') as hash,
           head_seq as "headSeq"
         from weir.audit_chains where $1::text is null or organization_id = $1 order by 1, 2`,
        [organizationId ?? null],
      ),
    );
    return rows;
  }

  async rows(chain: ChainId, slice: ChainSlice): Promise<readonly AuditRow[]> {
    const { rows } = await mapped("reading the audit trail", () =>
      this.#pool.query<AuditDbRow>(
        `select * from weir.audit_rows where organization_id = $1 and class = $2 and seq > $3 and seq <= $4
         order by seq limit $5`,
        sliceValues(chain, slice),
      ),
    );
    return rows.map(rowFromDb);
  }

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    const { text, values } = auditConditions(query);
    const { rows } = await mapped("searching the audit trail", () =>
      this.#pool.query<AuditDbRow>(
        // Each organisation's newest first, through its index; then the newest of those.
        `select found.* from unnest($1::text[]) as o(id) cross join lateral (
           select * from weir.audit_rows where ${text} order by at_ms desc, class, seq desc limit $${values.length + 1}
         ) as found
         order by at_ms desc, organization_id, class, seq desc limit $${values.length + 1}`,
        [...values, query.limit],
      ),
    );
    return rows.map(rowFromDb);
  }

  async firstSeqSince({ organizationId, retentionClass }: ChainId, atMs: number): Promise<number | null> {
    const { rows } = await mapped("reading the audit trail", () =>
      this.#pool.query<{ seq: number }>(
        `select seq from weir.audit_rows where organization_id = $1 and class = $2 and at_ms >= $3 order by seq limit 1`,
        [organizationId, retentionClass, Math.ceil(atMs)],
      ),
    );
    return rows[0]?.seq ?? null;
  }

  async addHead(head: AuditStatement): Promise<void> {
    const { organizationId, retentionClass, seq, hash, atMs, keyId, signature } = head;
    await mapped("keeping a signed head", () =>
      this.#pool.query(
        `with kept as (
           insert into weir.audit_heads (organization_id, class, seq, hash, at_ms, key_id, signature)
           values ($1, $2, $3, decode($4, 'hex'), $5, $6, decode($7, 'hex')) on conflict do nothing
         )
         update weir.audit_chains set head_seq = $3 where organization_id = $1 and class = $2 and head_seq < $3`,
        [organizationId, retentionClass, seq, hash, atMs, keyId, signature],
      ),
    );
  }

  async heads(chain: ChainId, slice: ChainSlice): Promise<readonly AuditStatement[]> {
    const { rows } = await mapped("reading the signed heads", () =>
      this.#pool.query<StatementDbRow>(
        `select *, null as removed from weir.audit_heads
         where organization_id = $1 and class = $2 and seq > $3 and seq <= $4 order by seq, key_id limit $5`,
        sliceValues(chain, slice),
      ),
    );
    return rows.map((row) => statementFromDb("head", row));
  }

  async checkpoint({ organizationId, retentionClass }: ChainId): Promise<AuditStatement | null> {
    const { rows } = await mapped("reading the checkpoints", () =>
      this.#pool.query<StatementDbRow>(
        "select * from weir.audit_checkpoints where organization_id = $1 and class = $2 order by seq desc limit 1",
        [organizationId, retentionClass],
      ),
    );
    return rows[0] === undefined ? null : statementFromDb("checkpoint", rows[0]);
  }

  async prune(checkpoint: AuditStatement): Promise<number> {
    const { organizationId, retentionClass, seq, hash, atMs, removed, keyId, signature } = checkpoint;
    return await mapped("removing expired audit rows", () =>
      this.#inTransaction(async (client) => {
        const chain = [organizationId, retentionClass];
        await client.query(LOCK_CHAIN, chain);
        await client.query(
          `insert into weir.audit_checkpoints (organization_id, class, seq, hash, at_ms, removed, key_id, signature)
           values ($1, $2, $3, decode($4, 'hex'), $5, $6, $7, decode($8, 'hex'))`,
          [...chain, seq, hash, atMs, removed, keyId, signature],
        );
        const which = "where organization_id = $1 and class = $2 and seq <= $3";
        await client.query(`delete from weir.audit_heads ${which}`, [...chain, seq]);
        const deleted = await client.query(`delete from weir.audit_rows ${which}`, [...chain, seq]);
        return deleted.rowCount ?? 0;
      }),
    );
  }

  async #inTransaction<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect();
    let failure: Error | undefined;
    try {
      await client.query("begin");
      const result = await work(client);
      await client.query("commit");
      return result;
    } catch (error) {
      // A connection that cannot even roll back is of no more use: the pool replaces it.
      await client.query("rollback").catch((broken: unknown) => {
        failure = broken instanceof Error ? broken : new Error(String(broken));
      });
      throw error;
    } finally {
      client.release(failure);
    }
  }
}

async function knownObjects(client: PoolClient, chain: ChainId, objects: readonly string[]): Promise<Set<string>> {
  if (objects.length === 0) return new Set();
  const { rows } = await client.query<{ object: string }>(
    "select object from weir.audit_rows where organization_id = $1 and class = $2 and object = any($3)",
    [chain.organizationId, chain.retentionClass, objects],
  );
  return new Set(rows.map(({ object }) => object));
}

/** PostgreSQL's bigint has no infinity. */
function sliceValues({ organizationId, retentionClass }: ChainId, { afterSeq, throughSeq, limit }: ChainSlice) {
  return [organizationId, retentionClass, afterSeq, Math.min(throughSeq, Number.MAX_SAFE_INTEGER), limit];
}

function required<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("PostgreSQL gave no row where it must");
  return value;
}
