import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/logger.ts";

export interface EmbeddedPostgresOptions {
  /** Weir's data directory. The database lies in `postgres/` below it, unless its user cannot reach that. */
  readonly dataDir: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Also listens on 127.0.0.1 at this port, for other tools. Weir itself uses a Unix socket. */
  readonly port?: number;
  /** Where root keeps what the server's unprivileged user could not reach otherwise. */
  readonly relocationDir?: string;
  /** How long the server outlives a killed Weir, so that a restarted one finds it running. */
  readonly orphanGraceMs?: number;
}

/** How the server came to run: made and started, started, or found running. */
export type StartKind = "first_run" | "started" | "joined";

export interface EmbeddedPostgresStatus {
  readonly state: "stopped" | "running" | "recovering";
  readonly pid: number | null;
  readonly startKind: StartKind | null;
  /** How often the server had to be brought back since `start`. */
  readonly restarts: number;
  /** Why it is not running, while it is recovering. */
  readonly lastError: Error | null;
}
