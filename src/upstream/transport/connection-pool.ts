import { Client, type Dispatcher } from "undici";

/** Idle connections kept open; beyond it a connection that falls idle is closed. */
const MAX_IDLE = 64;

/** Where requests to one upstream go: direct connections or a proxy. */
export interface Connections {
  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void;
  /** Requests in flight. */
  readonly active: number;
  /** Lets what is in flight finish, then closes every connection. */
  close(): Promise<void>;
  /** Closes every connection now; what is in flight fails. */
  destroy(): Promise<void>;
}

/**
 * Connections to one origin, each carrying one request at a time. The connection that fell idle last is used first: the
 * look-up does not depend on how many streams are open (undici's own Pool walks its list), and spare connections age out.
 */
export class ConnectionPool implements Connections {
  readonly #origin: string;
  readonly #options: Client.Options;
  readonly #idle: Client[] = [];
  readonly #clients = new Set<Client>();
  #active = 0;
  /** Those who wait for the last request to end; null until the pool is closed. */
  #closing: (() => void)[] | null = null;

  constructor(origin: string, options: Client.Options) {
    this.#origin = origin;
    this.#options = { ...options, pipelining: 1 };
  }

  get active(): number {
    return this.#active;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const client = this.#idle.pop() ?? this.#open();
    this.#active++;
    client.dispatch(options, new Leased(handler, this.#release.bind(this, client)));
  }

  async close(): Promise<void> {
    const waiting = (this.#closing ??= []);
    for (const client of this.#idle.splice(0)) this.#retire(client);
    if (this.#active > 0) await new Promise<void>((resolve) => waiting.push(resolve));
  }

  async destroy(): Promise<void> {
    const clients = [...this.#clients];
    this.#idle.length = 0;
    this.#clients.clear();
    await Promise.all(clients.map((client) => client.destroy()));
  }

  #open(): Client {
    const client = new Client(this.#origin, this.#options);
    this.#clients.add(client);
    return client;
  }

  #release(client: Client): void {
    this.#active--;
    if (this.#closing !== null || this.#idle.length >= MAX_IDLE || client.destroyed) this.#retire(client);
    else this.#idle.push(client);
    if (this.#active === 0) for (const closed of this.#closing?.splice(0) ?? []) closed();
  }

  #retire(client: Client): void {
    this.#clients.delete(client);
    // Closing cannot fail in a way that matters: the connection is not used again.
    client.close().catch(() => {});
  }
}

/** Passes every call on and tells once when the request is over. */
export class Leased implements Dispatcher.DispatchHandler {
  readonly #inner: Dispatcher.DispatchHandler;
  readonly #release: () => void;
  #over = false;

  constructor(inner: Dispatcher.DispatchHandler, release: () => void) {
    this.#inner = inner;
    this.#release = release;
  }

  onRequestStart(controller: Dispatcher.DispatchController, context: unknown): void {
    this.#inner.onRequestStart?.(controller, context);
  }

  onResponseStart(
    controller: Dispatcher.DispatchController,
    status: number,
    headers: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseStart"]>>[2],
  ): void {
    this.#inner.onResponseStart?.(controller, status, headers);
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#inner.onResponseData?.(controller, chunk);
  }

  onResponseEnd(
    controller: Dispatcher.DispatchController,
    trailers: Parameters<NonNullable<Dispatcher.DispatchHandler["onResponseEnd"]>>[1],
  ): void {
    this.#finish();
    this.#inner.onResponseEnd?.(controller, trailers);
  }

  onResponseError(controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish();
    this.#inner.onResponseError?.(controller, error);
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#release();
  }
}
