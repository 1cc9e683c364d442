import type { ColumnType, Generated, Insertable, Selectable } from "kysely";

/** A point in time; PostgreSQL keeps it with a zone, JavaScript as a Date of whole milliseconds. */
type Time = ColumnType<Date, Date, Date>;

/** An object in a jsonb column, written as its text. */
type Json = ColumnType<Readonly<Record<string, unknown>> | null, string | null, string | null>;

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

interface SpendLimitsTable {
  id: string;
  organization_id: string;
  scope: "organization" | "team" | "group" | "user" | "key" | "tag";
  subject_id: string;
  sharing: "shared" | "seat";
  window_kind: "day" | "week" | "month" | "total";
  limit_micro_usd: number | null;
  enforcement: "hard" | "soft";
  paused: boolean;
  created_at: Time;
  updated_at: Time;
}

interface SpendRaisesTable {
  id: string;
  organization_id: string;
  scope: "organization" | "team" | "user" | "key" | "tag";
  subject_id: string;
  window_kind: "day" | "week" | "month" | "total";
  add_micro_usd: number;
  reason: string;
  created_by: string;
  from_at: Time;
  until_at: Time;
}

interface SpendMembersTable {
  organization_id: string;
  user_id: string;
  subject: string | null;
  groups: string[];
  seen_at: Time;
}

interface KeyTagsTable {
  organization_id: string;
  key_id: string;
  tag: string;
}

interface SpendEventsTable {
  id: Generated<number>;
  organization_id: string;
  at: Time;
  actor: string;
  action: string;
  target_id: string;
  before: Json;
  after: Json;
  reason: string | null;
}

interface BudgetAlertsTable {
  organization_id: string;
  scope: "organization" | "team" | "user" | "key" | "tag";
  subject_id: string;
  window_kind: "day" | "week" | "month" | "total";
  window_start: Time;
  threshold_percent: number;
  fired_at: Time;
  limit_micro_usd: number;
  spent_micro_usd: number;
  leased_until: Time;
  delivered_at: Time | null;
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

interface SignInLinksTable {
  organization_id: string;
  issuer: string;
  subject: string;
  user_id: string;
}

interface DeviceGrantsTable {
  device_hmac: string;
  user_hmac: string;
  status: "pending" | "approved" | "denied";
  created_at: Time;
  expires_at: Time;
  address: string;
  polled_at: Time | null;
  approval: ColumnType<unknown, string | null, string | null>;
}

interface SignInSessionsTable {
  id: string;
  organization_id: string;
  user_id: string;
  issuer: string;
  subject: string;
  email: string | null;
  groups: string[];
  role: string | null;
  created_at: Time;
  expires_at: Time;
  revoked_at: Time | null;
}

interface RefreshTokensTable {
  hmac: string;
  session_id: string;
  issued_at: Time;
  claimed_until: Time | null;
  sealed_idp_refresh: string | null;
  rotated_at: Time | null;
  sealed_successor: string | null;
}

interface SessionRevocationsTable {
  session_id: string;
  until_at: Time;
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
  spend_limits: SpendLimitsTable;
  spend_raises: SpendRaisesTable;
  spend_members: SpendMembersTable;
  key_tags: KeyTagsTable;
  spend_events: SpendEventsTable;
  budget_alerts: BudgetAlertsTable;
  meta: MetaTable;
  owned_objects: OwnedObjectsTable;
  ship_cursors: ShipCursorsTable;
  sign_in_links: SignInLinksTable;
  device_grants: DeviceGrantsTable;
  sign_in_sessions: SignInSessionsTable;
  refresh_tokens: RefreshTokensTable;
  session_revocations: SessionRevocationsTable;
}

export type ApiKeyRow = Selectable<ApiKeysTable>;
export type NewApiKeyRow = Insertable<ApiKeysTable>;
export type BudgetRow = Selectable<BudgetsTable>;
export type SpendLimitRow = Selectable<SpendLimitsTable>;
export type RaiseRow = Selectable<SpendRaisesTable>;
export type SpendEventRow = Selectable<SpendEventsTable>;
export type AlertRow = Selectable<BudgetAlertsTable>;
export type OwnedObjectRow = Selectable<OwnedObjectsTable>;

/** The PostgreSQL schema that holds all of Weir's tables, so that a shared database stays tidy. */
export const SCHEMA = "weir";
