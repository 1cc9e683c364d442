import type { Client } from "undici";

import type { Clock } from "../../../core/clock.ts";
import type { RequestMarks, RequestTemplate } from "../body/request-template.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { Exchange, type ExchangeResult } from "./exchange.ts";
import { requestHeaders, secretTexts } from "./request-headers.ts";

/** A connection that is not made by then will not be. */
const MAX_CONNECT_MS = 10_000;

/** One request to send. */
export interface Order {
  readonly template: RequestTemplate;
  readonly marks: RequestMarks;
  /** Monotonic time at which it is due. */
  readonly dueMs: number;
  /** Decides which of several keys it carries. */
  readonly client: number;
  readonly onGap: (gapMs: number) => void;
}

/** Sends requests over its own connections and stops those that take too long. */
export class Sender {
  readonly #plan: LoadPlan;
  readonly #clock: Clock;
  readonly #path: string;
  readonly #pool: ConnectionPool;
  readonly #headers: readonly (readonly string[])[];
  readonly #secrets: readonly string[];
  readonly #running = new Set<Exchange>();
  #queued = 0;

  constructor(plan: LoadPlan, clock: Clock, maxInFlight: number) {
    const url = new URL(plan.url);
    this.#plan = plan;
    this.#clock = clock;
    this.#path = url.pathname + url.search;
    this.#headers = requestHeaders(plan);
    this.#secrets = secretTexts(plan);
    const { caPem } = plan.secrets;
    const connectTimeoutMs = Math.min(MAX_CONNECT_MS, plan.limits.timeoutMs);
    this.#pool = new ConnectionPool({ origin: url.origin, max: maxInFlight, caPem, connectTimeoutMs });
  }

  /** Requests that were sent and have not ended. */
  get inFlight(): number {
    return this.#running.size;
  }

  /** Requests that are due but wait for a connection. */
  get queued(): number {
    return this.#queued;
  }

  /**
   * Sends when a connection is free; resolves when the request has ended, also when it failed, or with null when the run
   * ended before it could be sent.
   */
  send(order: Order): Promise<ExchangeResult | null> {
    return new Promise((resolve) => {
      this.#queued += 1;
      this.#pool.acquire((client) => {
        this.#queued -= 1;
        if (client === null) resolve(null);
        else this.#dispatch(client, order, resolve);
      });
    });
  }

  /** Ends requests that are older than the plan's timeout. To be called every now and then. */
  sweep(): void {
    const oldestMs = this.#clock.monotonicMs() - this.#plan.limits.timeoutMs;
    for (const exchange of this.#running) if (exchange.sentMs <= oldestMs) exchange.stop("timeout");
  }

  /** Sends nothing more, also not what waits for a connection; what runs may end. */
  refuse(): void {
    this.#pool.refuse();
  }

  /** Cuts what still runs; it counts as unfinished. */
  async close(): Promise<void> {
    this.#pool.refuse();
    for (const exchange of this.#running) exchange.stop("run_over");
    await this.#pool.close();
  }

  #dispatch(client: Client, order: Order, resolve: (result: ExchangeResult) => void): void {
    const body = order.template.render(order.marks);
    const exchange = new Exchange({
      clock: this.#clock,
      dueMs: order.dueMs,
      stream: this.#plan.request.stream,
      bytesSent: body.length,
      secrets: this.#secrets,
      onGap: order.onGap,
      closeConnection: () => this.#pool.discard(client),
      onEnd: (result) => {
        this.#running.delete(exchange);
        this.#pool.release(client);
        resolve(result);
      },
    });
    this.#running.add(exchange);
    const headers = this.#headers[order.client % this.#headers.length] ?? [];
    client.dispatch(
      { path: this.#path, method: "POST", headers: [...headers], body, reset: !this.#plan.keepAlive },
      exchange,
    );
  }
}
