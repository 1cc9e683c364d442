import type { Component } from "../../core/component.ts";
import type { PostgresAddress } from "../postgres-connection.ts";
import { createDataDir } from "./cluster.ts";
import type { EmbeddedPostgresOptions, EmbeddedPostgresStatus } from "./embedded-postgres-options.ts";
import { ServerLife } from "./server-life.ts";

/**
 * The PostgreSQL server that Weir brings, owns and supervises. Several Weir processes may share one data directory: the
 * first starts the server, the others join it, any of them brings it back when it dies, and the last to leave stops it.
 */
export class EmbeddedPostgres implements Component {
  readonly name = "embedded-postgres";
  readonly #options: EmbeddedPostgresOptions;
  #life: ServerLife | null = null;

  constructor(options: EmbeddedPostgresOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#life !== null) return;
    const dataDir = await createDataDir(this.#options.dataDir);
    const life = new ServerLife(dataDir, this.#options);
    await life.begin();
    this.#life = life;
  }

  async stop(): Promise<void> {
    const life = this.#life;
    this.#life = null;
    await life?.end();
  }

  /** How to connect. Stays the same while the component is started, also when the server is brought back. */
  get connection(): PostgresAddress {
    if (this.#life === null) throw new Error("the embedded PostgreSQL is not started");
    return this.#life.address;
  }

  status(): EmbeddedPostgresStatus {
    return this.#life?.status() ?? { state: "stopped", pid: null, startKind: null, restarts: 0, lastError: null };
  }
}
