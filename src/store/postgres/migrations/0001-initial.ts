import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

const DIRECTORY_TABLES = ["organizations", "teams", "users", "api_keys", "budgets"];

/**
 * Who exists. References carry the organisation, so that no record can point into another one.
 */
const DIRECTORY = `
create table weir.organizations (
  id text primary key,
  name text not null,
  status text not null check (status in ('active', 'revoked')),
  time_zone text not null
);
create table weir.teams (
  id text primary key,
  organization_id text not null references weir.organizations,
  name text not null,
  status text not null check (status in ('active', 'revoked')),
  unique (organization_id, id)
);
create table weir.users (
  id text primary key,
  organization_id text not null references weir.organizations,
  team_id text,
  name text not null,
  email text,
  status text not null check (status in ('active', 'revoked')),
  unique (organization_id, id),
  foreign key (organization_id, team_id) references weir.teams (organization_id, id)
);
create table weir.api_keys (
  id text primary key,
  organization_id text not null references weir.organizations,
  team_id text,
  user_id text,
  name text not null,
  key_class text not null check (key_class in ('prod', 'test', 'dev', 'ci')),
  hmac text not null unique,
  hint text not null,
  scope_models text[] not null,
  scope_endpoints text[] not null,
  scope_addresses text[] not null,
  requests_per_minute bigint check (requests_per_minute >= 0),
  tokens_per_minute bigint check (tokens_per_minute >= 0),
  max_concurrent bigint check (max_concurrent >= 0),
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  replaces_key_id text,
  unique (organization_id, id),
  foreign key (organization_id, team_id) references weir.teams (organization_id, id),
  foreign key (organization_id, user_id) references weir.users (organization_id, id),
  foreign key (organization_id, replaces_key_id) references weir.api_keys (organization_id, id)
);
create table weir.budgets (
  id text primary key,
  organization_id text not null references weir.organizations,
  scope text not null check (scope in ('organization', 'team', 'user', 'key')),
  subject_id text not null,
  window_kind text not null check (window_kind in ('day', 'week', 'month', 'total')),
  limit_micro_usd bigint not null check (limit_micro_usd >= 0),
  enforcement text not null check (enforcement in ('hard', 'soft')),
  unique (organization_id, scope, subject_id, window_kind)
);
create table weir.meta (
  name text primary key,
  value bigint not null
);
insert into weir.meta values ('directory_revision', 1)
`;

/**
 * Every committed change of the directory raises the revision and tells listeners. The revision's row stays locked until the
 * change commits, so revisions become visible in their order. A statement that changed no row is no change.
 */
const REVISION = `
create function weir.raise_directory_revision() returns trigger language plpgsql as $$
declare
  raised bigint;
begin
  if tg_op <> 'TRUNCATE' then
    if not exists (select from changed) then
      return null;
    end if;
  end if;
  update weir.meta set value = value + 1 where name = 'directory_revision' returning value into raised;
  perform pg_notify('weir_directory', raised::text);
  return null;
end
$$
`;

function revisionTriggers(table: string): string {
  return `
create trigger revision_insert after insert on weir.${table}
  referencing new table as changed execute function weir.raise_directory_revision();
create trigger revision_update after update on weir.${table}
  referencing new table as changed execute function weir.raise_directory_revision();
create trigger revision_delete after delete on weir.${table}
  referencing old table as changed execute function weir.raise_directory_revision();
create trigger revision_truncate after truncate on weir.${table}
  execute function weir.raise_directory_revision()
`;
}

/**
 * What was used. Entries refer to the directory by id only: a row must be storable whatever became of its key. Names follow
 * `Entry`. Most windows end now, and rows come nearly in the order of admission, so a block range index finds the edges of a
 * window across organisations at almost no cost to writing.
 */
const USAGE = `
create table weir.usage_entries (
  exchange_id text not null,
  attempt integer not null,
  attempts integer not null,
  organization_id text not null,
  team_id text,
  user_id text,
  key_id text not null,
  user_type text not null,
  session_id text,
  agent_id text,
  parent_agent_id text,
  endpoint text not null,
  model_asked text not null,
  model_served text not null,
  target text,
  stream boolean not null,
  status integer not null,
  outcome text not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_write_5m_tokens bigint not null,
  cache_write_1h_tokens bigint not null,
  cache_read_tokens bigint not null,
  web_search_requests bigint not null,
  service_tier text,
  speed text,
  inference_geo text,
  usage_source text not null,
  cost_micro_usd bigint not null,
  reserved_micro_usd bigint not null,
  price_version text not null,
  admitted_at timestamptz not null,
  settled_at timestamptz not null,
  latency_ms double precision not null,
  time_to_first_token_ms double precision,
  upstream_request_id text,
  primary key (exchange_id, attempt)
);
create index usage_entries_by_organization on weir.usage_entries (organization_id, admitted_at);
create index usage_entries_by_session on weir.usage_entries (organization_id, session_id, admitted_at)
  where session_id is not null;
create index usage_entries_by_time on weir.usage_entries using brin (admitted_at) with (pages_per_range = 32, autosummarize);
create table weir.ship_cursors (
  journal_id text primary key,
  segment bigint not null,
  byte_offset bigint not null
);
create table weir.usage_set_aside (
  id bigint generated always as identity primary key,
  journal_id text not null,
  entry bytea not null,
  reason text not null,
  set_aside_at timestamptz not null default now()
)
`;

/**
 * Sums of entries by the hour and by the day, UTC, maintained in the statement that stores the entries. The current rows are
 * updated with every batch: the space left in each page lets that happen without touching the index.
 */
function rollup(table: string): string {
  return `
create table weir.${table} (
  starts_at timestamptz not null,
  organization_id text not null,
  team_id text,
  user_id text,
  key_id text not null,
  model_served text not null,
  target text,
  requests bigint not null,
  input_tokens bigint not null,
  output_tokens bigint not null,
  cache_read_tokens bigint not null,
  cache_write_tokens bigint not null,
  cost_micro_usd bigint not null,
  unique nulls not distinct (starts_at, organization_id, key_id, model_served, target, user_id, team_id)
) with (fillfactor = 70)
`;
}

const OWNED_OBJECTS = `
create table weir.owned_objects (
  kind text not null check (kind in ('batch', 'file')),
  id text not null,
  organization_id text not null,
  key_id text not null,
  user_id text,
  target text not null,
  created_at timestamptz not null,
  settled_at timestamptz,
  primary key (kind, id)
);
create index owned_objects_by_owner on weir.owned_objects
  (organization_id, kind, coalesce(user_id, key_id), created_at, id);
create index owned_objects_unsettled on weir.owned_objects (created_at, id) where kind = 'batch' and settled_at is null
`;

const STATEMENTS = [
  DIRECTORY,
  REVISION,
  ...DIRECTORY_TABLES.map(revisionTriggers),
  USAGE,
  rollup("usage_hourly"),
  rollup("usage_daily"),
  OWNED_OBJECTS,
];

export const initial: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
