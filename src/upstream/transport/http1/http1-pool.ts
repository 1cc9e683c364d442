import { type Dispatcher, errors } from "undici";

import { type Clock, systemClock } from "../../../core/clock.ts";
import type { Connections } from "../connection-pool.ts";
import { Connector, type ConnectorOptions } from "./connector.ts";
import { bodyOf, type CallOwner, Http1Call } from "./http1-call.ts";
import { type ConnectionOwner, Http1Connection } from "./http1-connection.ts";
import { RequestHeads } from "./request-head.ts";

/** Idle connections kept open; beyond it a connection that falls idle is closed. */
const MAX_IDLE = 64;

export interface Http1PoolOptions extends ConnectorOptions {
  readonly connectTimeoutMs: number;
  /** The longest that an answer may take to begin, and within its body; requests may ask for less. */
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  /** How long a connection may be idle where the server does not say. */
  readonly keepAliveMs: number;
  readonly clock?: Clock;
}

/**
 * Connections to one origin over HTTP/1.1, each carrying one request at a time; the one that fell idle last is used first. In
 * place of undici on the way of exchanges: it does for one request what they need, and nothing else (docs/adr/0020).
 */
export class Http1Pool implements Connections, ConnectionOwner, CallOwner {
  readonly #connector: Connector;
  readonly #heads: RequestHeads;
  readonly #options: Http1PoolOptions;
  readonly #clock: Clock;
  readonly #idle: Http1Connection[] = [];
  readonly #connections = new Set<Http1Connection>();
  /** Calls on connections that were idle, to be sent at the end of this turn. */
  #waiting: Http1Call[] = [];
  readonly #transmit = this.#transmitWaiting.bind(this);
  readonly #defaults: { headersTimeoutMs: number; bodyTimeoutMs: number; owner: CallOwner };
  #active = 0;
  /** Those who wait for the last request to end; null until the pool is closed. */
  #closing: (() => void)[] | null = null;
  #isDestroyed = false;

  constructor(origin: string, options: Http1PoolOptions) {
    this.#connector = new Connector(origin, options);
    this.#heads = new RequestHeads(this.#connector.host);
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    const { headersTimeoutMs, bodyTimeoutMs } = options;
    this.#defaults = { headersTimeoutMs, bodyTimeoutMs, owner: this };
  }

  get active(): number {
    return this.#active;
  }

  /** Open connections, idle ones included. */
  get size(): number {
    return this.#connections.size;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const call = new Http1Call(options, handler, this.#defaults);
    this.#active++;
    try {
      call.head = this.#heads.write(options);
      call.body = bodyOf(options.body);
    } catch (error) {
      call.fails(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    call.start();
    if (!call.isOver) this.#carry(call);
  }

  async close(): Promise<void> {
    const waiting = (this.#closing ??= []);
    for (const connection of this.#idle.splice(0)) connection.destroy();
    if (this.#active > 0) await new Promise<void>((resolve) => waiting.push(resolve));
  }

  async destroy(): Promise<void> {
    this.#isDestroyed = true;
    this.#idle.length = 0;
    for (const connection of this.#connections) connection.destroy(new errors.ClientDestroyedError());
  }

  idle(connection: Http1Connection): void {
    if (this.#closing !== null || this.#idle.length >= MAX_IDLE) connection.destroy();
    else this.#idle.push(connection);
  }

  closed(connection: Http1Connection): void {
    this.#connections.delete(connection);
    const at = this.#idle.lastIndexOf(connection);
    if (at >= 0) this.#idle.splice(at, 1);
  }

  unsent(call: Http1Call): void {
    this.#carry(call);
  }

  over(): void {
    this.#active--;
    if (this.#active === 0) for (const closed of this.#closing?.splice(0) ?? []) closed();
  }

  #carry(call: Http1Call): void {
    if (this.#isDestroyed) {
      call.fails(new errors.ClientDestroyedError());
      return;
    }
    const connection = this.#idle.pop();
    if (connection === undefined) {
      this.#connect(call);
      return;
    }
    connection.take(call);
    // Not in this turn: what the server has sent or closed while the connection was idle is seen first. Stray bytes are then
    // not taken for the answer, and a closed connection is not used.
    if (this.#waiting.push(call) === 1) setImmediate(this.#transmit);
  }

  #connect(call: Http1Call): void {
    const { connectTimeoutMs, keepAliveMs } = this.#options;
    try {
      const connection = new Http1Connection({
        connector: this.#connector,
        owner: this,
        clock: this.#clock,
        connectTimeoutMs,
        keepAliveMs,
      });
      this.#connections.add(connection);
      connection.take(call);
    } catch (error) {
      // Certificates that are none.
      call.fails(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #transmitWaiting(): void {
    const calls = this.#waiting;
    this.#waiting = [];
    for (const call of calls) call.connection?.transmit(call);
  }
}
