import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { LoadResult } from "../config/load.ts";
import type { Clock } from "../core/clock.ts";
import type { KeyHasher } from "../identity/key-secret.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { DirectoryStore } from "../store/ports/directory.ts";
import type { UsageStore } from "../store/ports/usage.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { Terminal } from "./terminal/terminal.ts";

/** What every command may be told about where its configuration and data are. */
export interface CommonOptions {
  /** `--config FILE`; by default weir.yaml in the working directory, if it exists. */
  readonly config?: string;
  readonly profile?: string;
  /** `--data-dir DIR`, over the configuration. */
  readonly dataDir?: string;
  readonly json?: boolean;
}

/** The installation's records, opened for one command: connects to the running PostgreSQL or starts the embedded one. */
export interface Records {
  readonly config: Config;
  readonly directory: DirectoryStore;
  readonly usage: UsageStore;
  readonly hasher: KeyHasher;
  /** Whether a `weir serve` owns the data directory now. */
  readonly serverRunning: boolean;
  close(): Promise<void>;
}

export interface ServeOptions extends CommonOptions {
  readonly port?: number;
  readonly host?: string;
}

/** What there is of a database. */
export type DatabaseInspection =
  /** The embedded database has not been made yet: the first `weir serve` makes it. */
  | { readonly state: "absent" }
  | {
      readonly state: "ready";
      readonly kind: "embedded" | "external";
      /** Where it is, without credentials. */
      readonly address: string;
      readonly serverVersion: string;
      /** The database server's wall clock, milliseconds since the epoch. */
      readonly nowMs: number;
      /** Names of the migrations that this Weir has and the database has not. */
      readonly pendingMigrations: readonly string[];
      /** Migrations in the database that this Weir does not know: a newer Weir has been here. */
      readonly unknownMigrations: readonly string[];
    };

/** Looks at what an installation stands on, for `weir doctor` and `weir route`. Nothing here creates, migrates or changes anything. */
export interface Inspections {
  /** The PostgreSQL programs that Weir brings. Rejects with an error that says what is missing. */
  embeddedPostgres(): Promise<{ readonly version: string; readonly directory: string }>;
  /**
   * Connects to the configured database; an embedded one that exists but does not run is started for the look and stopped
   * again. Rejects when it cannot be reached.
   */
  database(config: Config): Promise<DatabaseInspection>;
  /** An upstream as `weir serve` would use it; never asked for a sandbox. The caller destroys its connections. */
  connectUpstream(upstream: UpstreamConfig, config: Config): Promise<Upstream>;
  /** How model names resolve under a configuration. Contacts nobody. */
  routes(config: Config): Promise<{ readonly table: RouteTable; readonly close: () => Promise<void> }>;
  /** Where the journal's segments are, whether or not they exist. */
  journalDirectory(config: Config): string;
  /** Files below the data directory that hold generated secrets, whether or not they exist. */
  secretFiles(config: Config): readonly string[];
}

/** What the command line needs from the composition root. `app/` provides it; commands never wire adapters themselves. */
export interface CliContext {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly version: string;
  readonly terminal: Terminal;
  readonly inspect: Inspections;
  /** Runs the server until a signal ends it; resolves with the process's exit code. Rejects with CliError. */
  serve(options: ServeOptions): Promise<number>;
  loadConfig(options: CommonOptions): Promise<LoadResult>;
  /** Rejects with CliError when the records cannot be opened. */
  openRecords(options: CommonOptions): Promise<Records>;
}
