import { type Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";

/**
 * The ledger's rows by month, and the sums that reports are answered from.
 *
 * The partition key is the exchange's id, not its time. An id begins with the millisecond in which it was made (core/id.ts),
 * so months are ranges of ids, and the primary key (exchange, attempt) holds over all of them as it did before: an exchange
 * that is shipped twice meets itself, whatever its times say. Keyed by time, PostgreSQL would only allow a key that contains
 * the time, and the same exchange with another time would be a second row.
 */
const MONTHS = `
create function weir.exchange_id_at(moment timestamptz) returns text language plpgsql immutable as $$
declare
  rest bigint := floor(extract(epoch from moment) * 1000)::bigint;
  out text := '';
begin
  for position in 1..10 loop
    out := substr('0123456789abcdefghjkmnpqrstvwxyz', (rest % 32)::int + 1, 1) || out;
    rest := rest / 32;
  end loop;
  return 'req_' || out;
end
$$;
`;

/**
 * What is there becomes the first partition as it stands: its indexes are taken over, no row is written anew. Ids that are
 * not made of time (batches) sort before the others and go there too. Shippers wait meanwhile; requests do not, the journal
 * takes their entries.
 */
const PARTITION = `
lock table weir.usage_entries in access exclusive mode;
alter table weir.usage_entries rename to usage_entries_first;
alter index weir.usage_entries_pkey rename to usage_entries_first_pkey;
alter index weir.usage_entries_by_organization rename to usage_entries_first_by_organization;
alter index weir.usage_entries_by_session rename to usage_entries_first_by_session;
alter index weir.usage_entries_by_time rename to usage_entries_first_by_time;
create table weir.usage_entries (like weir.usage_entries_first including defaults) partition by range (exchange_id);
alter table weir.usage_entries add primary key (exchange_id, attempt);
create index usage_entries_by_organization on weir.usage_entries (organization_id, admitted_at);
create index usage_entries_by_session on weir.usage_entries (organization_id, session_id, admitted_at)
  where session_id is not null;
create index usage_entries_by_time on weir.usage_entries using brin (admitted_at) with (pages_per_range = 32, autosummarize);
create table weir.usage_entries_other partition of weir.usage_entries default;
do $$
declare
  bound text := weir.exchange_id_at(date_trunc('month', now(), 'UTC') + interval '1 month');
begin
  with ahead as (delete from weir.usage_entries_first where exchange_id >= bound returning *)
  insert into weir.usage_entries_other select * from ahead;
  execute format(
    'alter table weir.usage_entries attach partition weir.usage_entries_first for values from (minvalue) to (%L)', bound);
end
$$;
`;

/**
 * Makes the partitions of the coming months. Rows of a month that has none yet wait in \`usage_entries_other\` and move when
 * it is made: nothing is refused for want of a partition. Returns how many were made. Months begin in UTC.
 */
const AHEAD = `
create function weir.make_usage_partitions(months_ahead integer) returns integer language plpgsql as $$
declare
  month timestamptz;
  made integer := 0;
  partition_name text;
  lower_id text;
  upper_id text;
begin
  perform pg_advisory_xact_lock(hashtext('weir.make_usage_partitions'));
  for ahead in 1..months_ahead loop
    month := date_trunc('month', now(), 'UTC') + make_interval(months => ahead);
    partition_name := 'usage_entries_' || to_char(month at time zone 'UTC', 'YYYY_MM');
    lower_id := weir.exchange_id_at(month);
    upper_id := weir.exchange_id_at(month + interval '1 month');
    continue when to_regclass('weir.' || partition_name) is not null;
    -- The migration's first partition may reach further than this month begins.
    continue when weir.first_usage_bound() > lower_id;
    execute format('create table weir.%I (like weir.usage_entries including defaults including indexes)', partition_name);
    execute format(
      'with waiting as (delete from weir.usage_entries_other where exchange_id >= %L and exchange_id < %L returning *)
       insert into weir.%I select * from waiting', lower_id, upper_id, partition_name);
    execute format(
      'alter table weir.usage_entries attach partition weir.%I for values from (%L) to (%L)',
      partition_name, lower_id, upper_id);
    made := made + 1;
  end loop;
  return made;
end
$$;
create function weir.first_usage_bound() returns text language sql stable as $$
  select substring(pg_get_expr(relpartbound, oid) from $x$TO \\('([^']*)'\\)$x$)
  from pg_class where oid = 'weir.usage_entries_first'::regclass
$$;
`;

/** One table of sums that the trigger below keeps. Days are those of UTC. */
interface Rollup {
  readonly table: string;
  /** Columns of the key, each with its type and what it comes from. The first two are the organisation and the time. */
  readonly key: readonly (readonly [column: string, type: string, from: string])[];
  /** Columns of sums: bigint, added up. */
  readonly sums: readonly (readonly [column: string, from: string])[];
  /** Columns of times: the least of `first_at`, the greatest of `last_at`. */
  readonly times: boolean;
}

const ORGANIZATION = ["organization_id", "text not null", "organization_id"] as const;
const DAY = ["starts_at", "timestamptz not null", "date_trunc('day', admitted_at, 'UTC')"] as const;
const KEY = ["key_id", "text not null", "key_id"] as const;
const MODEL = ["model_served", "text not null", "model_served"] as const;
const TARGET = ["target", "text", "target"] as const;
const WHO = [
  ["user_id", "text", "user_id"],
  ["team_id", "text", "team_id"],
  ["tag", "text", "tag"],
] as const;
const REQUESTS = ["requests", "count(*)"] as const;
const COST = ["cost_micro_usd", "sum(cost_micro_usd)"] as const;
const TOKENS = [
  ["input_tokens", "sum(input_tokens)"],
  ["output_tokens", "sum(output_tokens)"],
  ["cache_read_tokens", "sum(cache_read_tokens)"],
] as const;
const CACHE_WRITES = ["cache_write_tokens", "sum(cache_write_5m_tokens + cache_write_1h_tokens)"] as const;

const ROLLUPS: readonly Rollup[] = [
  {
    // Conversations. Without models, or there would be several times as many rows.
    table: "usage_sessions",
    key: [ORGANIZATION, DAY, ["session_id", "text", "session_id"], KEY, ...WHO],
    sums: [REQUESTS, ...TOKENS, CACHE_WRITES, COST],
    times: true,
  },
  {
    // What usage_daily has, by tag as well. That one is kept by statements of earlier versions and cannot get a new key.
    table: "usage_tags",
    key: [ORGANIZATION, DAY, KEY, MODEL, TARGET, ...WHO],
    sums: [REQUESTS, ...TOKENS, CACHE_WRITES, COST],
    times: false,
  },
  {
    // For comparison with the provider's own figures.
    table: "usage_metered",
    key: [ORGANIZATION, DAY, MODEL, TARGET, ["price_version", "text not null", "price_version"]],
    sums: [
      REQUESTS,
      ...TOKENS,
      ["cache_write_5m_tokens", "sum(cache_write_5m_tokens)"],
      ["cache_write_1h_tokens", "sum(cache_write_1h_tokens)"],
      COST,
      ["estimated", "count(*) filter (where usage_source <> 'reported')"],
    ],
    times: false,
  },
  {
    // The days of every time zone are made of whole quarters of an hour.
    table: "usage_quarters",
    key: [ORGANIZATION, ["starts_at", "timestamptz not null", "date_bin('15 minutes', admitted_at, 'epoch')"]],
    sums: [REQUESTS, COST],
    times: false,
  },
];

function createTable({ table, key, sums, times }: Rollup): string {
  const columns = [
    ...key.map(([column, type]) => `${column} ${type}`),
    ...sums.map(([column]) => `${column} bigint not null`),
    ...(times ? ["first_at timestamptz not null", "last_at timestamptz not null"] : []),
    `unique nulls not distinct (${key.map(([column]) => column).join(", ")})`,
  ];
  return `create table weir.${table} (${columns.join(", ")}) with (fillfactor = 80);`;
}

/** In the order of the key, which is the order in which every shipper locks. */
function addTo({ table, key, sums, times }: Rollup, source: string): string {
  const names = key.map(([column]) => column).join(", ");
  const values = [...sums.map(([column]) => column), ...(times ? ["first_at", "last_at"] : [])];
  const from = [...sums.map(([, expression]) => expression), ...(times ? ["min(admitted_at)", "max(settled_at)"] : [])];
  const updates = [
    ...sums.map(([column]) => `${column} = known.${column} + excluded.${column}`),
    ...(times
      ? ["first_at = least(known.first_at, excluded.first_at)", "last_at = greatest(known.last_at, excluded.last_at)"]
      : []),
  ];
  const positions = key.map((_, at) => at + 1).join(", ");
  return `
  insert into weir.${table} as known (${names}, ${values.join(", ")})
  select ${key.map(([, , expression]) => expression).join(", ")}, ${from.join(", ")}
  from ${source} group by ${positions} order by ${positions}
  on conflict (${names}) do update set ${updates.join(", ")};`;
}

/**
 * A sum that stays a bigint. PostgreSQL's own sum of bigints is a numeric, which takes several times as long where there are
 * hundreds of thousands of groups. Just as exact: an overflow is an error.
 */
const TOTAL = `
create aggregate weir.total(bigint) (
  sfunc = int8pl, stype = bigint, initcond = '0', combinefunc = int8pl, parallel = safe
)`;

const TABLES = `alter table weir.usage_entries add column tag text;
${ROLLUPS.map(createTable).join("\n")}`;

/** The table is still locked: no row comes between the sums of what is there and the trigger. */
const BACKFILL = ROLLUPS.map((rollup) => addTo(rollup, "weir.usage_entries")).join("\n");

/**
 * Kept by a trigger, not by the shipper's statement: a replica of the version before, which ships until it is replaced,
 * keeps them too. It sees the rows that were really inserted, once, in the transaction that inserts them.
 */
const TRIGGER = `
create function weir.add_to_report_sums() returns trigger language plpgsql as $$
begin
  ${ROLLUPS.map((rollup) => addTo(rollup, "inserted")).join("\n")}
  return null;
end
$$;
create trigger report_sums after insert on weir.usage_entries
  referencing new table as inserted for each statement execute function weir.add_to_report_sums();
`;

/** Sessions that were stopped because they burnt money faster than their history explains, and who let them go on. */
const PAUSES = `
create table weir.session_pauses (
  organization_id text not null,
  session_id text not null,
  paused_at timestamptz not null,
  spent_micro_usd bigint not null,
  usual_micro_usd bigint not null,
  window_ms bigint not null,
  resumed_at timestamptz,
  resumed_by text,
  primary key (organization_id, session_id)
);
`;

export const reports: Migration = {
  up: async (db: Kysely<unknown>): Promise<void> => {
    for (const statement of [MONTHS, PARTITION, AHEAD, TOTAL, TABLES, BACKFILL, TRIGGER, PAUSES]) {
      await sql.raw(statement).execute(db);
    }
  },
};
