import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * The audit trail: for each organisation and class a chain of rows (each with the hash of the one before it), signed heads,
 * and signed checkpoints for what retention removed. `before` and `after` are texts, not jsonb: the hash is of their bytes.
 */
const TABLES = `
create table weir.audit_chains (
  organization_id text not null,
  class text not null check (class in ('audit', 'security')),
  seq bigint not null,
  hash bytea not null,
  head_seq bigint not null default 0,
  primary key (organization_id, class)
);
create table weir.audit_rows (
  organization_id text not null,
  class text not null,
  seq bigint not null,
  at_ms bigint not null,
  actor text not null,
  action text not null,
  object text,
  before text,
  after text,
  address text,
  request_id text,
  result text not null,
  reason text,
  prev bytea not null,
  hash bytea not null,
  primary key (organization_id, class, seq)
);
create index audit_rows_by_time on weir.audit_rows (organization_id, at_ms);
create index audit_rows_by_request on weir.audit_rows (organization_id, request_id) where request_id is not null;
create index audit_rows_by_object on weir.audit_rows (organization_id, object) where object is not null;
create table weir.audit_heads (
  organization_id text not null,
  class text not null,
  seq bigint not null,
  hash bytea not null,
  at_ms bigint not null,
  key_id text not null,
  signature bytea not null,
  primary key (organization_id, class, seq, key_id)
);
create table weir.audit_checkpoints (
  organization_id text not null,
  class text not null,
  seq bigint not null,
  hash bytea not null,
  at_ms bigint not null,
  removed bigint not null,
  key_id text not null,
  signature bytea not null,
  primary key (organization_id, class, seq)
)
`;

/**
 * Nothing of it is changed. Rows and heads are removed only up to a checkpoint that stands in its table by then; a chain's
 * tip only moves on.
 */
const PROTECTION = `
create function weir.refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'weir.% is append-only: % is refused', tg_table_name, lower(tg_op);
end
$$;
create function weir.refuse_audit_removal() returns trigger language plpgsql as $$
begin
  if exists (
    select from removed r where not exists (
      select from weir.audit_checkpoints c
      where c.organization_id = r.organization_id and c.class = r.class and c.seq >= r.seq
    )
  ) then
    raise exception 'weir.% is append-only: delete is refused without a checkpoint', tg_table_name;
  end if;
  return null;
end
$$;
create function weir.refuse_audit_rewind() returns trigger language plpgsql as $$
begin
  if new.seq < old.seq or new.head_seq < old.head_seq
    or (new.organization_id, new.class) is distinct from (old.organization_id, old.class)
    or (new.seq = old.seq and new.hash <> old.hash) then
    raise exception 'weir.audit_chains only moves on';
  end if;
  return new;
end
$$
`;

function appendOnly(table: string): string {
  return `
create trigger no_update before update on weir.${table} for each statement execute function weir.refuse_audit_change();
create trigger no_truncate before truncate on weir.${table} for each statement execute function weir.refuse_audit_change()
`;
}

function removedWithCheckpoint(table: string): string {
  return `
create trigger no_delete after delete on weir.${table} referencing old table as removed
  for each statement execute function weir.refuse_audit_removal()
`;
}

function neverRemoved(table: string): string {
  return `
create trigger no_delete before delete on weir.${table} for each statement execute function weir.refuse_audit_change()
`;
}

const CHAINS = `
create trigger no_rewind before update on weir.audit_chains for each row execute function weir.refuse_audit_rewind();
create trigger no_truncate before truncate on weir.audit_chains
  for each statement execute function weir.refuse_audit_change()
`;

const STATEMENTS = [
  TABLES,
  PROTECTION,
  appendOnly("audit_rows"),
  appendOnly("audit_heads"),
  appendOnly("audit_checkpoints"),
  removedWithCheckpoint("audit_rows"),
  removedWithCheckpoint("audit_heads"),
  neverRemoved("audit_checkpoints"),
  neverRemoved("audit_chains"),
  CHAINS,
];

export const audit: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
  },
};
