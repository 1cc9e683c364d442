import { once } from "node:events";
import { Readable } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";

import * as fc from "fast-check";
import { errors } from "undici";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { ConnectionPool } from "../connection-pool.ts";
import { Http1Pool, type Http1PoolOptions } from "./http1-pool.ts";
import { RecordedAnswer } from "./testing/recorded-answer.ts";
import { ScriptedServer } from "./testing/scripted-server.ts";

const OK = "HTTP/1.1 200 OK\r\n";
const HI = `${OK}content-length: 2\r\n\r\nhi`;

let server: ScriptedServer;
let pool: Http1Pool;

function poolWith(given: Partial<Http1PoolOptions> = {}): Http1Pool {
  pool = new Http1Pool(server.origin, {
    tls: {},
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 5_000,
    bodyTimeoutMs: 5_000,
    keepAliveMs: 5_000,
    ...given,
  });
  return pool;
}

beforeEach(async () => {
  server = await ScriptedServer.start();
  poolWith();
});

afterEach(async () => {
  await pool.destroy();
  expect(pool.active).toBe(0);
  expect(pool.size).toBe(0);
  await server.stop();
});

/** One request, answered and over. */
async function exchange(text = HI, connection = 0): Promise<RecordedAnswer> {
  const before = server.received[connection]?.length ?? 0;
  const answer = RecordedAnswer.of(pool);
  await server.until(() => (server.received[connection]?.length ?? 0) > before);
  server.sockets[connection]?.write(text, "latin1");
  return answer.over;
}

describe("Http1Pool, sending a request", () => {
  it("writes head and body as HTTP has it", async () => {
    const answer = RecordedAnswer.of(pool, {
      path: "/v1/messages?beta=true",
      headers: ["x-a", "1", "X-B", "caf\xe9"],
      body: Buffer.from("{\xff}", "latin1"),
    });
    const socket = await server.got("}");
    socket.write(HI);
    await answer.over;

    const { host } = new URL(server.origin);
    expect(server.received[0]).toBe(
      `POST /v1/messages?beta=true HTTP/1.1\r\nhost: ${host}\r\nconnection: keep-alive\r\n` +
        `x-a: 1\r\nX-B: caf\xe9\r\ncontent-length: 3\r\n\r\n{\xff}`,
    );
  });

  it("sends a large body byte for byte", async () => {
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, at) => at % 251));
    const answer = RecordedAnswer.of(pool, { body });
    await server.until(() => (server.received[0] ?? "").length > 300_000);
    await server.until(() => (server.received[0] ?? "").endsWith(body.toString("latin1", 299_000)));
    server.sockets[0]?.write(HI);
    await answer.over;

    expect(server.received[0]?.endsWith(`content-length: 300000\r\n\r\n${body.toString("latin1")}`)).toBe(true);
  });

  it.each([
    ["POST", "content-length: 0\r\n\r\n"],
    ["GET", "keep-alive\r\n\r\n"],
  ])("without a body, %s says what it has to", async (method, ending) => {
    const answer = RecordedAnswer.of(pool, { method, body: null });
    (await server.got("\r\n\r\n")).write(HI);
    await answer.over;

    expect(server.received[0]?.endsWith(ending)).toBe(true);
  });

  it.each([
    ["with its length", ["content-length", "6"], "content-length: 6\r\n\r\nabcdef"],
    ["in chunks without one", [], "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n"],
  ])("sends a stream %s", async (_, headers, sent) => {
    const answer = RecordedAnswer.of(pool, { headers, body: Readable.from([Buffer.from("abc"), Buffer.from("def")]) });
    (await server.got(sent)).write(HI);

    expect((await answer.over).body).toBe("hi");
  });

  it.each([["abc"], ["abcdefgh"]])("fails a stream that is not as long as announced: %s", async (text) => {
    const body = Readable.from([Buffer.from(text)]);
    const { error } = await RecordedAnswer.of(pool, { headers: ["content-length", "6"], body }).over;

    expect(error?.code).toBe("UND_ERR_REQ_CONTENT_LENGTH_MISMATCH");
    expect(body.destroyed).toBe(true);
  });

  it("fails with a stream's own error, and lets go of a stream that nobody wants any more", async () => {
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from("abc");
        throw new Error("no more");
      })(),
    );
    expect((await RecordedAnswer.of(pool, { body: broken }).over).error?.message).toBe("no more");

    const endless = new Readable({ read: () => {} });
    const answer = RecordedAnswer.of(pool, { body: endless });
    await server.got("chunked", 1);
    answer.controller?.abort(new Error("enough"));
    expect((await answer.over).error?.message).toBe("enough");
    expect(endless.destroyed).toBe(true);
  });

  it.each([
    [{ headers: ["x-a", "b\r\nx-injected: c"] }],
    [{ headers: ["x-a", "b\0"] }],
    [{ headers: ["x-a", "\u2028"] }],
    [{ headers: ["x a", "b"] }],
    [{ headers: ["", "b"] }],
    [{ headers: ["transfer-encoding", "chunked"] }],
    [{ headers: ["Upgrade", "websocket"] }],
    [{ headers: ["content-length", "1", "content-length", "1"] }],
    [{ path: "/a b" }],
    [{ path: "/a\r\nx: y" }],
    [{ path: "" }],
    [{ method: "PO ST" }],
  ])("refuses what would not be one request: %j", async (given) => {
    expect((await RecordedAnswer.of(pool, given).over).error).toBeInstanceOf(errors.InvalidArgumentError);
    expect(server.sockets).toHaveLength(0);
  });
});

describe("Http1Pool, using connections again", () => {
  it("closes a connection on which more came than was asked for", async () => {
    const answer = await exchange(`${HI}HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil`);
    expect(answer.body).toBe("hi");
    await server.until(() => server.open === 0);

    expect((await exchange(HI, 1)).body).toBe("hi");
  });

  it("does not take for an answer what came while it was idle", async () => {
    await exchange();
    server.sockets[0]?.write(`${OK}content-length: 4\r\n\r\nevil`);
    await server.until(() => server.open === 0);

    expect((await exchange(HI, 1)).body).toBe("hi");
  });

  it("takes another connection where the server has closed the idle one", async () => {
    await exchange();
    server.sockets[0]?.end();
    await server.until(() => server.open === 0);

    expect((await exchange(HI, 1)).body).toBe("hi");
  });

  it("tells a reused connection that breaks before the answer as undici does, and does not repeat by itself", async () => {
    await exchange();
    const answer = RecordedAnswer.of(pool);
    await server.until(() => (server.received[0] ?? "").split("POST").length === 3);
    server.sockets[0]?.destroy();

    expect((await answer.over).error).toBeInstanceOf(errors.SocketError);
    expect(server.sockets).toHaveLength(1);
  });

  it.each([
    ["connection: close\r\n", 1],
    ["keep-alive: timeout=1\r\n", 1],
    ["keep-alive: timeout=60\r\n", 0],
  ])("after an answer with %j, %i connections less are open", async (field, closed) => {
    await exchange(`${OK}${field}content-length: 0\r\n\r\n`);
    await server.until(() => server.open === 1 - closed);

    expect(pool.size).toBe(1 - closed);
  });

  it("closes a connection that nobody has used for its time", async () => {
    poolWith({ keepAliveMs: 20 });
    await exchange();
    await server.until(() => server.open === 0);

    expect(pool.size).toBe(0);
  });

  it("closes the connection of HEAD, and of an answer that came before the whole request", async () => {
    const head = RecordedAnswer.of(pool, { method: "HEAD", body: null });
    (await server.got("connection: close")).write(`${OK}content-length: 5\r\n\r\n`);
    await head.over;
    await server.until(() => server.open === 0);

    const early = RecordedAnswer.of(pool, { body: new Readable({ read: () => {} }) });
    (await server.got("chunked", 1)).write(HI);
    expect((await early.over).body).toBe("hi");
    await server.until(() => server.open === 0);
  });
});

describe("Http1Pool, when an answer fails", () => {
  it.each([
    ["", "UND_ERR_SOCKET"],
    [OK, "UND_ERR_SOCKET"],
    [`${OK}content-length: 5\r\n\r\nhel`, "UND_ERR_SOCKET"],
    [`${OK}transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n`, "UND_ERR_SOCKET"],
  ])("tells an end after %j as one", async (text, code) => {
    const answer = RecordedAnswer.of(pool);
    (await server.got("{}")).end(text);

    expect(await answer.over).toMatchObject({ error: { code }, ends: 1 });
  });

  it("tells a reset by the system's name", async () => {
    const answer = RecordedAnswer.of(pool);
    (await server.got("{}")).resetAndDestroy();

    expect((await answer.over).error?.code).toBe("ECONNRESET");
  });

  it("tells what is no HTTP as that, and closes", async () => {
    const answer = RecordedAnswer.of(pool);
    (await server.got("{}")).write("SSH-2.0\r\n");

    expect((await answer.over).error?.code).toBe("HPE_INVALID_CONSTANT");
    await server.until(() => server.open === 0);
  });

  it("gives the head to the handler before what is wrong with the body", async () => {
    const answer = RecordedAnswer.of(pool);
    (await server.got("{}")).write(`${OK}transfer-encoding: chunked\r\n\r\nzz\r\n`);

    expect(await answer.over).toMatchObject({ status: 200, error: { code: "HPE_INVALID_CHUNK_SIZE" } });
  });

  it.each([
    ["to begin", "", "UND_ERR_HEADERS_TIMEOUT"],
    ["to begin after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", "UND_ERR_HEADERS_TIMEOUT"],
    ["to go on", `${OK}content-length: 5\r\n\r\nh`, "UND_ERR_BODY_TIMEOUT"],
  ])("gives up one that takes too long %s, and closes", async (_, text, code) => {
    const answer = RecordedAnswer.of(pool, { headersTimeout: 30, bodyTimeout: 30 });
    (await server.got("{}")).write(text);

    expect(await answer.over).toMatchObject({ error: { code }, ends: 1 });
    await server.until(() => server.open === 0);
  });

  it("does not give up an answer that the handler itself has paused", async () => {
    const answer = RecordedAnswer.of(pool, { bodyTimeout: 20 });
    answer.onChunk = () => answer.controller?.pause();
    const socket = await server.got("{}");
    socket.write(`${OK}content-length: 2\r\n\r\nh`);
    await answer.begun;
    // Longer than the timeout: a timer that rang for a paused answer would have failed it.
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect(answer.ends).toBe(0);
    socket.write("i");
    answer.controller?.resume();

    expect((await answer.over).body).toBe("hi");
  });

  it("tells a refused connection, and one that cannot be made in time, as undici does", async () => {
    const gone = await ScriptedServer.start();
    const nowhere = new Http1Pool(gone.origin, { ...LIMITS, tls: {} });
    await gone.stop();
    expect((await RecordedAnswer.of(nowhere).over).error?.code).toBe("ECONNREFUSED");

    const never = new Http1Pool("http://nobody.test", { ...LIMITS, tls: {}, connectTimeoutMs: 20, lookup: () => {} });
    const { error } = await RecordedAnswer.of(never).over;
    expect(error).toBeInstanceOf(errors.ConnectTimeoutError);
    expect([nowhere.active, nowhere.size, never.active, never.size]).toEqual([0, 0, 0, 0]);
  });

  it("fails the request where a certificate is none", async () => {
    const pool = new Http1Pool("https://127.0.0.1:9", { ...LIMITS, tls: { cert: "none", key: "none" } });

    expect((await RecordedAnswer.of(pool).over).error).toBeInstanceOf(Error);
    expect(pool.active).toBe(0);
  });
});

const LIMITS = { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, keepAliveMs: 5_000 };

describe("Http1Pool, whose handler decides", () => {
  it("closes the connection of what is aborted: before it is open, before the answer, within it", async () => {
    const early = RecordedAnswer.of(pool);
    early.controller?.abort(new Error("early"));
    expect((await early.over).error?.message).toBe("early");

    const waiting = RecordedAnswer.of(pool);
    const connection = (await server.got("{}", server.sockets.length)) && server.sockets.length - 1;
    waiting.controller?.abort(new Error("waiting"));
    expect((await waiting.over).error?.message).toBe("waiting");
    await server.until(() => server.sockets[connection]?.destroyed === true);

    const within = RecordedAnswer.of(pool);
    within.onChunk = () => within.controller?.abort(new Error("within"));
    (await server.got("{}", connection + 1)).write(HI);
    expect(await within.over).toMatchObject({ error: { message: "within" }, ends: 1 });
    await server.until(() => server.open === 0);
    expect(pool.active).toBe(0);
  });

  it("keeps a connection whose call was given up before anything of it was sent", async () => {
    await exchange();
    const answer = RecordedAnswer.of(pool);
    answer.controller?.abort(new Error("at once"));
    await answer.over;
    await turn();

    expect((await exchange()).body).toBe("hi");
    expect(server.sockets).toHaveLength(1);
  });

  it("closes nothing when it is told to abort what is over: the connection may serve another", async () => {
    const over = await exchange();
    const next = RecordedAnswer.of(pool);
    await server.until(() => (server.received[0] ?? "").split("POST").length === 3);
    over.controller?.abort(new Error("late"));
    over.controller?.pause();
    server.sockets[0]?.write(HI);

    expect(await next.over).toMatchObject({ body: "hi", error: null });
    expect(over.ends).toBe(1);
  });

  it("does not read on while it is paused", async () => {
    const answer = RecordedAnswer.of(pool);
    answer.onChunk = () => answer.controller?.pause();
    const socket = await server.got("{}");
    const size = 32 * 1024 * 1024;
    socket.write(`${OK}content-length: ${size}\r\n\r\n`);
    const isTaken = socket.write(Buffer.alloc(size));
    await answer.begun;
    await turn();
    const before = answer.chunks.length;
    await turn();

    expect(isTaken).toBe(false);
    expect(answer.chunks.length).toBe(before);
    answer.onChunk = () => {};
    answer.controller?.resume();
    await answer.over;
    expect(answer.chunks.reduce((sum, chunk) => sum + chunk.length, 0)).toBe(size);
  });

  it.each(["onRequestStart", "onResponseStart", "onResponseData"] as const)(
    "ends a request whose handler throws in %s with what was thrown",
    async (name) => {
      const answer = new RecordedAnswer();
      answer[name] = () => {
        throw new Error("thrown");
      };
      pool.dispatch({ path: "/", method: "POST", body: "{}" }, answer);
      if (name !== "onRequestStart") (await server.got("{}")).write(HI);

      expect(await answer.over).toMatchObject({ error: { message: "thrown" }, ends: 1 });
    },
  );
});

describe("Http1Pool beside undici", () => {
  const name = fc.constantFrom("x-a", "X-B", "content-type", "set-cookie", "retry-after");
  // undici leaves white space at the end of a value, which is none of it (RFC 9110, 5.5).
  const value = fc.string({ unit: fc.constantFrom("a", "Z", "0", " ", ":", ",", "\xe9"), maxLength: 12 }).map(trimEnd);
  const status = fc.constantFrom(200, 201, 204, 304, 400, 429, 500, 529);
  const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 300 }), { maxLength: 5 });
  const framing = fc.constantFrom("length", "chunked", "close");
  const cuts = fc.array(fc.nat({ max: 1_500 }), { maxLength: 4 });

  it("reads every valid answer as undici does, however it is cut", async () => {
    const one = fc.record({ status, fields: fc.array(fc.tuple(name, value), { maxLength: 5 }), parts, framing, cuts });
    await fc.assert(
      fc.asyncProperty(one, async (given) => {
        const bytes = answerBytes(given);
        const ours = await heard(new Http1Pool(server.origin, { ...LIMITS, tls: {} }), bytes, given.cuts);
        const theirs = await heard(new ConnectionPool(server.origin, {}), bytes, given.cuts);
        expect(ours).toEqual(theirs);
        expect(ours.error).toBeNull();
      }),
      { numRuns: 60 },
    );
  });

  function trimEnd(text: string): string {
    return text.trimEnd();
  }

  type Heard = Pick<RecordedAnswer, "status" | "headers" | "body" | "trailers" | "error" | "ends">;

  interface Given {
    readonly status: number;
    readonly fields: readonly (readonly [string, string])[];
    readonly parts: readonly Uint8Array[];
    readonly framing: string;
  }

  function answerBytes({ status, fields, parts, framing }: Given): Buffer {
    const bodiless = status === 204 || status === 304;
    const data = bodiless ? [] : parts.map((part) => Buffer.from(part));
    const head = [`HTTP/1.1 ${status} Whatever`, ...fields.map(([name, value]) => `${name}: ${value}`)];
    let body = Buffer.concat(data);
    if (!bodiless && framing === "length") head.push(`content-length: ${body.length}`);
    if (!bodiless && framing === "chunked") {
      head.push("transfer-encoding: chunked");
      const chunks = data.map((part) => [Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n")]);
      body = Buffer.concat([...chunks.flat(), Buffer.from("0\r\n\r\n")]);
    }
    return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1"), body]);
  }

  async function heard(
    connections: Http1Pool | ConnectionPool,
    bytes: Buffer,
    cuts: readonly number[],
  ): Promise<Heard> {
    const index = server.sockets.length;
    const answer = RecordedAnswer.of(connections);
    const socket = await server.got("{}", index);
    let from = 0;
    for (const cut of cuts.toSorted((a, b) => a - b)) {
      const to = Math.min(cut, bytes.length);
      if (to > from) socket.write(bytes.subarray(from, to));
      from = Math.max(from, to);
      await turn();
    }
    socket.end(bytes.subarray(from));
    await answer.over;
    if (!socket.destroyed) await once(socket, "close");
    await connections.destroy();
    const { status, headers, body, trailers, error, ends } = answer;
    return { status, headers, body, trailers, error, ends };
  }
});
