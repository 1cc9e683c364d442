import { Client } from "undici";

interface PoolOptions {
  readonly origin: string;
  /** How many connections may be open at once. */
  readonly max: number;
  readonly caPem: string | null;
  readonly connectTimeoutMs: number;
}

/** What to do with a connection; null says that the pool was closed first. */
type Use = (client: Client | null) => void;

/**
 * Connections of one request at a time. The one used last is used next, so that few stay busy and warm at a low load, and
 * taking one costs the same however many there are (undici's own Pool looks through all of them).
 */
export class ConnectionPool {
  readonly #options: PoolOptions;
  readonly #idle: Client[] = [];
  readonly #all = new Set<Client>();
  #waiting: Use[] = [];
  #waitingFrom = 0;
  #closed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Calls `use` with a connection: at once when there is one, else when one becomes free, first come first served. */
  acquire(use: Use): void {
    if (this.#closed) return use(null);
    const client = this.#idle.pop() ?? (this.#all.size < this.#options.max ? this.#open() : null);
    if (client === null) this.#waiting.push(use);
    else use(client);
  }

  release(client: Client): void {
    if (this.#closed) return;
    const next = this.#nextWaiting();
    if (client.destroyed) {
      this.#all.delete(client);
      next?.(this.#open());
    } else if (next === null) this.#idle.push(client);
    else next(client);
  }

  /** Closes a connection for good, whose request ends with an error. */
  discard(client: Client): void {
    void client.destroy().catch(() => {}); // Rejects only when it was destroyed before, which is what is wanted.
  }

  /** Gives out no more connections: whoever waits or asks gets null. */
  refuse(): void {
    this.#closed = true;
    for (let next = this.#nextWaiting(); next !== null; next = this.#nextWaiting()) next(null);
  }

  /** Closes all connections; those still in use are cut. */
  async close(): Promise<void> {
    this.refuse();
    const clients = [...this.#all];
    this.#all.clear();
    await Promise.all(clients.map((client) => client.destroy()));
  }

  #open(): Client {
    const { origin, caPem, connectTimeoutMs } = this.#options;
    const client = new Client(origin, {
      pipelining: 1,
      // Figures over HTTP/2 would be of another thing: the clients that we imitate speak HTTP/1.1.
      allowH2: false,
      connectTimeout: connectTimeoutMs,
      // The run has its own clock for slow answers, which knows when each request was due.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: 60_000,
      ...(caPem === null ? {} : { connect: { ca: caPem } }),
    });
    this.#all.add(client);
    return client;
  }

  #nextWaiting(): Use | null {
    const next = this.#waiting[this.#waitingFrom];
    if (next === undefined) return null;
    this.#waitingFrom += 1;
    if (this.#waitingFrom > 1024 && this.#waitingFrom * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#waitingFrom);
      this.#waitingFrom = 0;
    }
    return next;
  }
}
