import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/** What running Weirs keep in memory: a change of these raises the directory's revision, as 0001 does for its tables. */
const WATCHED = ["spend_limits", "spend_raises", "spend_members", "key_tags"];

/**
 * Limits of this version stand in a table of their own: a replica of the version before reads `budgets` alone, and would take
 * a limit per seat for a limit of the whole team. `budgets` stays in force and is read together with it.
 */
const LIMITS = `
create table weir.spend_limits (
  id text primary key,
  organization_id text not null references weir.organizations,
  scope text not null check (scope in ('organization', 'team', 'group', 'user', 'key', 'tag')),
  subject_id text not null,
  sharing text not null check (sharing in ('shared', 'seat')),
  window_kind text not null check (window_kind in ('day', 'week', 'month', 'total')),
  limit_micro_usd bigint check (limit_micro_usd >= 0),
  enforcement text not null check (enforcement in ('hard', 'soft')),
  paused boolean not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  unique (organization_id, scope, subject_id, sharing, window_kind)
);
create index spend_limits_by_creation on weir.spend_limits (organization_id, created_at, id);
create table weir.spend_raises (
  id text primary key,
  organization_id text not null references weir.organizations,
  scope text not null check (scope in ('organization', 'team', 'user', 'key', 'tag')),
  subject_id text not null,
  window_kind text not null check (window_kind in ('day', 'week', 'month', 'total')),
  add_micro_usd bigint not null check (add_micro_usd > 0),
  reason text not null,
  created_by text not null,
  from_at timestamptz not null,
  until_at timestamptz not null
);
create index spend_raises_by_end on weir.spend_raises (until_at);
create table weir.spend_members (
  organization_id text not null,
  user_id text not null,
  subject text,
  groups text[] not null,
  seen_at timestamptz not null,
  primary key (organization_id, user_id),
  foreign key (organization_id, user_id) references weir.users (organization_id, id) on delete cascade
);
create table weir.key_tags (
  organization_id text not null,
  key_id text not null,
  tag text not null,
  primary key (organization_id, key_id),
  foreign key (organization_id, key_id) references weir.api_keys (organization_id, id)
)
`;

/** The trail of changes, written with them, and which alerts were given. Neither changes what admission knows. */
const TRAIL = `
create table weir.spend_events (
  id bigint generated always as identity primary key,
  organization_id text not null references weir.organizations,
  at timestamptz not null,
  actor text not null,
  action text not null,
  target_id text not null,
  before jsonb,
  after jsonb,
  reason text
);
create index spend_events_by_organization on weir.spend_events (organization_id, id);
create table weir.budget_alerts (
  organization_id text not null,
  scope text not null,
  subject_id text not null,
  window_kind text not null,
  window_start timestamptz not null,
  threshold_percent integer not null,
  fired_at timestamptz not null,
  limit_micro_usd bigint not null,
  spent_micro_usd bigint not null,
  leased_until timestamptz not null,
  delivered_at timestamptz,
  primary key (organization_id, scope, subject_id, window_kind, window_start, threshold_percent)
);
create index budget_alerts_by_time on weir.budget_alerts (fired_at);
create index budget_alerts_undelivered on weir.budget_alerts (leased_until) where delivered_at is null
`;

/**
 * What sign-in sees of a person is remembered as it is stored, so that limits by group hold for the person's keys as well, and
 * on replicas that the person has not called. Seen again and unchanged is a change once a day alone.
 */
const SIGN_IN = `
create function weir.remember_member() returns trigger language plpgsql as $$
begin
  insert into weir.spend_members as known (organization_id, user_id, subject, groups, seen_at)
  values (new.organization_id, new.user_id, new.subject, new.groups, now())
  on conflict (organization_id, user_id) do update
  set subject = excluded.subject, groups = excluded.groups, seen_at = excluded.seen_at
  where known.groups is distinct from excluded.groups or known.subject is distinct from excluded.subject
    or known.seen_at < excluded.seen_at - interval '1 day';
  return null;
end
$$;
create trigger remember_member after insert or update on weir.sign_in_sessions
  for each row execute function weir.remember_member()
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

export const spendLimits: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of [LIMITS, TRAIL, SIGN_IN, ...WATCHED.map(revisionTriggers)]) {
      await sql.raw(statement).execute(db);
    }
  },
};
