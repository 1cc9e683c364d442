import type { ColumnType, Insertable, Selectable } from "kysely";

/** A point in time; PostgreSQL keeps it with a zone, JavaScript as a Date of whole milliseconds. */
type Time = ColumnType<Date, Date, Date>;

interface OrganizationsTable {
  id: string;
  name: string;
  status: "active" | "revoked";
  time_zone: string;
}

interface TeamsTable {
  id: string;
  organization_id: string;
  name: string;
  status: "active" | "revoked";
}

interface UsersTable {
  id: string;
  organization_id: string;
  team_id: string | null;
  name: string;
  email: string | null;
  status: "active" | "revoked";
}

interface ApiKeysTable {
  id: string;
  organization_id: string;
  team_id: string | null;
  user_id: string | null;
  name: string;
  key_class: "prod" | "test" | "dev" | "ci";
  hmac: string;
  hint: string;
  scope_models: string[];
  scope_endpoints: string[];
  scope_addresses: string[];
  requests_per_minute: number | null;
  tokens_per_minute: number | null;
  max_concurrent: number | null;
  created_at: Time;
  expires_at: Time | null;
  revoked_at: Time | null;
  replaces_key_id: string | null;
}

interface BudgetsTable {
  id: string;
  organization_id: string;
  scope: "organization" | "team" | "user" | "key";
  subject_id: string;
  window_kind: "day" | "week" | "month" | "total";
  limit_micro_usd: number;
  enforcement: "hard" | "soft";
}

interface MetaTable {
  name: string;
  value: number;
}

interface OwnedObjectsTable {
  kind: "batch" | "file";
  id: string;
  organization_id: string;
  key_id: string;
  user_id: string | null;
  target: string;
  created_at: Time;
  settled_at: Time | null;
}

interface ShipCursorsTable {
  journal_id: string;
  segment: number;
  byte_offset: number;
}

/**
 * The tables that are read and written through kysely's builder. Those of usage are written by one statement (ship.ts) and
 * read by composed SQL (usage-report.ts), whose rows are typed there.
 */
export interface Database {
  organizations: OrganizationsTable;
  teams: TeamsTable;
  users: UsersTable;
  api_keys: ApiKeysTable;
  budgets: BudgetsTable;
  meta: MetaTable;
  owned_objects: OwnedObjectsTable;
  ship_cursors: ShipCursorsTable;
}

export type ApiKeyRow = Selectable<ApiKeysTable>;
export type NewApiKeyRow = Insertable<ApiKeysTable>;
export type BudgetRow = Selectable<BudgetsTable>;
export type OwnedObjectRow = Selectable<OwnedObjectsTable>;

/** The PostgreSQL schema that holds all of Weir's tables, so that a shared database stays tidy. */
export const SCHEMA = "weir";
