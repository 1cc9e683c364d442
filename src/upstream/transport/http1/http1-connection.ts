import type { Socket } from "node:net";
import { Readable } from "node:stream";

import { errors } from "undici";

import type { Clock } from "../../../core/clock.ts";
import { announcedKeepAliveMs } from "./body-framing.ts";
import { type Connector, connectFailure } from "./connector.ts";
import { Deadline } from "./deadline.ts";
import type { Http1Call } from "./http1-call.ts";
import { expectsBody } from "./request-head.ts";
import { ResponseParser } from "./response-parser.ts";
import { sendStream } from "./send-stream.ts";

/** What a connection tells its pool. */
export interface ConnectionOwner {
  /** It can take another call. */
  idle(connection: Http1Connection): void;
  /** It is closed and must not be used any more. */
  closed(connection: Http1Connection): void;
  /** It closed before anything of the call was sent: another connection may carry it. */
  unsent(call: Http1Call): void;
}

export interface ConnectionOptions {
  readonly connector: Connector;
  readonly owner: ConnectionOwner;
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  /** How long it may be idle where the server does not say. */
  readonly keepAliveMs: number;
}

/** Bodies below this are cheaper to join to the head, as one string and one plain write, than to send beside it. */
const JOIN_BELOW = 12_288;
/** Every connection reads into this; what is to be kept is copied out of it before anything else can be read. */
const READ_BUFFER = Buffer.allocUnsafeSlow(65_536);
/** A connection is given up so long before the server would close it. */
const KEEP_ALIVE_MARGIN_MS = 2_000;
const MAX_KEEP_ALIVE_MS = 600_000;

/** A connection to an HTTP/1.1 server that carries one call at a time. */
export class Http1Connection {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #parser = new ResponseParser();
  readonly #deadline: Deadline;
  #call: Http1Call | null = null;
  /** The call's request is on its way. */
  #isSent = false;
  #isReady = false;
  #isClosed = false;
  #keepAliveMs: number;
  /** Ends the sending of a body that is a stream; null when none is being sent. */
  #sending: AbortController | null = null;

  /** Begins to connect. Throws where the certificates cannot be used. */
  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#keepAliveMs = options.keepAliveMs;
    const { connector } = options;
    // Bound once for each connection, not for each request: see docs/adr/0011.
    const socket = connector.open({ buffer: READ_BUFFER, callback: this.#read.bind(this) });
    socket.once(connector.readyEvent, this.#ready.bind(this));
    socket.on("end", this.#ended.bind(this));
    socket.on("error", this.#failed.bind(this));
    socket.on("close", this.#closed.bind(this));
    this.#socket = socket;
    this.#deadline = new Deadline(options.clock, this.#late.bind(this));
    this.#deadline.set(options.connectTimeoutMs);
  }

  /** Takes a call. One that is not ready sends it when it is; one that is waits for `transmit`. */
  take(call: Http1Call): void {
    this.#call = call;
    this.#isSent = false;
    call.connection = this;
    if (!this.#isReady) return;
    this.#socket.ref();
    this.#deadline.clear();
  }

  /** Sends the request of the call that it has taken. */
  transmit(call: Http1Call): void {
    if (this.#call !== call || this.#isSent || this.#isClosed || call.head === null) return;
    this.#isSent = true;
    this.#parser.begin(call.method);
    this.#deadline.set(call.headersTimeoutMs);
    const { text, contentLength } = call.head;
    const { body } = call;
    const socket = this.#socket;
    if (body === null || (!(body instanceof Readable) && body.length === 0)) {
      socket.write(expectsBody(call.method) ? `${text}content-length: 0\r\n\r\n` : `${text}\r\n`, "latin1");
    } else if (body instanceof Readable) {
      const framing = contentLength === null ? "transfer-encoding: chunked" : `content-length: ${contentLength}`;
      socket.write(`${text}${framing}\r\n\r\n`, "latin1");
      void this.#sendStream(call, body, contentLength);
    } else {
      this.#sendBytes(`${text}content-length: ${body.length}\r\n\r\n`, body);
    }
  }

  /** The call is given up. Closes the connection, except when nothing of the call was sent. */
  abandon(call: Http1Call): void {
    if (this.#call !== call) return;
    this.#call = null;
    if (this.#isReady && !this.#isSent) this.#becomeIdle();
    else this.destroy();
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(call: Http1Call): void {
    if (this.#call !== call) return;
    this.#deadline.set(this.#parser.inBody ? call.bodyTimeoutMs : call.headersTimeoutMs);
    this.#socket.resume();
  }

  /** Closes it now; a call that it carries fails with `error`. */
  destroy(error: Error = new errors.SocketError("closed")): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#deadline.stop();
    this.#sending?.abort();
    this.#sending = null;
    this.#socket.destroy();
    const call = this.#call;
    this.#call = null;
    this.#options.owner.closed(this);
    if (call === null || call.isOver) return;
    call.connection = null;
    if (this.#isReady && !this.#isSent) this.#options.owner.unsent(call);
    else call.fails(error);
  }

  #sendBytes(head: string, body: Buffer): void {
    const socket = this.#socket;
    if (body.length < JOIN_BELOW) {
      // Latin-1 keeps every byte.
      socket.write(head + body.toString("latin1"), "latin1");
      return;
    }
    socket.cork();
    socket.write(head, "latin1");
    socket.write(body);
    socket.uncork();
  }

  async #sendStream(call: Http1Call, body: Readable, contentLength: number | null): Promise<void> {
    const sending = new AbortController();
    this.#sending = sending;
    const moved = (): void => {
      if (this.#call === call && !this.#parser.inBody) this.#deadline.set(call.headersTimeoutMs);
    };
    try {
      await sendStream(body, { socket: this.#socket, contentLength, moved, signal: sending.signal });
    } catch (error) {
      if (this.#call === call) this.destroy(error instanceof Error ? error : new Error(String(error)));
    } finally {
      if (this.#sending === sending) this.#sending = null;
    }
  }

  #ready(): void {
    this.#isReady = true;
    const call = this.#call;
    if (call !== null) this.transmit(call);
    else if (!this.#isClosed) this.#becomeIdle();
  }

  #read(length: number): boolean {
    const call = this.#call;
    if (call === null || !this.#isSent) {
      // Bytes that nobody has asked for.
      this.destroy();
      return false;
    }
    const parser = this.#parser;
    let failure: Error | null = null;
    try {
      parser.push(READ_BUFFER, length);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
    }
    const { head, body } = parser;
    if (head !== null) {
      if (head.headers["keep-alive"] !== undefined) this.#keepAliveMs = this.#keepAliveFor(announcedKeepAliveMs(head));
      call.begins(head);
    }
    if (body.length > 0 && !call.isOver) call.data(body);
    // The handler may have given it up.
    if (this.#call !== call) return !this.#isClosed;
    if (failure !== null) this.destroy(failure);
    else if (parser.ended) this.#answered(call);
    else this.#deadline.set(parser.inBody ? call.bodyTimeoutMs : call.headersTimeoutMs);
    return true;
  }

  #answered(call: Http1Call): void {
    const { isPersistent, hasLeftover, trailers } = this.#parser;
    const closes = call.head?.closes === true || (call.body !== null && !expectsBody(call.method));
    // Where the server has answered before it had the whole request, the two are out of step.
    const isWritten = this.#sending === null && this.#socket.writableLength === 0;
    this.#call = null;
    if (call.paused) this.#socket.resume();
    if (isPersistent && !hasLeftover && !closes && isWritten && this.#keepAliveMs > 0) this.#becomeIdle();
    else this.destroy();
    call.ends(trailers);
  }

  #becomeIdle(): void {
    this.#isSent = false;
    this.#deadline.set(this.#keepAliveMs);
    this.#socket.unref();
    this.#options.owner.idle(this);
  }

  #keepAliveFor(announcedMs: number | null): number {
    if (announcedMs === null) return this.#options.keepAliveMs;
    return Math.min(announcedMs - KEEP_ALIVE_MARGIN_MS, MAX_KEEP_ALIVE_MS);
  }

  /** The server will send nothing more. */
  #ended(): void {
    const call = this.#call;
    if (call !== null && this.#isSent && this.#parser.end()) this.#answered(call);
    else this.destroy(new errors.SocketError("other side closed"));
  }

  #failed(error: Error): void {
    this.destroy(this.#isReady ? error : connectFailure(error));
  }

  #closed(): void {
    this.destroy();
  }

  /** The deadline has passed: to connect, to answer, to go on with the answer, or to be used again. */
  #late(): void {
    const call = this.#call;
    if (call === null) {
      this.destroy();
    } else if (!this.#isReady) {
      const { host } = this.#options.connector;
      const waited = `${this.#options.connectTimeoutMs}ms`;
      this.destroy(
        new errors.ConnectTimeoutError(`Connect Timeout Error (attempted address: ${host}, timeout: ${waited})`),
      );
    } else if (call.paused) {
      // Whoever has paused it is not kept waiting by the server; `resume` sets a new deadline.
    } else if (this.#parser.inBody) {
      this.destroy(new errors.BodyTimeoutError());
    } else if (this.#sending !== null && !this.#socket.writableNeedDrain) {
      // The request itself has not come to its end yet.
      this.#deadline.set(call.headersTimeoutMs);
    } else {
      this.destroy(new errors.HeadersTimeoutError());
    }
  }
}
