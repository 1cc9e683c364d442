import type { Component } from "../core/component.ts";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/logger.ts";
import type { Config } from "../config/schema.ts";
import { EmbeddedPostgres } from "../store/embedded/embedded-postgres.ts";
import type { PostgresConnection } from "../store/postgres-connection.ts";
import { PostgresStore } from "../store/postgres/postgres-store.ts";

/** The installation's database, opened: the embedded server where none is configured, and the stores on it. */
export class OpenRecords implements Component {
  readonly name = "records";
  readonly #config: Config;
  readonly #logger: Logger;
  readonly #embedded: EmbeddedPostgres | null;
  #store: PostgresStore | null = null;

  constructor(config: Config, options: { logger: Logger; clock: Clock }) {
    this.#config = config;
    this.#logger = options.logger;
    const port = config.store.embedded?.port;
    this.#embedded =
      config.store.postgres_url === undefined
        ? new EmbeddedPostgres({ dataDir: config.data_dir, ...options, ...(port === undefined ? {} : { port }) })
        : null;
  }

  get store(): PostgresStore {
    if (this.#store === null) throw new Error("the records are not open");
    return this.#store;
  }

  /** Whether Weir runs the server itself. */
  get isEmbedded(): boolean {
    return this.#embedded !== null;
  }

  async start(): Promise<void> {
    await this.#embedded?.start();
    try {
      this.#store = new PostgresStore({
        connection: this.#connection(),
        logger: this.#logger,
        maxConnections: this.#config.store.max_connections,
      });
      await this.#store.start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#store?.stop();
    this.#store = null;
    await this.#embedded?.stop();
  }

  #connection(): PostgresConnection {
    const external = externalConnection(this.#config);
    if (external !== null) return external;
    if (this.#embedded === null) throw new Error("there is no database");
    return this.#embedded.connection;
  }
}

/** How to reach the configured PostgreSQL; null where Weir runs its own. */
export function externalConnection({ store }: Config): PostgresConnection | null {
  const { postgres_url, username, password } = store;
  if (postgres_url === undefined) return null;
  const url = new URL(postgres_url);
  if (username !== undefined) url.username = encodeURIComponent(username);
  if (password !== undefined) url.password = encodeURIComponent(password);
  return { connectionString: url.href };
}
