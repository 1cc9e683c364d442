import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { encodeEvent, messageDocument, messageEvents, type MessageEvent } from "./message-events.ts";

/**
 * How a stream breaks off: the connection is closed (`destroy`) or reset (`reset`), the body ends as if nothing were wrong
 * (`end`), an error event says so and the body ends (`error`), or nothing more comes (`hang`).
 */
export type CutMode = "destroy" | "reset" | "end" | "error" | "hang";
export const CUT_MODES: readonly CutMode[] = ["destroy", "reset", "end", "error", "hang"];

interface StreamReply {
  readonly kind: "stream";
  /** Default: a whole answer of one text block. */
  readonly events?: readonly MessageEvent[];
  /** Exact bytes instead of events. */
  readonly bytes?: Buffer;
  readonly headers?: Readonly<Record<string, string>>;
  /** Splits the bytes into writes at these offsets, each write in a turn of its own. */
  readonly splitAt?: readonly number[];
  /** Awaited between two such writes. */
  readonly betweenWrites?: () => Promise<void>;
  /** Awaited before the event with this index (from 0) is sent. */
  readonly before?: (index: number) => Promise<void> | void;
  readonly cut?: { readonly afterEvents: number; readonly how: CutMode };
}

interface WholeReply {
  readonly kind: "whole";
  readonly status?: number;
  /** Text and bytes are sent as they are, anything else as JSON. Default: a whole answer. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Awaited before the answer is sent. */
  readonly before?: () => Promise<void> | void;
}

/** What the upstream does with a request: an answer, nothing at all (`silent`), or closing the connection (`reset`). */
export type Reply = StreamReply | WholeReply | { readonly kind: "silent" } | { readonly kind: "reset" };
export type ReplyTo = Reply | ((request: SeenRequest) => Reply);

/** A request as it arrived, byte for byte. */
export interface SeenRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  /** Name, value, name, value, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  /** Resolves with the monotonic time at which the gateway closed the connection before the answer was finished. */
  readonly closedEarly: Promise<number>;
  /** Whether that has happened. */
  readonly isClosed: () => boolean;
}

/** An upstream that does what a test says, and remembers what it was asked. */
export class FakeUpstream {
  readonly requests: SeenRequest[] = [];
  readonly #server = createServer((request, response) => void this.#serve(request, response));
  #queue: ReplyTo[] = [];
  #otherwise: ReplyTo;
  #waiting: ((request: SeenRequest) => void)[] = [];
  #remembers = true;

  private constructor(otherwise: ReplyTo) {
    this.#otherwise = otherwise;
  }

  /** Starts one on a free port of loopback. `otherwise` answers what nothing is queued for. */
  static async start(otherwise: ReplyTo = answerAsAsked): Promise<FakeUpstream> {
    const upstream = new FakeUpstream(otherwise);
    const server = upstream.#server;
    server.keepAliveTimeout = 60_000;
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return upstream;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  /** Queues answers, first in first out. */
  reply(...replies: readonly ReplyTo[]): this {
    this.#queue.push(...replies);
    return this;
  }

  /** Replaces the answer to whatever nothing is queued for. */
  otherwise(reply: ReplyTo): this {
    this.#otherwise = reply;
    return this;
  }

  /** Forgets requests and queued answers. */
  reset(): void {
    this.requests.length = 0;
    this.#queue = [];
    this.#otherwise = answerAsAsked;
  }

  /** Keeps no request in memory: for load. */
  forgetRequests(): this {
    this.#remembers = false;
    return this;
  }

  /** The next request that arrives. */
  nextRequest(): Promise<SeenRequest> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
    } catch {
      return; // The gateway left while it was sending.
    }
    const early = Promise.withResolvers<number>();
    let closed = false;
    response.once("close", () => {
      if (response.writableFinished) return;
      closed = true;
      early.resolve(performance.now());
    });
    const seen: SeenRequest = {
      method: request.method ?? "",
      url: request.url ?? "",
      headers: request.headers,
      rawHeaders: request.rawHeaders,
      body: Buffer.concat(chunks),
      closedEarly: early.promise,
      isClosed: () => closed,
    };
    if (this.#remembers) this.requests.push(seen);
    for (const tell of this.#waiting.splice(0)) tell(seen);
    const next = this.#queue.shift() ?? this.#otherwise;
    await send(typeof next === "function" ? next(seen) : next, response);
  }
}

/** What an upstream without a script does: a whole answer in the form that was asked for. */
export function answerAsAsked(request: SeenRequest): Reply {
  if (request.url.includes("/count_tokens")) return { kind: "whole", body: { input_tokens: 7 } };
  return request.body.includes('"stream":true') ? { kind: "stream" } : { kind: "whole" };
}

async function send(reply: Reply, response: ServerResponse): Promise<void> {
  switch (reply.kind) {
    case "silent":
      return;
    case "reset":
      response.socket?.resetAndDestroy();
      return;
    case "whole":
      await reply.before?.();
      sendWhole(reply, response);
      return;
    case "stream":
      await sendStream(reply, response);
  }
}

function sendWhole(reply: WholeReply, response: ServerResponse): void {
  const { status = 200, body = messageDocument(), headers = {} } = reply;
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body));
  const common = { "content-type": "application/json", "request-id": "req_fake_upstream" };
  response.writeHead(status, { ...common, "content-length": bytes.length, ...headers });
  response.end(bytes);
}

async function sendStream(reply: StreamReply, response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "request-id": "req_fake_upstream",
    ...reply.headers,
  });
  response.flushHeaders();
  if (reply.bytes !== undefined) {
    await sendSplit(reply.bytes, reply, response);
    response.end();
    return;
  }
  for (const [index, event] of (reply.events ?? messageEvents()).entries()) {
    if (reply.cut?.afterEvents === index) {
      cut(reply.cut.how, response);
      return;
    }
    await reply.before?.(index);
    if (response.destroyed) return;
    response.write(encodeEvent(event));
  }
  response.end();
}

async function sendSplit(
  bytes: Buffer,
  { splitAt = [], betweenWrites = nextTurn }: Pick<StreamReply, "splitAt" | "betweenWrites">,
  response: ServerResponse,
): Promise<void> {
  let start = 0;
  for (const end of [...splitAt, bytes.length]) {
    if (end <= start) continue;
    if (start > 0) await betweenWrites();
    if (response.destroyed) return;
    response.write(bytes.subarray(start, end));
    start = end;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function cut(how: CutMode, response: ServerResponse): void {
  switch (how) {
    case "hang":
      return;
    case "end":
      response.end();
      return;
    case "error":
      response.end(
        encodeEvent({
          name: "error",
          data: { type: "error", error: { type: "overloaded_error", message: "Overloaded" } },
        }),
      );
      return;
    // What was written reaches the socket with the end of this turn.
    case "destroy":
      setImmediate(() => response.socket?.destroySoon());
      return;
    case "reset":
      setImmediate(() => response.socket?.resetAndDestroy());
  }
}
