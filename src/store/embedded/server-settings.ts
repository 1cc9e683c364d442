import { createHash } from "node:crypto";

/** Longest path of a Unix socket that every system we run on takes (macOS: 104 with the final zero; Linux: 108). */
export const MAX_SOCKET_PATH = 103;

/** Port that names the socket file; nothing listens on TCP unless asked for. */
export const SOCKET_PORT = 5432;

/** The operator's own settings, in the cluster's directory; made empty with the cluster and never written again. */
export const LOCAL_CONF = "local.conf";

export interface ServerSettings {
  readonly socketDirectory: string;
  /** Also listens on 127.0.0.1 at this port; null for the Unix socket alone. */
  readonly tcpPort: number | null;
}

/** The socket's path for a server on `port` with its socket in `directory`. */
export function socketPath(directory: string, port: number): string {
  return `${directory}/.s.PGSQL.${port}`;
}

/**
 * postgresql.conf for a small server beside the gateway: durable (money depends on it), modest in memory, no helpers that
 * a single node does not need. An operator's own `local.conf` in the same directory has the last word.
 */
export function postgresqlConf(settings: ServerSettings): string {
  const rows: Record<string, string | number> = {
    listen_addresses: settings.tcpPort === null ? quote("") : quote("127.0.0.1"),
    port: settings.tcpPort ?? SOCKET_PORT,
    unix_socket_directories: quote(`"${settings.socketDirectory}"`),
    unix_socket_permissions: "0700",
    max_connections: 60,
    password_encryption: quote("scram-sha-256"),
    // Durability: an entry leaves the journal once PostgreSQL says it has it.
    fsync: "on",
    synchronous_commit: "on",
    full_page_writes: "on",
    // Nothing replicates from this server, so the log need only serve recovery.
    wal_level: "minimal",
    max_wal_senders: 0,
    max_logical_replication_workers: 0,
    max_wal_size: quote("512MB"),
    min_wal_size: quote("32MB"),
    checkpoint_timeout: quote("15min"),
    shared_buffers: quote("64MB"),
    effective_cache_size: quote("512MB"),
    work_mem: quote("8MB"),
    maintenance_work_mem: quote("64MB"),
    huge_pages: "off",
    io_method: quote("sync"),
    max_worker_processes: 4,
    max_parallel_workers: 2,
    // Reports must not take the cores that the gateway needs.
    max_parallel_workers_per_gather: 0,
    autovacuum_max_workers: 2,
    autovacuum_worker_slots: 2,
    jit: "off",
    timezone: quote("UTC"),
    log_timezone: quote("UTC"),
    lc_messages: quote("C"),
    log_destination: quote("stderr"),
    logging_collector: "off",
    log_checkpoints: "off",
    log_line_prefix: quote("%m [%p] "),
    // Statements can carry key digests: an error is logged without the statement that met it.
    log_min_error_statement: quote("panic"),
    log_parameter_max_length_on_error: 0,
  };
  const lines = Object.entries(rows).map(([name, value]) => `${name} = ${value}`);
  return [
    "# Written by Weir at every start. Put your own settings into local.conf beside this file.",
    ...lines,
    `include = '${LOCAL_CONF}'`,
    "",
  ].join("\n");
}

/** pg_hba.conf: nobody gets in without the generated password. */
export function pgHbaConf(settings: ServerSettings): string {
  const lines = ["# Written by Weir at every start.", "local all all scram-sha-256"];
  if (settings.tcpPort !== null) lines.push("host all all 127.0.0.1/32 scram-sha-256");
  return `${lines.join("\n")}\n`;
}

/**
 * Changes when a running server would have to be restarted to be what this version of Weir would start. The socket's place
 * does not count: whoever joins a server reads that from the server.
 */
export function settingsMark(settings: ServerSettings, version: string): string {
  const text = postgresqlConf({ ...settings, socketDirectory: "" });
  return createHash("sha256").update(version).update(text).digest("hex").slice(0, 16);
}

function quote(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}
