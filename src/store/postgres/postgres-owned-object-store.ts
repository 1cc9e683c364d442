import { type Kysely, sql } from "kysely";

import type { OwnedObject, OwnedObjectStore } from "../ports/owned-objects.ts";
import { StoreError } from "../ports/store-error.ts";
import { mapped } from "./map-error.ts";
import type { Database, OwnedObjectRow } from "./schema.ts";

type ListQuery = Parameters<OwnedObjectStore["list"]>[0];

/** Who owns which batch and file, in PostgreSQL. */
export class PostgresOwnedObjectStore implements OwnedObjectStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async add(object: OwnedObject): Promise<void> {
    const what = `recording ${object.kind} ${object.id}`;
    await mapped(what, async () => {
      const inserted = await this.#db
        .insertInto("owned_objects")
        .values(toRow(object))
        .onConflict((conflict) => conflict.columns(["kind", "id"]).doNothing())
        .executeTakeFirst();
      if ((inserted.numInsertedOrUpdatedRows ?? 0n) > 0n) return;
      const known = await this.get(object.kind, object.id);
      if (known?.organizationId === object.organizationId && known.keyId === object.keyId) return;
      throw new StoreError("duplicate", `${what}: somebody else owns it`);
    });
  }

  async get(kind: OwnedObject["kind"], id: string): Promise<OwnedObject | null> {
    return await mapped(`looking up ${kind} ${id}`, async () => {
      const row = await this.#db
        .selectFrom("owned_objects")
        .selectAll()
        .where("kind", "=", kind)
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? null : fromRow(row);
    });
  }

  async list(query: ListQuery): Promise<readonly OwnedObject[]> {
    const backwards = query.beforeId !== undefined && query.afterId === undefined;
    const direction = backwards ? "asc" : "desc";
    let select = this.#db
      .selectFrom("owned_objects")
      .selectAll()
      .where("organization_id", "=", query.organizationId)
      .where("kind", "=", query.kind)
      .where(isOwner(query));
    if (query.afterId !== undefined) select = select.where(isPast(query, query.afterId, sql.raw("<")));
    if (query.beforeId !== undefined) select = select.where(isPast(query, query.beforeId, sql.raw(">")));
    const ordered = select.orderBy("created_at", direction).orderBy("id", direction).limit(query.limit);
    const rows = await mapped(`listing ${query.kind} objects`, () => ordered.execute());
    return (backwards ? rows.toReversed() : rows).map(fromRow);
  }

  async unsettledBatches(limit: number): Promise<readonly OwnedObject[]> {
    const rows = await mapped("listing unsettled batches", () =>
      this.#db
        .selectFrom("owned_objects")
        .selectAll()
        .where("kind", "=", "batch")
        .where("settled_at", "is", null)
        .orderBy("created_at")
        .orderBy("id")
        .limit(limit)
        .execute(),
    );
    return rows.map(fromRow);
  }

  async markSettled(id: string, atMs: number): Promise<void> {
    await mapped(`settling batch ${id}`, () =>
      this.#db
        .updateTable("owned_objects")
        .set({ settled_at: new Date(atMs) })
        .where("kind", "=", "batch")
        .where("id", "=", id)
        .where("settled_at", "is", null)
        .execute(),
    );
  }

  async remove(kind: OwnedObject["kind"], id: string): Promise<void> {
    await mapped(`removing ${kind} ${id}`, () =>
      this.#db.deleteFrom("owned_objects").where("kind", "=", kind).where("id", "=", id).execute(),
    );
  }
}

/** A user sees what any of their keys made; a key without a user only what it made itself. Matches the owner's index. */
function isOwner(query: ListQuery) {
  const sameOwner = sql<boolean>`coalesce(user_id, key_id) = ${query.userId ?? query.keyId}`;
  return query.userId === null
    ? sql<boolean>`${sameOwner} and user_id is null`
    : sql<boolean>`${sameOwner} and user_id is not null`;
}

/** Whether a row lies on one side of the caller's own object `id` in the order of creation. */
function isPast(query: ListQuery, id: string, comparison: ReturnType<typeof sql.raw>) {
  return sql<boolean>`(created_at, id) ${comparison} (
    select created_at, id from weir.owned_objects
    where kind = ${query.kind} and id = ${id} and organization_id = ${query.organizationId} and ${isOwner(query)}
  )`;
}

function toRow(object: OwnedObject): OwnedObjectRow {
  return {
    kind: object.kind,
    id: object.id,
    organization_id: object.organizationId,
    key_id: object.keyId,
    user_id: object.userId,
    target: object.target,
    created_at: new Date(object.createdAtMs),
    settled_at: object.settledAtMs === null ? null : new Date(object.settledAtMs),
  };
}

function fromRow(row: OwnedObjectRow): OwnedObject {
  return {
    kind: row.kind,
    id: row.id,
    organizationId: row.organization_id,
    keyId: row.key_id,
    userId: row.user_id,
    target: row.target,
    createdAtMs: row.created_at.getTime(),
    settledAtMs: row.settled_at?.getTime() ?? null,
  };
}
