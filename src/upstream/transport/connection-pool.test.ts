import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Dispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { type Connections, ConnectionPool } from "./connection-pool.ts";
import { Http1Pool } from "./http1/http1-pool.ts";

/** How one request ended. */
interface Ended {
  readonly status: number;
  readonly error: Error | null;
}

/** A handler that keeps what it is told, and can abort. */
class Witness implements Dispatcher.DispatchHandler {
  readonly ended: Promise<Ended>;
  readonly begun: Promise<Dispatcher.DispatchController>;
  body = "";
  #status = 0;
  #end: (ended: Ended) => void = () => {};
  #begin: (controller: Dispatcher.DispatchController) => void = () => {};

  constructor() {
    this.ended = new Promise((resolve) => (this.#end = resolve));
    this.begun = new Promise((resolve) => (this.#begin = resolve));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#begin(controller);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.body += chunk.toString();
  }

  onResponseEnd(): void {
    this.#end({ status: this.#status, error: null });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#end({ status: this.#status, error });
  }
}

const PATIENT = { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, keepAliveMs: 5_000 };

/** Both keep the same promises. */
const POOLS: readonly (readonly [name: string, open: (origin: string) => Connections])[] = [
  ["ConnectionPool", (origin) => new ConnectionPool(origin, {})],
  ["Http1Pool", (origin) => new Http1Pool(origin, { tls: {}, ...PATIENT })],
];

describe.each(POOLS)("%s", (_, open) => {
  let server: Server;
  let pool: Connections;
  let connections = 0;
  /** Requests that the server has received and not answered. */
  let waiting: { request: IncomingMessage; response: ServerResponse }[];
  let arrived: () => void = () => {};

  beforeEach(async () => {
    connections = 0;
    waiting = [];
    server = createServer((request, response) => {
      waiting.push({ request, response });
      arrived();
    });
    server.on("connection", () => connections++);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    // By its type an address may be a pipe's name; this server listens on a port.
    const { port } = server.address() as AddressInfo;
    pool = open(`http://127.0.0.1:${port}`);
  });

  afterEach(async () => {
    await pool.destroy();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  function dispatch(): Witness {
    const witness = new Witness();
    pool.dispatch({ path: "/", method: "GET" }, witness);
    return witness;
  }

  async function atServer(count: number): Promise<void> {
    while (waiting.length < count) await new Promise<void>((resolve) => (arrived = resolve));
  }

  function answer(text = "hello"): void {
    waiting.shift()?.response.end(text);
  }

  it("passes the answer on", async () => {
    const witness = dispatch();
    await atServer(1);
    answer();

    expect(await witness.ended).toEqual({ status: 200, error: null });
    expect(witness.body).toBe("hello");
  });

  it("uses a connection again that has fallen idle", async () => {
    for (let i = 0; i < 5; i++) {
      const witness = dispatch();
      await atServer(1);
      answer();
      await witness.ended;
    }

    expect(connections).toBe(1);
  });

  it("puts one request at a time on a connection: a slow answer holds up nobody", async () => {
    const slow = dispatch();
    await atServer(1);
    const quick = dispatch();
    await atServer(2);
    waiting[1]?.response.end("quick");
    await quick.ended;

    expect(connections).toBe(2);
    expect(pool.active).toBe(1);
    answer();
    await slow.ended;
    expect(pool.active).toBe(0);
  });

  it("counts an aborted request once, and goes on with others", async () => {
    const aborted = dispatch();
    await atServer(1);
    (await aborted.begun).abort(new Error("client gone"));
    expect((await aborted.ended).error?.message).toBe("client gone");
    expect(pool.active).toBe(0);

    waiting = [];
    const next = dispatch();
    await atServer(1);
    answer();
    expect((await next.ended).status).toBe(200);
    expect(pool.active).toBe(0);
  });

  it("tells a broken connection as an error, and opens another", async () => {
    const broken = dispatch();
    await atServer(1);
    waiting.shift()?.request.socket.destroy();
    expect((await broken.ended).error).not.toBeNull();

    const next = dispatch();
    await atServer(1);
    answer();
    expect((await next.ended).status).toBe(200);
  });

  it("closes when what is in flight has finished, not before", async () => {
    const witness = dispatch();
    await atServer(1);
    let closed = false;
    const closing = pool.close().then(() => (closed = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(false);

    answer();
    await closing;
    expect((await witness.ended).status).toBe(200);
  });

  it("closes for all who ask it to", async () => {
    const witness = dispatch();
    await atServer(1);
    const closings = [pool.close(), pool.close()];
    answer();
    await Promise.all(closings);

    expect((await witness.ended).status).toBe(200);
  });

  it("closes at once when nothing is in flight", async () => {
    await pool.close();

    expect(pool.active).toBe(0);
  });

  it("leaves no connection open after it was closed", async () => {
    const witness = dispatch();
    await atServer(1);
    answer();
    await witness.ended;
    const gone = new Promise<void>((resolve) => {
      const look = (): void => {
        server.getConnections((_, count) => {
          if (count === 0) resolve();
          else setImmediate(look);
        });
      };
      look();
    });
    await pool.close();
    await gone;

    expect(connections).toBe(1);
  });

  it("fails what is in flight when it is destroyed", async () => {
    const witness = dispatch();
    await atServer(1);
    await pool.destroy();

    expect((await witness.ended).error).not.toBeNull();
    expect(pool.active).toBe(0);
  });
});
