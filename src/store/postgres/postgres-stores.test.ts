import { Client } from "pg";
import { afterAll, beforeAll } from "vitest";

import { startTestPostgres, type TestPostgres } from "../../../test/harness/postgres.ts";
import { silentLogger } from "../../core/logger.ts";
import { auditContract } from "../ports/audit.contract.ts";
import { directoryContract } from "../ports/directory.contract.ts";
import { ownedObjectsContract } from "../ports/owned-objects.contract.ts";
import { spendLimitsContract } from "../ports/spend-limits.contract.ts";
import { signInContract } from "../ports/sign-in.contract.ts";
import { usageContract } from "../ports/usage.contract.ts";
import { PostgresStore } from "./postgres-store.ts";

const TABLES = [
  "organizations, teams, users, api_keys, budgets",
  "spend_limits, spend_raises, spend_members, key_tags, spend_events, budget_alerts",
  "usage_entries, usage_hourly, usage_daily, usage_set_aside, ship_cursors",
  "owned_objects",
  "sign_in_links, device_grants, sign_in_sessions, refresh_tokens, session_revocations, sign_in_attempts",
].join(", ");

let server: TestPostgres;
let store: PostgresStore;
let admin: Client;

beforeAll(async () => {
  server = await startTestPostgres();
  store = new PostgresStore({ connection: server.connection, logger: silentLogger });
  await store.start();
  admin = new Client({ ...server.connection, options: "-c search_path=weir" });
  await admin.connect();
});
afterAll(async () => {
  await admin.end();
  await store.stop();
  await server.stop();
});

async function open<T>(part: (store: PostgresStore) => T): Promise<{ store: T; close: () => Promise<void> }> {
  await admin.query(`truncate ${TABLES} cascade`);
  return { store: part(store), close: async () => {} };
}

directoryContract(() => open((all) => all.directory));
spendLimitsContract(() => open(({ directory, spendLimits }) => ({ directory, spend: spendLimits })));
usageContract(() => open((all) => all.usage));
ownedObjectsContract(() => open((all) => all.ownedObjects));
// Its tables cannot be emptied: the contract takes organisations of its own.
auditContract(async () => ({ store: store.audit, close: async () => {} }));
signInContract(() => open((all) => all));
