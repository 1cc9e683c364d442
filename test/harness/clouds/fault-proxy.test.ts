/** The fault proxy, in front of a plain TCP echo and in front of stand-ins that verify what passes. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { once } from "node:events";

import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ask, LiveAnswer } from "../http-answer.ts";
import { eventually, within } from "../waiting.ts";
import { cloudKind } from "./clouds.ts";
import { directRequest } from "./direct-request.ts";
import { FaultProxy } from "./fault-proxy.ts";

/** What a connection through the proxy received, and how it ended. */
interface Received {
  readonly bytes: Buffer;
  readonly error: string | null;
}

/** Sends one text, half-closes, and reads to the end. */
async function exchange(port: number, text: string): Promise<Received> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  const chunks: Buffer[] = [];
  const ended = new Promise<string | null>((resolve) => {
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.once("end", () => resolve(null));
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
  socket.end(text);
  const error = await ended;
  socket.destroy();
  return { bytes: Buffer.concat(chunks), error };
}

/** Resolves when a socket has closed, with an error or without. */
function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}

describe("the fault proxy before an echo", () => {
  let echo: Server;
  let proxy: FaultProxy;
  const atServer: Socket[] = [];

  beforeEach(async () => {
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      atServer.push(socket);
      socket.on("error", () => {});
      socket.pipe(socket);
    });
    echo.listen(0, "127.0.0.1");
    await once(echo, "listening");
    proxy = await FaultProxy.start(`http://127.0.0.1:${(echo.address() as AddressInfo).port}`); // it listens on TCP
  });
  afterEach(async () => {
    await proxy.stop();
    for (const socket of atServer.splice(0)) socket.destroy();
    await new Promise((resolve) => echo.close(resolve));
  });

  it("passes everything when nothing is set", async () => {
    const text = "x".repeat(300_000);
    expect(await exchange(proxy.port, text)).toEqual({ bytes: Buffer.from(text), error: null });
    expect(proxy.accepted).toBe(1);
  });

  it("passes the same bytes however it delays, slows and slices them", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ minLength: 1, maxLength: 200 }),
        fc.record({
          latencyMs: fc.constantFrom(0, 1),
          jitterMs: fc.constantFrom(0, 2),
          slice: fc.integer({ min: 1, max: 50 }),
          rate: fc.constant(1_000_000),
        }),
        async (text, faults) => {
          proxy.set(faults);
          expect((await exchange(proxy.port, text)).bytes.toString("utf8")).toBe(Buffer.from(text).toString("utf8"));
        },
      ),
      { numRuns: 20 },
    );
  });

  it.each([0, 1, 5, 9])("cuts after %i bytes with an orderly end", async (cutAfter) => {
    proxy.set({ cutAfter });
    expect(await exchange(proxy.port, "0123456789")).toEqual({
      bytes: Buffer.from("0123456789".slice(0, cutAfter)),
      error: null,
    });
  });

  it("cuts with a reset", async () => {
    proxy.set({ cutAfter: 4, rst: true });
    const { bytes, error } = await exchange(proxy.port, "0123456789");
    expect(error).toBe("ECONNRESET");
    expect("0123").toContain(bytes.toString());
  });

  it("turns over exactly one bit of a piece, the same for the same seed", async () => {
    proxy.set({ corrupt: 1 });
    const { bytes } = await exchange(proxy.port, "AAAAAAAA");
    const changed = [...bytes].filter((byte) => byte !== 0x41);
    expect(changed).toEqual([0x61]);
  });

  it("holds bytes while it hangs, and lets them go afterwards", async () => {
    proxy.set({ hang: true });
    const pending = exchange(proxy.port, "held");
    await eventually("the client is connected", () => proxy.openSockets === 2);
    proxy.set({});
    expect((await pending).bytes.toString()).toBe("held");
  });

  it("swallows bytes for good in a black hole", async () => {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    const chunks: Buffer[] = [];
    socket.on("data", (chunk: Buffer) => chunks.push(chunk));
    socket.on("error", () => {});
    await once(socket, "connect");
    socket.write("one");
    await eventually("the echo is there", () => Buffer.concat(chunks).toString() === "one");
    proxy.set({ blackhole: true });
    socket.write("two");
    await eventually("the proxy has swallowed it", () => proxy.swallowed === 3);
    proxy.set({});
    socket.write("three");
    await eventually("the next is there", () => Buffer.concat(chunks).toString().endsWith("three"));
    expect(Buffer.concat(chunks).toString()).toBe("onethree");
    socket.destroy();
  });

  it("refuses new connections with a reset, and keeps those it has", async () => {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(socket, "connect");
    await eventually("the server has it", () => atServer.length === 1);
    proxy.set({ refuse: true });
    expect((await exchange(proxy.port, "x")).error).toBe("ECONNRESET");
    socket.write("still here");
    const [data] = (await within("the echo", once(socket, "data"))) as [Buffer]; // what sockets emit
    expect(data.toString()).toBe("still here");
    socket.destroy();
  });

  it("resets what is open, and tells the server that a client has gone", async () => {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(socket, "connect");
    await eventually("the server has it", () => atServer.length === 1);
    const closed = closeOf(atServer[0]!);
    const failed = once(socket, "error");
    proxy.killAll();
    await within("the client to see it", failed);
    await within("the server to see it", closed);
    await eventually("nothing is open", () => proxy.openSockets === 0);
    const second = connect({ port: proxy.port, host: "127.0.0.1" });
    await once(second, "connect");
    await eventually("the server has the next", () => atServer.length === 2);
    const left = closeOf(atServer[1]!);
    second.destroy();
    await within("the server to see that it left", left);
  });

  it("closes its port and opens the same again; then nothing is left of faults", async () => {
    const { port } = proxy;
    proxy.set({ refuse: true });
    await proxy.stop();
    expect((await exchange(port, "x")).error).toBe("ECONNREFUSED");
    await proxy.start();
    expect(proxy.port).toBe(port);
    expect((await exchange(port, "x")).bytes.toString()).toBe("x");
  });

  it("resets its client when there is no server", async () => {
    const gone = new FaultProxy("http://127.0.0.1:1");
    await gone.start();
    expect((await exchange(gone.port, "x")).error).toBe("ECONNRESET");
    await gone.stop();
  });
});

describe("the fault proxy before a stand-in", () => {
  it("carries signed requests, and cuts their streams where a client can tell", async () => {
    const running = await cloudKind("bedrock").start();
    const proxy = await FaultProxy.start(running.server.url);
    try {
      const { url, headers, body } = await directRequest(running, { isStream: true, baseUrl: proxy.url });
      expect((await ask(url, { headers, body })).isWhole).toBe(true);
      proxy.set({ cutAfter: 1_500 });
      const again = await directRequest(running, { isStream: true, baseUrl: proxy.url });
      const answer = await LiveAnswer.open(url, { headers: again.headers, body });
      expect(await answer.ended).toBe(false);
      expect(running.server.problems).toEqual([]);
    } finally {
      await proxy.stop();
      await running.stop();
    }
  });
});
