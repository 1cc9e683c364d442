import { type Kysely, sql } from "kysely";

import type {
  BudgetRecord,
  DirectorySnapshot,
  DirectoryStore,
  FirstRecords,
  KeyRecord,
  OrganizationRecord,
  TeamRecord,
  UserRecord,
} from "../ports/directory.ts";
import { budgetFromRow, budgetToRow, keyFromRow, keyToRow } from "./directory-rows.ts";
import type { RevisionListener } from "./revision-listener.ts";
import { mapped } from "./map-error.ts";
import { readRevision } from "./directory-revision.ts";
import type { Database } from "./schema.ts";

const TABLE_OF = { organization: "organizations", team: "teams", user: "users" } as const;

/** The directory in PostgreSQL. Triggers of the schema count and announce its changes. */
export class PostgresDirectoryStore implements DirectoryStore {
  readonly #db: Kysely<Database>;
  readonly #listener: RevisionListener;

  constructor(db: Kysely<Database>, listener: RevisionListener) {
    this.#db = db;
    this.#listener = listener;
  }

  load(): Promise<DirectorySnapshot> {
    return mapped("reading the directory", () =>
      this.#db
        .transaction()
        .setIsolationLevel("repeatable read")
        .setAccessMode("read only")
        .execute(async (db) => ({
          revision: await readRevision(db),
          organizations: await db
            .selectFrom("organizations")
            .select(["id", "name", "status", "time_zone as timeZone"])
            .orderBy("id")
            .execute(),
          teams: await db
            .selectFrom("teams")
            .select(["id", "organization_id as organizationId", "name", "status"])
            .orderBy("id")
            .execute(),
          users: await db
            .selectFrom("users")
            .select(["id", "organization_id as organizationId", "team_id as teamId", "name", "email", "status"])
            .orderBy("id")
            .execute(),
          keys: (await db.selectFrom("api_keys").selectAll().orderBy("id").execute()).map(keyFromRow),
          budgets: (await db.selectFrom("budgets").selectAll().orderBy("id").execute()).map(budgetFromRow),
        })),
    );
  }

  subscribe(onChange: () => void): Promise<() => Promise<void>> {
    return mapped("subscribing to the directory", () => this.#listener.subscribe(onChange));
  }

  async createFirst({ organization, user, key }: FirstRecords): Promise<boolean> {
    return await mapped("creating the first organisation", () =>
      this.#db.transaction().execute(async (db) => {
        // Readers go on; a second process that would create waits here, and then finds what the first one made.
        await sql`lock table weir.organizations in share row exclusive mode`.execute(db);
        if ((await db.selectFrom("organizations").select("id").limit(1).execute()).length > 0) return false;
        await insertOrganization(db, organization);
        await insertUser(db, user);
        await insertKey(db, key);
        return true;
      }),
    );
  }

  async createOrganization(record: OrganizationRecord): Promise<void> {
    await mapped(`creating organisation ${record.id}`, () => insertOrganization(this.#db, record));
  }

  async createTeam(record: TeamRecord): Promise<void> {
    const { id, organizationId, name, status } = record;
    await mapped(`creating team ${id}`, () =>
      this.#db.insertInto("teams").values({ id, organization_id: organizationId, name, status }).execute(),
    );
  }

  async createUser(record: UserRecord): Promise<void> {
    await mapped(`creating user ${record.id}`, () => insertUser(this.#db, record));
  }

  async updateUser({ id, organizationId, teamId, name, email }: Omit<UserRecord, "status">): Promise<boolean> {
    return await mapped(`changing user ${id}`, async () => {
      const result = await this.#db
        .updateTable("users")
        .set({ team_id: teamId, name, email })
        .where("organization_id", "=", organizationId)
        .where("id", "=", id)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n;
    });
  }

  async createKey(record: KeyRecord): Promise<void> {
    await mapped(`creating key ${record.id}`, () => insertKey(this.#db, record));
  }

  async revokeKey(keyId: string, atMs: number): Promise<boolean> {
    return await mapped(`revoking key ${keyId}`, async () => {
      const result = await this.#db
        .updateTable("api_keys")
        .set({ revoked_at: new Date(atMs) })
        .where("id", "=", keyId)
        .where("revoked_at", "is", null)
        .executeTakeFirst();
      return result.numUpdatedRows > 0n || (await this.#keyExists(keyId));
    });
  }

  async expireKey(keyId: string, atMs: number): Promise<boolean> {
    return await mapped(`setting the expiry of key ${keyId}`, async () => {
      const at = new Date(atMs);
      const result = await this.#db
        .updateTable("api_keys")
        .set({ expires_at: at })
        .where("id", "=", keyId)
        .where((where) => where.or([where("expires_at", "is", null), where("expires_at", ">", at)]))
        .executeTakeFirst();
      return result.numUpdatedRows > 0n || (await this.#keyExists(keyId));
    });
  }

  async setStatus(kind: "organization" | "team" | "user", id: string, status: "active" | "revoked"): Promise<boolean> {
    const table = sql.table(`weir.${TABLE_OF[kind]}`);
    return await mapped(`setting the status of ${kind} ${id}`, async () => {
      const changed = sql`update ${table} set status = ${status} where id = ${id} and status <> ${status} returning id`;
      if ((await changed.execute(this.#db)).rows.length > 0) return true;
      return (await sql`select from ${table} where id = ${id}`.execute(this.#db)).rows.length > 0;
    });
  }

  async putBudget(record: BudgetRecord): Promise<void> {
    const row = budgetToRow(record);
    await mapped(`setting budget ${record.id}`, () =>
      this.#db
        .insertInto("budgets")
        .values(row)
        .onConflict((conflict) =>
          conflict
            .columns(["organization_id", "scope", "subject_id", "window_kind"])
            .doUpdateSet({ id: row.id, limit_micro_usd: row.limit_micro_usd, enforcement: row.enforcement }),
        )
        .execute(),
    );
  }

  async removeBudget(organizationId: string, budgetId: string): Promise<boolean> {
    return await mapped(`removing budget ${budgetId}`, async () => {
      const result = await this.#db
        .deleteFrom("budgets")
        .where("organization_id", "=", organizationId)
        .where("id", "=", budgetId)
        .executeTakeFirst();
      return result.numDeletedRows > 0n;
    });
  }

  async #keyExists(keyId: string): Promise<boolean> {
    const row = await this.#db.selectFrom("api_keys").select("id").where("id", "=", keyId).executeTakeFirst();
    return row !== undefined;
  }
}

async function insertOrganization(db: Kysely<Database>, record: OrganizationRecord): Promise<void> {
  const { id, name, status, timeZone } = record;
  await db.insertInto("organizations").values({ id, name, status, time_zone: timeZone }).execute();
}

async function insertUser(db: Kysely<Database>, record: UserRecord): Promise<void> {
  const { id, organizationId, teamId, name, email, status } = record;
  await db
    .insertInto("users")
    .values({ id, organization_id: organizationId, team_id: teamId, name, email, status })
    .execute();
}

async function insertKey(db: Kysely<Database>, record: KeyRecord): Promise<void> {
  await db.insertInto("api_keys").values(keyToRow(record)).execute();
}
