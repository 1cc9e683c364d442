import { type Kysely, sql, type Transaction } from "kysely";

import type {
  AlertMark,
  MemberRecord,
  RaiseRecord,
  SpendAct,
  SpendEvent,
  SpendLimitRecord,
  SpendLimitStore,
  SpendPlan,
  SpendRetention,
} from "../ports/spend-limits.ts";
import { mapped } from "./map-error.ts";
import type { Database } from "./schema.ts";
import {
  eventFromRow,
  limitFromRow,
  limitToRow,
  markFromRow,
  markToRow,
  raiseFromRow,
  raiseToRow,
} from "./spend-rows.ts";

/** A change and what it was done to, for the trail. */
interface Change {
  readonly organizationId: string;
  readonly action: string;
  readonly targetId: string;
  readonly before: object | null;
  readonly after: object | null;
}

/** Spend limits in PostgreSQL. Triggers of the schema announce changes as changes of the directory. */
export class PostgresSpendLimitStore implements SpendLimitStore {
  readonly #db: Kysely<Database>;

  constructor(db: Kysely<Database>) {
    this.#db = db;
  }

  async load(nowMs: number): Promise<SpendPlan> {
    return await mapped("reading spend limits", () =>
      this.#db
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute(async (db) => ({
          limits: (await db.selectFrom("spend_limits").selectAll().orderBy("id").execute()).map(limitFromRow),
          raises: (
            await db
              .selectFrom("spend_raises")
              .selectAll()
              .where("until_at", ">", new Date(nowMs))
              .orderBy("id")
              .execute()
          ).map(raiseFromRow),
          members: (await db.selectFrom("spend_members").selectAll().execute()).map((row) => ({
            organizationId: row.organization_id,
            userId: row.user_id,
            subject: row.subject,
            groups: row.groups,
            seenAtMs: row.seen_at.getTime(),
          })),
          keyTags: await db
            .selectFrom("key_tags")
            .select(["organization_id as organizationId", "key_id as keyId", "tag"])
            .execute(),
        })),
    );
  }

  async list(organizationId: string): Promise<readonly SpendLimitRecord[]> {
    return await mapped("listing spend limits", async () => {
      const rows = await this.#db
        .selectFrom("spend_limits")
        .selectAll()
        .where("organization_id", "=", organizationId)
        .orderBy("created_at")
        .orderBy("id")
        .execute();
      return rows.map(limitFromRow);
    });
  }

  async put(record: SpendLimitRecord, act: SpendAct): Promise<SpendLimitRecord> {
    const { organizationId } = record;
    return await this.#change(`setting spend limit ${record.id}`, async (db) => {
      // Writers of one organisation's limits go one after the other, so that what was there before is what is replaced.
      await sql`select pg_advisory_xact_lock(hashtext(${`spend_limits ${organizationId}`}))`.execute(db);
      const known = await db
        .selectFrom("spend_limits")
        .selectAll()
        .where("organization_id", "=", organizationId)
        .where("scope", "=", record.scope)
        .where("subject_id", "=", record.subjectId)
        .where("sharing", "=", record.sharing)
        .where("window_kind", "=", record.window)
        .executeTakeFirst();
      const before = known === undefined ? null : limitFromRow(known);
      const after = before === null ? record : { ...record, id: before.id, createdAtMs: before.createdAtMs };
      const row = limitToRow(after);
      if (before === null) await db.insertInto("spend_limits").values(row).execute();
      else await db.updateTable("spend_limits").set(row).where("id", "=", before.id).execute();
      if (record.sharing === "shared") await forgetOlderForm(db, record);
      const change = { organizationId, action: "spend_limit.upsert", targetId: after.id, before, after };
      await addEvent(db, change, act);
      return after;
    });
  }

  async remove(organizationId: string, id: string, act: SpendAct): Promise<SpendLimitRecord | null> {
    return await this.#change(`removing spend limit ${id}`, async (db) => {
      const row = await db
        .deleteFrom("spend_limits")
        .where("organization_id", "=", organizationId)
        .where("id", "=", id)
        .returningAll()
        .executeTakeFirst();
      if (row === undefined) return null;
      const before = limitFromRow(row);
      await addEvent(db, { organizationId, action: "spend_limit.delete", targetId: id, before, after: null }, act);
      return before;
    });
  }

  async addRaise(raise: RaiseRecord, act: SpendAct): Promise<void> {
    const { organizationId, id } = raise;
    await this.#change(`adding increase ${id}`, async (db) => {
      await db.insertInto("spend_raises").values(raiseToRow(raise)).execute();
      await addEvent(
        db,
        { organizationId, action: "spend_raise.create", targetId: id, before: null, after: raise },
        act,
      );
    });
  }

  async endRaise(organizationId: string, id: string, act: SpendAct): Promise<RaiseRecord | null> {
    return await this.#change(`ending increase ${id}`, async (db) => {
      const at = new Date(act.atMs);
      const row = await db
        .selectFrom("spend_raises")
        .selectAll()
        .where("organization_id", "=", organizationId)
        .where("id", "=", id)
        .where("until_at", ">", at)
        .forUpdate()
        .executeTakeFirst();
      if (row === undefined) return null;
      await db.updateTable("spend_raises").set({ until_at: at }).where("id", "=", id).execute();
      const before = raiseFromRow(row);
      const after = { ...before, untilMs: act.atMs };
      await addEvent(db, { organizationId, action: "spend_raise.end", targetId: id, before, after }, act);
      return after;
    });
  }

  async setKeyTag(
    { organizationId, keyId }: { organizationId: string; keyId: string },
    tag: string | null,
    act: SpendAct,
  ): Promise<void> {
    await this.#change(`setting the tag of key ${keyId}`, async (db) => {
      const removed = await db
        .deleteFrom("key_tags")
        .where("organization_id", "=", organizationId)
        .where("key_id", "=", keyId)
        .returning("tag")
        .executeTakeFirst();
      if (tag !== null) {
        await db.insertInto("key_tags").values({ organization_id: organizationId, key_id: keyId, tag }).execute();
      }
      const before = removed === undefined ? null : { tag: removed.tag };
      const after = tag === null ? null : { tag };
      await addEvent(db, { organizationId, action: "key_tag.set", targetId: keyId, before, after }, act);
    });
  }

  async rememberMember({ organizationId, userId, subject, groups, seenAtMs }: MemberRecord): Promise<void> {
    const seen = new Date(seenAtMs);
    const row = { organization_id: organizationId, user_id: userId, subject, groups: [...groups], seen_at: seen };
    await mapped(`remembering the groups of user ${userId}`, () =>
      this.#db
        .insertInto("spend_members")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["organization_id", "user_id"])
            .doUpdateSet({ subject, groups: row.groups, seen_at: seen })
            // Seen again and unchanged is no change of the directory, but for once a day, which keeps the row alive.
            .where((where) =>
              where.or([
                sql<boolean>`spend_members.groups is distinct from excluded.groups`,
                sql<boolean>`spend_members.subject is distinct from excluded.subject`,
                sql<boolean>`spend_members.seen_at < excluded.seen_at - interval '1 day'`,
              ]),
            ),
        )
        .execute(),
    );
  }

  async events(
    organizationId: string,
    { limit, afterId }: { readonly limit: number; readonly afterId?: number },
  ): Promise<readonly SpendEvent[]> {
    return await mapped("reading changes of spend limits", async () => {
      let select = this.#db.selectFrom("spend_events").selectAll().where("organization_id", "=", organizationId);
      if (afterId !== undefined) select = select.where("id", "<", afterId);
      return (await select.orderBy("id", "desc").limit(limit).execute()).map(eventFromRow);
    });
  }

  async marks(sinceMs: number): Promise<readonly AlertMark[]> {
    return await mapped("reading budget alerts", async () => {
      const rows = await this.#db
        .selectFrom("budget_alerts")
        .selectAll()
        .where((where) => where.or([where("fired_at", ">=", new Date(sinceMs)), where("window_kind", "=", "total")]))
        .execute();
      return rows.map(markFromRow);
    });
  }

  async claimMark(mark: AlertMark, leaseUntilMs: number): Promise<boolean> {
    return await mapped("claiming a budget alert", async () => {
      const result = await this.#db
        .insertInto("budget_alerts")
        .values(markToRow(mark, leaseUntilMs))
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return (result.numInsertedOrUpdatedRows ?? 0n) > 0n;
    });
  }

  async claimUndelivered(nowMs: number, leaseUntilMs: number): Promise<readonly AlertMark[]> {
    return await mapped("claiming budget alerts that were not delivered", async () => {
      const rows = await this.#db
        .updateTable("budget_alerts")
        .set({ leased_until: new Date(leaseUntilMs) })
        .where("delivered_at", "is", null)
        .where("leased_until", "<=", new Date(nowMs))
        .returningAll()
        .execute();
      return rows.map(markFromRow);
    });
  }

  async delivered(mark: AlertMark, atMs: number): Promise<void> {
    await mapped("noting that a budget alert was delivered", () =>
      this.#db
        .updateTable("budget_alerts")
        .set({ delivered_at: new Date(atMs) })
        .where("organization_id", "=", mark.organizationId)
        .where("scope", "=", mark.scope)
        .where("subject_id", "=", mark.subjectId)
        .where("window_kind", "=", mark.window)
        .where("window_start", "=", new Date(mark.windowStartMs))
        .where("threshold_percent", "=", mark.thresholdPercent)
        .execute(),
    );
  }

  async prune({ eventsBeforeMs, membersBeforeMs, marksBeforeMs }: SpendRetention): Promise<void> {
    await mapped("forgetting what is older than it is kept", async () => {
      await this.#db.deleteFrom("spend_events").where("at", "<", new Date(eventsBeforeMs)).execute();
      await this.#db.deleteFrom("spend_members").where("seen_at", "<", new Date(membersBeforeMs)).execute();
      // A total never begins anew: what was told of it stays told.
      await this.#db
        .deleteFrom("budget_alerts")
        .where("fired_at", "<", new Date(marksBeforeMs))
        .where("window_kind", "<>", "total")
        .execute();
    });
  }

  #change<T>(what: string, work: (db: Transaction<Database>) => Promise<T>): Promise<T> {
    return mapped(what, () => this.#db.transaction().execute(work));
  }
}

/** The same limit as an earlier version wrote it: otherwise it would come back when this one is removed. */
async function forgetOlderForm(db: Transaction<Database>, record: SpendLimitRecord): Promise<void> {
  const { organizationId, scope, subjectId, window } = record;
  if (scope === "group" || scope === "tag") return;
  await db
    .deleteFrom("budgets")
    .where("organization_id", "=", organizationId)
    .where("scope", "=", scope)
    .where("subject_id", "=", subjectId)
    .where("window_kind", "=", window)
    .execute();
}

async function addEvent(db: Transaction<Database>, change: Change, act: SpendAct): Promise<void> {
  const json = (record: object | null): string | null => (record === null ? null : JSON.stringify(record));
  await db
    .insertInto("spend_events")
    .values({
      organization_id: change.organizationId,
      at: new Date(act.atMs),
      actor: act.actor,
      action: change.action,
      target_id: change.targetId,
      before: json(change.before),
      after: json(change.after),
      reason: act.reason,
    })
    .execute();
}
