import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";

import type { Component } from "../../../src/core/component.ts";
import { SeededRandom } from "../../../src/upstream/sandbox/seeded-random.ts";

/**
 * What a proxied connection suffers. All act on the bytes from server to client, `hang` and `blackhole` on both ways; a
 * change applies to connections that are open already, too.
 */
export interface ProxyFaults {
  /** Delay of every piece that the server sends, milliseconds. */
  readonly latencyMs?: number;
  /** The delay is longer by up to this much, milliseconds. */
  readonly jitterMs?: number;
  /** Bytes a second. */
  readonly rate?: number;
  /** The connection ends after so many bytes, counted for each connection. */
  readonly cutAfter?: number;
  /** A cut is a reset instead of an orderly end. */
  readonly rst?: boolean;
  /** Bytes are held, and go on when this is taken away. */
  readonly hang?: boolean;
  /** Bytes vanish. */
  readonly blackhole?: boolean;
  /** Bytes a write, each write in a turn of its own. */
  readonly slice?: number;
  /** Probability with which one bit of a piece is turned over. */
  readonly corrupt?: number;
  /** New connections are reset at once. */
  readonly refuse?: boolean;
}

/** A way through the proxy, and the two ends it joins. */
interface Lane {
  readonly from: Socket;
  readonly to: Socket;
  readonly isDown: boolean;
  /** Bytes that have gone through. */
  passed: number;
}

/** Stands between a client and a server on loopback as raw TCP, and spoils what passes as a test says. */
export class FaultProxy implements Component {
  readonly name = "fault-proxy";
  readonly #target: { readonly host: string; readonly port: number };
  readonly #random: SeededRandom;
  readonly #sockets = new Set<Socket>();
  #faults: ProxyFaults = {};
  /** Resolved, and replaced, whenever the faults change. */
  #changed = Promise.withResolvers<void>();
  #server: Server | null = null;
  #port = 0;
  #accepted = 0;
  #swallowed = 0;

  /** `target` as `http://host:port`. The seed decides jitter and corruption. */
  constructor(target: string, seed = "fault-proxy") {
    const { hostname, port } = new URL(target);
    this.#target = { host: hostname, port: Number(port) };
    this.#random = new SeededRandom(seed);
  }

  static async start(target: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(target);
    await proxy.start();
    return proxy;
  }

  /** Where clients connect; the same for its whole life. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** Sockets open now, two for each connection. */
  get openSockets(): number {
    return this.#sockets.size;
  }

  /** Connections that clients have made so far, refused ones included. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Bytes that have vanished in `blackhole`. */
  get swallowed(): number {
    return this.#swallowed;
  }

  /** Replaces the faults; an empty object ends them. */
  set(faults: ProxyFaults): this {
    this.#faults = faults;
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
    return this;
  }

  async start(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#join(client));
    this.#server = server;
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port: this.#port, host: "127.0.0.1", backlog: 4096 }, resolve);
    });
    this.#port = (server.address() as AddressInfo).port; // it listens on TCP
  }

  /** Closes the port and resets every connection. `start` opens the same port again. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === null) return;
    this.#server = null;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    this.killAll();
    this.set({});
    await closed;
  }

  /** Resets every connection that is open. */
  killAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #join(client: Socket): void {
    this.#accepted += 1;
    if (this.#faults.refuse === true) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({ ...this.#target, allowHalfOpen: true, noDelay: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.resetAndDestroy());
      socket.once("close", () => this.#sockets.delete(socket));
    }
    // The server must see that its client has gone. What the server sent before it left is still on its way.
    client.once("close", () => server.destroySoon());
    void this.#carry({ from: client, to: server, isDown: false, passed: 0 });
    void this.#carry({ from: server, to: client, isDown: true, passed: 0 });
  }

  async #carry(lane: Lane): Promise<void> {
    try {
      for await (const piece of lane.from.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (!(await this.#pass(piece, lane))) return;
      }
    } catch {
      // Its error handler has reset the other end already, if there was an error.
      lane.to.destroySoon();
      return;
    }
    if (lane.to.writable) lane.to.end();
  }

  /** False when the connection was cut. */
  async #pass(piece: Buffer, lane: Lane): Promise<boolean> {
    if (this.#faults.blackhole === true) {
      this.#swallowed += piece.length;
      return true;
    }
    while (this.#faults.hang === true && !lane.to.destroyed) {
      await Promise.race([this.#changed.promise, closeOf(lane.to)]);
    }
    if (!lane.isDown) {
      // What a client sends after a cut is read and lost, so that its own end is seen.
      await write(lane.to, piece);
      return true;
    }
    const { latencyMs = 0, jitterMs = 0, slice = piece.length } = this.#faults;
    await pause(latencyMs + this.#random.next() * jitterMs, lane.to);
    for (let start = 0; start < piece.length; start += slice) {
      if (!(await this.#passSlice(piece.subarray(start, start + slice), lane))) return false;
      if (slice < piece.length) await new Promise((resolve) => setImmediate(resolve));
    }
    return true;
  }

  async #passSlice(bytes: Buffer, lane: Lane): Promise<boolean> {
    const { corrupt = 0, rate, cutAfter, rst = false } = this.#faults;
    if (rate !== undefined) await pause((bytes.length / rate) * 1000, lane.to);
    const sound = corrupt > 0 && this.#random.next() < corrupt ? this.#spoilt(bytes) : bytes;
    const left = (cutAfter ?? Number.POSITIVE_INFINITY) - lane.passed;
    lane.passed += sound.length;
    if (sound.length < left) return await write(lane.to, sound);
    await write(lane.to, sound.subarray(0, Math.max(0, left)));
    await cut(lane, rst);
    return false;
  }

  #spoilt(bytes: Buffer): Buffer {
    const spoilt = Buffer.from(bytes);
    const at = Math.min(bytes.length - 1, Math.floor(this.#random.next() * bytes.length));
    spoilt[at] = (spoilt[at] ?? 0) ^ 0x20;
    return spoilt;
  }
}

/** Writes; false when the other end has gone. Resolves once there is room for more. */
async function write(to: Socket, bytes: Buffer): Promise<boolean> {
  if (!to.writable) return false;
  if (!to.write(bytes) && !to.destroyed) {
    await Promise.race([new Promise<void>((resolve) => void to.once("drain", () => resolve())), closeOf(to)]);
  }
  return to.writable;
}

/** Ends the client's side; the bytes before must have reached its socket, which a reset would throw away. */
async function cut({ from, to }: Lane, isReset: boolean): Promise<void> {
  if (to.writable) await new Promise<void>((resolve) => void to.write(Buffer.alloc(0), () => resolve()));
  if (isReset) to.resetAndDestroy();
  else to.end();
  from.destroy();
}

function closeOf(socket: Socket): Promise<void> {
  return socket.destroyed ? Promise.resolve() : new Promise((resolve) => void socket.once("close", () => resolve()));
}

/** Waits, but not for a connection that has gone. */
async function pause(waitMs: number, socket: Socket): Promise<void> {
  if (waitMs <= 0 || socket.destroyed) return;
  await new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(timer);
      socket.off("close", finish);
      resolve();
    };
    const timer = setTimeout(finish, waitMs);
    socket.once("close", finish);
  });
}
