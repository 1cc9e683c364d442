import { Readable } from "node:stream";

import { type Dispatcher, errors } from "undici";

import type { Fields } from "./field-lines.ts";
import type { Http1Connection } from "./http1-connection.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHead } from "./response-head.ts";

export type RequestBody = Buffer | Readable | null;

/** What a call tells the pool that runs it. */
export interface CallOwner {
  /** It is over, in whatever way. */
  over(): void;
}

/**
 * One request and its answer, on one connection at a time: what a handler gets as undici's controller. Every way to its end goes
 * through `#finish`, once; after that nothing that the handler does reaches the connection, which may serve another by then.
 */
export class Http1Call implements Dispatcher.DispatchController {
  readonly method: string;
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  aborted = false;
  paused = false;
  reason: Error | null = null;
  /** What is sent, once it has been found to be sendable. */
  head: RequestHead | null = null;
  body: RequestBody = null;
  /** Where it is carried; null before that and when it is over. */
  connection: Http1Connection | null = null;
  isOver = false;
  readonly #handler: Dispatcher.DispatchHandler;
  readonly #owner: CallOwner;

  constructor(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler, defaults: CallDefaults) {
    this.method = options.method;
    this.headersTimeoutMs = options.headersTimeout ?? defaults.headersTimeoutMs;
    this.bodyTimeoutMs = options.bodyTimeout ?? defaults.bodyTimeoutMs;
    this.#handler = handler;
    this.#owner = defaults.owner;
  }

  /** Tells the handler that the request begins; it may abort it at once. */
  start(): void {
    try {
      this.#handler.onRequestStart?.(this, null);
    } catch (error) {
      this.abort(asError(error));
    }
  }

  /** The head of the answer has come. */
  begins({ status, headers, reason }: ResponseHead): void {
    try {
      this.#handler.onResponseStart?.(this, status, headers, reason);
    } catch (error) {
      this.abort(asError(error));
    }
  }

  data(chunk: Buffer): void {
    try {
      this.#handler.onResponseData?.(this, chunk);
    } catch (error) {
      this.abort(asError(error));
    }
  }

  /** The answer is whole. */
  ends(trailers: Fields): void {
    if (!this.#finish()) return;
    try {
      this.#handler.onResponseEnd?.(this, trailers);
    } catch (error) {
      this.#handler.onResponseError?.(this, asError(error));
    }
  }

  /** There will be no answer, or no more of it. */
  fails(error: Error): void {
    if (!this.#finish()) return;
    this.reason = error;
    this.#handler.onResponseError?.(this, error);
  }

  /** The handler wants no more of it: its connection is closed. */
  abort(reason: Error): void {
    if (this.isOver) return;
    this.aborted = true;
    const { connection } = this;
    connection?.abandon(this);
    this.fails(reason);
  }

  pause(): void {
    if (this.paused || this.isOver) return;
    this.paused = true;
    this.connection?.pause();
  }

  resume(): void {
    if (!this.paused || this.isOver) return;
    this.paused = false;
    this.connection?.resume(this);
  }

  #finish(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.connection = null;
    if (this.body instanceof Readable) this.body.destroy();
    this.#owner.over();
    return true;
  }
}

export interface CallDefaults {
  readonly headersTimeoutMs: number;
  readonly bodyTimeoutMs: number;
  readonly owner: CallOwner;
}

/** Throws undici's InvalidArgumentError for what nobody here sends. */
export function bodyOf(body: Dispatcher.DispatchOptions["body"]): RequestBody {
  if (body === undefined || body === null) return null;
  if (typeof body === "string") return Buffer.from(body);
  if (body instanceof Buffer || body instanceof Readable) return body;
  if (body instanceof Uint8Array) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw new errors.InvalidArgumentError("the body must be bytes, a text or a stream");
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
