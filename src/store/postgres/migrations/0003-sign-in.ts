import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * Signing in. Codes and refresh tokens are there as HMACs; what a provider gave is sealed under keys that are not in the
 * database. Revocations raise the directory's revision, so that every replica hears of them as it hears of a revoked key.
 */
const TABLES = `
create table weir.sign_in_links (
  organization_id text not null,
  issuer text not null,
  subject text not null,
  user_id text not null,
  primary key (organization_id, issuer, subject),
  foreign key (organization_id, user_id) references weir.users (organization_id, id) on delete cascade
);
create index sign_in_links_by_user on weir.sign_in_links (organization_id, user_id);
create table weir.device_grants (
  device_hmac text primary key,
  user_hmac text not null unique,
  status text not null check (status in ('pending', 'approved', 'denied')),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  address text not null,
  polled_at timestamptz,
  approval jsonb,
  check ((status = 'approved') = (approval is not null))
);
create index device_grants_by_expiry on weir.device_grants (expires_at);
create table weir.sign_in_sessions (
  id text primary key,
  organization_id text not null,
  user_id text not null,
  issuer text not null,
  subject text not null,
  email text,
  groups text[] not null,
  role text,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  revoked_at timestamptz,
  foreign key (organization_id, user_id) references weir.users (organization_id, id) on delete cascade
);
create index sign_in_sessions_by_user on weir.sign_in_sessions (organization_id, user_id);
create index sign_in_sessions_by_expiry on weir.sign_in_sessions (expires_at);
create table weir.refresh_tokens (
  hmac text primary key,
  session_id text not null references weir.sign_in_sessions on delete cascade,
  issued_at timestamptz not null,
  claimed_until timestamptz,
  sealed_idp_refresh text,
  rotated_at timestamptz,
  sealed_successor text,
  check ((rotated_at is null) = (sealed_successor is null))
);
create index refresh_tokens_by_session on weir.refresh_tokens (session_id);
create table weir.session_revocations (
  session_id text primary key,
  until_at timestamptz not null
);
create trigger revision_insert after insert on weir.session_revocations
  referencing new table as changed execute function weir.raise_directory_revision();
create unlogged table weir.sign_in_attempts (
  name text primary key,
  ends_at timestamptz not null,
  attempts bigint not null
);
`;

export const signIn: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    await sql.raw(TABLES).execute(db);
  },
};
