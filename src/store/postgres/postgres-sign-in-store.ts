import { type Kysely, sql } from "kysely";

import type {
  DeviceGrant,
  GrantApproval,
  GrantPoll,
  RefreshClaim,
  RefreshTokenRecord,
  RevokedSession,
  Rotation,
  SessionRecord,
  SignInLink,
  SignInStore,
} from "../ports/sign-in.ts";
import { mapped } from "./map-error.ts";
import type { RevisionListener } from "./revision-listener.ts";
import type { Database } from "./schema.ts";
import {
  approvalFromRow,
  grantFromRow,
  sessionFromRow,
  sessionToRow,
  tokenFromRow,
  tokenToRow,
} from "./sign-in-rows.ts";

/** Sign-in in PostgreSQL, shared by all replicas. */
export class PostgresSignInStore implements SignInStore {
  readonly #db: Kysely<Database>;
  readonly #listener: RevisionListener;

  constructor(db: Kysely<Database>, listener: RevisionListener) {
    this.#db = db;
    this.#listener = listener;
  }

  async link(organizationId: string, issuer: string, subject: string): Promise<SignInLink | null> {
    return await mapped("looking a person up", async () => {
      const row = await this.#db
        .selectFrom("sign_in_links")
        .select("user_id")
        .where("organization_id", "=", organizationId)
        .where("issuer", "=", issuer)
        .where("subject", "=", subject)
        .executeTakeFirst();
      return row === undefined ? null : { organizationId, issuer, subject, userId: row.user_id };
    });
  }

  async isLinked(organizationId: string, userId: string): Promise<boolean> {
    return await mapped("looking a user's links up", async () => {
      const row = await this.#db
        .selectFrom("sign_in_links")
        .select("user_id")
        .where("organization_id", "=", organizationId)
        .where("user_id", "=", userId)
        .executeTakeFirst();
      return row !== undefined;
    });
  }

  async addLink({ organizationId, issuer, subject, userId }: SignInLink): Promise<boolean> {
    return await mapped("linking a person", async () => {
      const result = await this.#db
        .insertInto("sign_in_links")
        .values({ organization_id: organizationId, issuer, subject, user_id: userId })
        .onConflict((conflict) => conflict.doNothing())
        .executeTakeFirst();
      return result.numInsertedOrUpdatedRows === 1n;
    });
  }

  async createGrant(grant: DeviceGrant): Promise<void> {
    await mapped("creating a device grant", () =>
      this.#db
        .insertInto("device_grants")
        .values({
          device_hmac: grant.deviceHmac,
          user_hmac: grant.userHmac,
          status: "pending",
          created_at: new Date(grant.createdAtMs),
          expires_at: new Date(grant.expiresAtMs),
          address: grant.address,
          polled_at: null,
          approval: null,
        })
        .execute(),
    );
  }

  async pendingGrant(userHmac: string, nowMs: number): Promise<DeviceGrant | null> {
    return await mapped("looking a device's code up", async () => {
      const row = await this.#db
        .selectFrom("device_grants")
        .selectAll()
        .where("user_hmac", "=", userHmac)
        .where("status", "=", "pending")
        .where("expires_at", ">", new Date(nowMs))
        .executeTakeFirst();
      return row === undefined ? null : grantFromRow(row);
    });
  }

  async approveGrant(deviceHmac: string, approval: GrantApproval, nowMs: number): Promise<boolean> {
    return await this.#decide(deviceHmac, nowMs, { status: "approved", approval: JSON.stringify(approval) });
  }

  async denyGrant(deviceHmac: string, nowMs: number): Promise<boolean> {
    return await this.#decide(deviceHmac, nowMs, { status: "denied", approval: null });
  }

  async pollGrant(deviceHmac: string, nowMs: number, minIntervalMs: number): Promise<GrantPoll> {
    return await mapped("answering a device", () =>
      this.#db.transaction().execute(async (db): Promise<GrantPoll> => {
        const grants = db.selectFrom("device_grants").selectAll().where("device_hmac", "=", deviceHmac);
        const row = await grants.forUpdate().executeTakeFirst();
        if (row === undefined) return { state: "unknown" };
        if (nowMs >= row.expires_at.getTime()) return { state: "expired" };
        const approval = approvalFromRow(row);
        const isReady = approval !== null && nowMs >= approval.readyAtMs;
        if (row.status === "denied" || isReady) {
          await db.deleteFrom("device_grants").where("device_hmac", "=", deviceHmac).execute();
          return isReady ? { state: "approved", approval } : { state: "denied" };
        }
        const polled_at = new Date(nowMs);
        await db.updateTable("device_grants").set({ polled_at }).where("device_hmac", "=", deviceHmac).execute();
        const tooFast = row.polled_at !== null && nowMs - row.polled_at.getTime() < minIntervalMs;
        return { state: tooFast ? "too_fast" : "pending" };
      }),
    );
  }

  async createSession(session: SessionRecord, token: RefreshTokenRecord | null): Promise<void> {
    await mapped("creating a session", () =>
      this.#db.transaction().execute(async (db) => {
        await db.insertInto("sign_in_sessions").values(sessionToRow(session)).execute();
        if (token !== null) await insertToken(db, token);
      }),
    );
  }

  async session(sessionId: string): Promise<SessionRecord | null> {
    return await mapped("reading a session", async () => {
      const row = await this.#db
        .selectFrom("sign_in_sessions")
        .selectAll()
        .where("id", "=", sessionId)
        .executeTakeFirst();
      return row === undefined ? null : sessionFromRow(row);
    });
  }

  async claimRefresh(hmac: string, nowMs: number, claimUntilMs: number): Promise<RefreshClaim> {
    return await mapped("reading a refresh token", () =>
      this.#db.transaction().execute(async (db): Promise<RefreshClaim> => {
        const row = await db
          .selectFrom("refresh_tokens")
          .selectAll()
          .where("hmac", "=", hmac)
          .forUpdate()
          .executeTakeFirst();
        if (row === undefined) return { state: "unknown" };
        const token = tokenFromRow(row);
        const found = await db
          .selectFrom("sign_in_sessions")
          .selectAll()
          .where("id", "=", row.session_id)
          .executeTakeFirstOrThrow();
        const session = sessionFromRow(found);
        if (token.rotatedAtMs !== null) return { state: "rotated", token, session };
        if (row.claimed_until !== null && nowMs < row.claimed_until.getTime()) return { state: "busy" };
        const claimed_until = new Date(claimUntilMs);
        await db.updateTable("refresh_tokens").set({ claimed_until }).where("hmac", "=", hmac).execute();
        return { state: "claimed", token, session };
      }),
    );
  }

  async releaseRefresh(hmac: string): Promise<void> {
    await mapped("releasing a refresh token", () =>
      this.#db.updateTable("refresh_tokens").set({ claimed_until: null }).where("hmac", "=", hmac).execute(),
    );
  }

  async rotateRefresh(rotation: Rotation): Promise<boolean> {
    const { hmac, atMs, sealedSuccessor, successor, facts, sessionExpiresAtMs } = rotation;
    return await mapped("rotating a refresh token", () =>
      this.#db.transaction().execute(async (db) => {
        const live = await db
          .updateTable("sign_in_sessions")
          .set({
            email: facts.email,
            groups: [...facts.groups],
            role: facts.role,
            expires_at: new Date(sessionExpiresAtMs),
          })
          .where("id", "=", successor.sessionId)
          .where("revoked_at", "is", null)
          .executeTakeFirst();
        if (live.numUpdatedRows === 0n) return false;
        const old = await db
          .updateTable("refresh_tokens")
          .set({ rotated_at: new Date(atMs), sealed_successor: sealedSuccessor, sealed_idp_refresh: null })
          .where("hmac", "=", hmac)
          .where("rotated_at", "is", null)
          .executeTakeFirst();
        if (old.numUpdatedRows === 0n) return false;
        await insertToken(db, successor);
        return true;
      }),
    );
  }

  async revokeSession(sessionId: string, atMs: number, untilMs: number): Promise<boolean> {
    return await mapped("revoking a session", () =>
      this.#db.transaction().execute(async (db) => {
        const ended = await db
          .updateTable("sign_in_sessions")
          .set({ revoked_at: new Date(atMs) })
          .where("id", "=", sessionId)
          .where("revoked_at", "is", null)
          .executeTakeFirst();
        if (ended.numUpdatedRows === 0n) return false;
        await db
          .insertInto("session_revocations")
          .values({ session_id: sessionId, until_at: new Date(untilMs) })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        return true;
      }),
    );
  }

  async revokedSessions(nowMs: number): Promise<readonly RevokedSession[]> {
    return await mapped("reading revoked sessions", async () => {
      const live = this.#db.selectFrom("session_revocations").selectAll().where("until_at", ">", new Date(nowMs));
      const rows = await live.execute();
      return rows.map((row) => ({ sessionId: row.session_id, untilMs: row.until_at.getTime() }));
    });
  }

  subscribe(onChange: () => void): Promise<() => Promise<void>> {
    return mapped("subscribing to revocations", () => this.#listener.subscribe(onChange));
  }

  async countAttempt(name: string, windowMs: number, nowMs: number): Promise<number> {
    const now = new Date(nowMs);
    const ends = new Date(nowMs + windowMs);
    return await mapped("counting an attempt", async () => {
      const counted = sql<{ attempts: number }>`
        insert into weir.sign_in_attempts as kept (name, ends_at, attempts) values (${name}, ${ends}, 1)
        on conflict (name) do update set
          attempts = case when kept.ends_at > ${now} then kept.attempts + 1 else 1 end,
          ends_at = case when kept.ends_at > ${now} then kept.ends_at else excluded.ends_at end
        returning attempts`;
      const { rows } = await counted.execute(this.#db);
      return rows[0]?.attempts ?? 1;
    });
  }

  async purge(nowMs: number): Promise<void> {
    const now = new Date(nowMs);
    await mapped("removing expired sign-ins", async () => {
      await this.#db.deleteFrom("device_grants").where("expires_at", "<=", now).execute();
      await this.#db.deleteFrom("session_revocations").where("until_at", "<=", now).execute();
      await this.#db.deleteFrom("sign_in_sessions").where("expires_at", "<=", now).execute();
      await sql`delete from weir.sign_in_attempts where ends_at <= ${now}`.execute(this.#db);
    });
  }

  async #decide(
    deviceHmac: string,
    nowMs: number,
    change: { status: "approved" | "denied"; approval: string | null },
  ): Promise<boolean> {
    return await mapped("deciding about a device", async () => {
      const result = await this.#db
        .updateTable("device_grants")
        .set(change)
        .where("device_hmac", "=", deviceHmac)
        .where("status", "=", "pending")
        .where("expires_at", ">", new Date(nowMs))
        .executeTakeFirst();
      return result.numUpdatedRows === 1n;
    });
  }
}

async function insertToken(db: Kysely<Database>, token: RefreshTokenRecord): Promise<void> {
  await db.insertInto("refresh_tokens").values(tokenToRow(token)).execute();
}
