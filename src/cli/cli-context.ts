import type { Config, UpstreamConfig } from "../config/schema.ts";
import type { LoadResult } from "../config/load.ts";
import type { AuditTrail } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import type { KeyHasher } from "../identity/key-secret.ts";
import type { StatementSigner, TrustedKeys } from "../ledger/audit/statement-signer.ts";
import type { RouteTable } from "../routing/route-table.ts";
import type { Router } from "../routing/router.ts";
import type { AuditStatement, AuditStore, ChainId } from "../store/ports/audit.ts";
import type { DirectoryStore } from "../store/ports/directory.ts";
import type { ReportStore } from "../store/ports/reports.ts";
import type { SessionPauseStore } from "../store/ports/session-pauses.ts";
import type { SpendLimitStore } from "../store/ports/spend-limits.ts";
import type { UsageStore } from "../store/ports/usage.ts";
import type { Probe } from "../upstream/probe/probe-request.ts";
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

/** The audit trail, and the keys that it is signed with. */
export interface AuditAccess {
  readonly store: AuditStore;
  /** Acts are written here before they happen. */
  readonly trail: AuditTrail;
  readonly signer: StatementSigner;
  readonly trusted: TrustedKeys;
  /** The last head that was signed on this machine, kept outside the database. */
  keptHead(chain: ChainId): Promise<AuditStatement | null>;
}

/** The installation's records, opened for one command: connects to the running PostgreSQL or starts the embedded one. */
export interface Records {
  readonly config: Config;
  readonly directory: DirectoryStore;
  readonly usage: UsageStore;
  readonly spendLimits: SpendLimitStore;
  readonly reports: ReportStore;
  readonly sessionPauses: SessionPauseStore;
  readonly audit: AuditAccess;
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

/** An upstream as `weir serve` would use it. */
export interface ConnectedUpstream {
  readonly upstream: Upstream;
  /** How it is asked at no cost; null where no such call is known. */
  readonly probe: Probe | null;
  /** Closes its connections and stops its credential. */
  close(): Promise<void>;
}

/** How model names resolve under a configuration, with a router that has seen no traffic yet. */
export interface InspectedRoutes {
  readonly table: RouteTable;
  readonly router: Router;
  close(): Promise<void>;
}

/** Looks at what an installation stands on, for `weir doctor` and `weir route`. Nothing here creates, migrates or changes anything. */
export interface Inspections {
  /** The PostgreSQL programs that Weir brings. Rejects with an error that says what is missing. */
  embeddedPostgres(): Promise<{ readonly version: string; readonly directory: string }>;
  /**
   * Connects to the configured database; an embedded one that exists but does not run is started for the look and stopped
   * again. Rejects when it cannot be reached.
   */
  database(config: Config): Promise<DatabaseInspection>;
  /**
   * An upstream as `weir serve` would use it; never asked for a sandbox. With `credentials` its credential has been asked for,
   * and may still be on its way.
   */
  connectUpstream(
    upstream: UpstreamConfig,
    config: Config,
    options: { readonly credentials: boolean },
  ): Promise<ConnectedUpstream>;
  /** How model names resolve under a configuration. Contacts nobody. */
  routes(config: Config): Promise<InspectedRoutes>;
  /** The address of the admin port of the Weir that runs on a configuration's data directory; null when none does. */
  runningAdmin(config: Config): Promise<string | null>;
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
  /** The account of the operating system that runs the command. */
  readonly systemUser: string;
  /** The key that signs the audit trail; made where there is none yet. Needs no database. */
  auditSigner(options: CommonOptions): Promise<StatementSigner>;
  /** Rejects with CliError when the records cannot be opened. */
  openRecords(options: CommonOptions): Promise<Records>;
}
