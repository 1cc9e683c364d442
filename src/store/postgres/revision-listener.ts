import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { Client } from "pg";

import type { Logger } from "../../core/logger.ts";
import type { PostgresConnection } from "../postgres-connection.ts";
import { DIRECTORY_CHANNEL } from "./directory-revision.ts";
import { createClient } from "./store-pool.ts";

/** How often the revision is read besides listening. */
const POLL_MS = 500;
const RECONNECT_MS = 200;
/** A server that takes longer to answer counts as lost: the connection may be half open. */
const ANSWER_TIMEOUT_MS = 2_000;

/**
 * Tells subscribers when the directory's revision has changed. One connection listens for notifications and reads the
 * revision twice a second on top: that notices a connection gone dead, one behind a pooler that swallows notifications, and
 * whatever changed while there was no connection.
 */
export class RevisionListener {
  readonly #connection: PostgresConnection;
  readonly #logger: Logger;
  readonly #subscribers = new Set<{ onChange: () => void }>();
  #stop: AbortController | null = null;
  #loop: Promise<void> = Promise.resolve();
  #ready: Promise<void> = Promise.resolve();
  #revision: number | null = null;

  constructor(connection: PostgresConnection, logger: Logger) {
    this.#connection = connection;
    this.#logger = logger;
  }

  /** Resolves once changes are being told; rejects when the server cannot be reached to begin with. */
  async subscribe(onChange: () => void): Promise<() => Promise<void>> {
    const subscriber = { onChange };
    this.#subscribers.add(subscriber);
    const end = async (): Promise<void> => {
      this.#subscribers.delete(subscriber);
      if (this.#subscribers.size === 0) await this.stop();
    };
    if (this.#stop === null) this.#start();
    try {
      await this.#ready;
      return end;
    } catch (error) {
      await end();
      throw error;
    }
  }

  /** Ends the listening and forgets all subscribers. */
  async stop(): Promise<void> {
    this.#subscribers.clear();
    this.#stop?.abort();
    this.#stop = null;
    await this.#loop;
  }

  #start(): void {
    const stop = new AbortController();
    this.#stop = stop;
    this.#revision = null;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#ready = promise;
    // Rejections reach those who wait in `subscribe`; later failures are retried in the loop.
    promise.catch(() => {});
    this.#loop = this.#run(stop.signal, { resolve, reject });
  }

  async #run(stop: AbortSignal, first: { resolve: () => void; reject: (error: unknown) => void }): Promise<void> {
    while (!stop.aborted) {
      try {
        await this.#listen(stop, first.resolve);
      } catch (error) {
        first.reject(error);
        this.#logger.warn({ err: error }, "lost the connection that listens for directory changes; reconnecting");
        await pause(RECONNECT_MS, stop);
      }
    }
  }

  /** One connection's life. Throws when it is lost. */
  async #listen(stop: AbortSignal, onReady: () => void): Promise<void> {
    const socket = new Socket();
    const client = createClient(this.#connection, {
      stream: () => socket,
      application_name: "weir-listen",
      connectionTimeoutMillis: ANSWER_TIMEOUT_MS,
      query_timeout: ANSWER_TIMEOUT_MS,
    });
    const ended = new AbortController();
    client.on("error", () => ended.abort());
    client.on("end", () => ended.abort());
    client.on("notification", (message) => this.#saw(Number(message.payload)));
    try {
      await client.connect();
      await client.query(`listen ${DIRECTORY_CHANNEL}`);
      const wake = AbortSignal.any([stop, ended.signal]);
      while (!stop.aborted) {
        this.#saw(await currentRevision(client));
        onReady();
        await pause(POLL_MS, wake);
      }
    } finally {
      await farewell(client, socket);
    }
  }

  #saw(revision: number): void {
    const changed = this.#revision !== null && revision !== this.#revision;
    this.#revision = revision;
    if (!changed) return;
    for (const subscriber of this.#subscribers) {
      try {
        subscriber.onChange();
      } catch (error) {
        this.#logger.error({ err: error }, "a subscriber to directory changes failed");
      }
    }
  }
}

async function currentRevision(client: Client): Promise<number> {
  const result = await client.query<{ value: number }>("select value from weir.meta where name = 'directory_revision'");
  const value = result.rows[0]?.value;
  if (value === undefined) throw new Error("the directory has no revision: the database is not migrated");
  return value;
}

/** Ends a connection in the ordinary way, or by its socket when the other side does not answer. */
async function farewell(client: Client, socket: Socket): Promise<void> {
  const answered = new AbortController();
  const goodbye = client.end().catch(() => {});
  await Promise.race([goodbye, pause(ANSWER_TIMEOUT_MS, answered.signal)]);
  answered.abort();
  socket.destroy();
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  // Aborted: the caller looks at its own condition.
  await sleep(ms, undefined, { signal }).catch(() => {});
}
