import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { Fields } from "./field-lines.ts";
import { MAX_HEAD_BYTES, ResponseParser } from "./response-parser.ts";

interface Read {
  status: number | null;
  reason: string;
  headers: Fields;
  body: string;
  ended: boolean;
  reusable: boolean;
  trailers: Fields;
  error: string | null;
}

/** What comes of an answer that arrives in pieces, the connection being closed after the last one if `closes`. */
function read(pieces: readonly Buffer[], { method = "POST", closes = false } = {}): Read {
  const parser = new ResponseParser();
  parser.begin(method);
  const result: Read = {
    status: null,
    reason: "",
    headers: {},
    body: "",
    ended: false,
    reusable: false,
    trailers: {},
    error: null,
  };
  // One buffer for all pieces, as on connections: what the parser keeps must be its own.
  const shared = Buffer.alloc(70_000);
  const body: Buffer[] = [];
  try {
    for (const piece of pieces) {
      piece.copy(shared);
      parser.push(shared, piece.length);
      if (parser.head !== null) {
        const { status, reason, headers } = parser.head;
        Object.assign(result, { status, reason, headers });
      }
      body.push(parser.body);
      shared.fill("X");
    }
    if (closes && !parser.ended && !parser.end()) result.error = "cut";
  } catch (error) {
    // Errors of the parser are undici's, and all of them have a code.
    result.error = (error as { code: string }).code;
  }
  result.ended = parser.ended;
  result.reusable = parser.ended && parser.isPersistent && !parser.hasLeftover;
  result.trailers = parser.trailers;
  result.body = Buffer.concat(body).toString("latin1");
  return result;
}

function whole(text: string, options?: { method?: string; closes?: boolean }): Read {
  return read([Buffer.from(text, "latin1")], options);
}

const OK = "HTTP/1.1 200 OK\r\n";
const SSE =
  `${OK}content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n` +
  "d\r\ndata: hello\n\n\r\nA;x=y\r\n0123456789\r\n0\r\nx-sum: 1\r\n\r\n";

interface ValidAnswer {
  readonly name: string;
  readonly text: string;
  readonly options?: { method?: string; closes?: boolean };
}

const VALID_ROWS: readonly (readonly [name: string, text: string, options?: ValidAnswer["options"]])[] = [
  ["a length", `${OK}content-length: 5\r\nX-Two: a\r\nx-two: b\r\n\r\nhello`],
  ["chunks, an extension and a trailer", SSE],
  ["no body", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["a length of none", `${OK}content-length: 0\r\n\r\n`],
  ["a length to HEAD", `${OK}content-length: 5\r\n\r\n`, { method: "HEAD" }],
  ["its own end as the connection's", `${OK}\r\nall that comes`, { closes: true }],
  [
    "interim answers before it",
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <x>\r\n\r\n${OK}content-length: 2\r\n\r\nhi`,
  ],
  ["no reason and no space for it", "HTTP/1.1 529\r\ncontent-length: 2\r\n\r\nhi"],
  ["bytes that are no ASCII", `${OK}x-name: caf\xe9\r\ncontent-length: 3\r\n\r\n\xff\x00\r`],
  [
    "two answers, of which the second was not asked for",
    `${OK}content-length: 1\r\n\r\naHTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\nb`,
  ],
];

const VALID: readonly ValidAnswer[] = VALID_ROWS.map(([name, text, options]) => ({
  name,
  text,
  ...(options === undefined ? {} : { options }),
}));

const HOSTILE: readonly (readonly [name: string, text: string, code: string])[] = [
  ["another protocol", "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["an empty line first", `\r\n${OK}\r\n`, "HPE_INVALID_CONSTANT"],
  ["a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["a status below 100", "HTTP/1.1 099 OK\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["two spaces in the status line", "HTTP/1.1  200 OK\r\n\r\n", "HPE_INVALID_CONSTANT"],
  ["bare line feeds", "HTTP/1.1 200 OK\ncontent-length: 0\n\n", "HPE_INVALID_HEADER_TOKEN"],
  ["one bare line feed", `${OK}a: b\nc: d\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a bare carriage return", `${OK}a: b\rc: d\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a NUL in a value", `${OK}a: b\0\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a folded line", `${OK}a: b\r\n c\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a folded first line", `${OK} a: b\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a space before the colon", `${OK}content-length : 5\r\n\r\nhello`, "HPE_INVALID_HEADER_TOKEN"],
  ["a name of nothing", `${OK}: b\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a field without a colon", `${OK}abc\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["a name that is no token", `${OK}a(b): c\r\n\r\n`, "HPE_INVALID_HEADER_TOKEN"],
  ["two lengths", `${OK}content-length: 5\r\ncontent-length: 6\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["the same length twice", `${OK}content-length: 5\r\ncontent-length: 5\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a list of lengths", `${OK}content-length: 5, 5\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a negative length", `${OK}content-length: -5\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a length with a sign", `${OK}content-length: +5\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a hexadecimal length", `${OK}content-length: 0x5\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a length of nothing", `${OK}content-length:\r\n\r\nhello`, "HPE_INVALID_CONTENT_LENGTH"],
  ["a length beyond numbers", `${OK}content-length: 99999999999999999999\r\n\r\n`, "HPE_INVALID_CONTENT_LENGTH"],
  [
    "a length beside chunks",
    `${OK}content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    "HPE_UNEXPECTED_CONTENT_LENGTH",
  ],
  ["another transfer coding", `${OK}transfer-encoding: gzip\r\n\r\n`, "HPE_INVALID_TRANSFER_ENCODING"],
  ["chunked with another", `${OK}transfer-encoding: gzip, chunked\r\n\r\n`, "HPE_INVALID_TRANSFER_ENCODING"],
  [
    "chunked twice",
    `${OK}transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n`,
    "HPE_INVALID_TRANSFER_ENCODING",
  ],
  ["something like chunked", `${OK}transfer-encoding: xchunked\r\n\r\n`, "HPE_INVALID_TRANSFER_ENCODING"],
  ["chunks under HTTP/1.0", "HTTP/1.0 200 OK\r\ntransfer-encoding: chunked\r\n\r\n", "HPE_INVALID_TRANSFER_ENCODING"],
  ["a protocol switched unasked", "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n", "UND_ERR_SOCKET"],
  ["interim answers without end", `${"HTTP/1.1 100 Continue\r\n\r\n".repeat(17)}${OK}\r\n`, "HPE_INVALID_STATUS"],
  ["too many fields", `${OK}${"a: b\r\n".repeat(257)}\r\n`, "HPE_HEADER_OVERFLOW"],
  ["a head that is too long", `${OK}a: ${"b".repeat(MAX_HEAD_BYTES)}\r\n\r\n`, "UND_ERR_HEADERS_OVERFLOW"],
  ["a head without end", `${OK}a: ${"b".repeat(MAX_HEAD_BYTES)}`, "UND_ERR_HEADERS_OVERFLOW"],
];

const CHUNKED_HEAD = `${OK}transfer-encoding: chunked\r\n\r\n`;
const HOSTILE_CHUNKS: readonly (readonly [name: string, text: string, code: string])[] = [
  ["a size of nothing", "\r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a size with a sign", "+5\r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a size with a prefix", "0x5\r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a size that is no number", "g\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a space before the size", " 5\r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a space after the size", "5 \r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a size beyond numbers", "fffffffffffffffff\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a size with many zeros", `${"0".repeat(14)}\r\n`, "HPE_INVALID_CHUNK_SIZE"],
  ["a bare line feed after the size", "5\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["a bare carriage return after the size", "5\rhello\r\n", "HPE_STRICT"],
  ["a line feed in an extension", "5;a\nb\r\nhello\r\n", "HPE_INVALID_CHUNK_SIZE"],
  ["an extension without end", `5;${"x".repeat(1_025)}`, "HPE_CHUNK_EXTENSIONS_OVERFLOW"],
  ["data longer than its size", "5\r\nhello!\r\n", "HPE_STRICT"],
  ["data that ends in a bare line feed", "5\r\nhello\n0\r\n\r\n", "HPE_STRICT"],
  ["data that ends in a bare carriage return", "5\r\nhello\r0\r\n\r\n", "HPE_STRICT"],
  ["trailers that end in bare line feeds", "0\r\na: b\n\n", "HPE_INVALID_HEADER_TOKEN"],
  ["a folded trailer", "0\r\na: b\r\n c\r\n\r\n", "HPE_INVALID_HEADER_TOKEN"],
  ["trailers without end", `0\r\n${"a: b\r\n".repeat(2_800)}`, "HPE_HEADER_OVERFLOW"],
];

describe("ResponseParser, given an answer", () => {
  it("with a length, has its head, and its body as long as it says", () => {
    expect(whole(`${OK}Content-Length: 5\r\nX-Two:a \r\nx-two:\t b\r\n\r\nhello`)).toMatchObject({
      status: 200,
      reason: "OK",
      headers: { "content-length": "5", "x-two": ["a", "b"] },
      body: "hello",
      ended: true,
      reusable: true,
    });
  });

  it("in chunks, has their data without what is around it, and the trailers", () => {
    expect(whole(SSE)).toMatchObject({
      body: "data: hello\n\n0123456789",
      ended: true,
      reusable: true,
      trailers: { "x-sum": "1" },
    });
  });

  it("has no end before its last byte", () => {
    const text = `${OK}content-length: 5\r\n\r\nhello`;
    expect(whole(text.slice(0, -1), { closes: true })).toMatchObject({ ended: false, error: "cut" });
    expect(whole(SSE.slice(0, -1), { closes: true })).toMatchObject({ ended: false, error: "cut" });
    expect(whole(OK, { closes: true })).toMatchObject({ status: null, error: "cut" });
  });

  it("that ends with its connection, ends only then, and the connection is not used again", () => {
    expect(whole(`${OK}\r\nall`)).toMatchObject({ body: "all", ended: false });
    expect(whole(`${OK}\r\nall`, { closes: true })).toMatchObject({ body: "all", ended: true, reusable: false });
  });

  it.each([
    [`${OK}content-length: 0\r\nconnection: close\r\n\r\n`, false],
    [`${OK}content-length: 0\r\nconnection: x, Close\r\n\r\n`, false],
    [`HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n`, false],
    [`HTTP/1.0 200 OK\r\ncontent-length: 0\r\nconnection: keep-alive\r\n\r\n`, true],
    [`HTTP/1.1 204 No Content\r\n\r\n`, true],
    [`HTTP/1.1 204 No Content\r\ncontent-length: 3\r\n\r\n`, false],
    [`HTTP/1.1 304 Not Modified\r\ntransfer-encoding: chunked\r\n\r\n`, false],
    [`${OK}content-length: 1\r\n\r\nab`, false],
    [`${CHUNKED_HEAD}0\r\n\r\nX`, false],
  ])("knows whether its connection may be used again: %j", (text, reusable) => {
    expect(whole(text)).toMatchObject({ ended: true, reusable, error: null });
  });

  it("without a body by its status or its request, has none whatever it says", () => {
    expect(whole(`HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n`)).toMatchObject({ ended: true, body: "" });
    expect(whole(CHUNKED_HEAD, { method: "HEAD" })).toMatchObject({ ended: true, body: "", reusable: false });
  });

  it("keeps a field of a prototype's name from being one", () => {
    const { headers } = whole(`${OK}__proto__: x\r\nconstructor: y\r\ncontent-length: 0\r\n\r\n`);
    expect(Object.getPrototypeOf(headers)).toBe(Object.prototype);
    expect(Object.entries(headers)).toEqual([
      ["constructor", "y"],
      ["content-length", "0"],
    ]);
  });

  it.each(VALID)("with $name, reads the same however it is cut in two, and byte by byte", ({ text, options }) => {
    const bytes = Buffer.from(text, "latin1");
    const { reusable, ...expected } = whole(text, options);
    expect(expected).toMatchObject({ ended: true, error: null });
    for (let at = 1; at < bytes.length; at++) {
      const result = read([bytes.subarray(0, at), bytes.subarray(at)], options);
      expect(result, `cut at ${at}`).toMatchObject({ ...expected, reusable });
    }
    const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1));
    expect(read(single, options)).toMatchObject(expected);
  });

  it.each(HOSTILE)("refuses %s, however it is cut", (_, text, code) => {
    expect(whole(text)).toMatchObject({ error: code, ended: false });
    const bytes = Buffer.from(text, "latin1");
    const cuts = bytes.length < 500 ? Array.from(bytes, (_, at) => at) : [1, 20, 100, bytes.length - 3];
    for (const at of cuts) {
      const result = read([bytes.subarray(0, at), bytes.subarray(at)]);
      expect(result.error, `cut at ${at}`).not.toBeNull();
    }
  });

  it.each(HOSTILE_CHUNKS)("refuses chunks with %s, however they are cut", (_, chunks, code) => {
    const bytes = Buffer.from(CHUNKED_HEAD + chunks, "latin1");
    expect(read([bytes])).toMatchObject({ error: code, ended: false });
    for (let at = CHUNKED_HEAD.length; at < bytes.length; at += bytes.length > 500 ? 97 : 1) {
      expect(read([bytes.subarray(0, at), bytes.subarray(at)]), `cut at ${at}`).toMatchObject({ error: code });
    }
  });

  it("never throws anything but an error with a code, and never reads beyond an end, whatever comes", () => {
    const token = fc.constantFrom(
      OK,
      "HTTP/1.1 ",
      "\r\n",
      "\n",
      "\r",
      "content-length: ",
      "transfer-encoding: chunked",
      "5",
      "0",
      ";",
      "hello",
      " ",
      "\0",
    );
    const pieces = fc.array(fc.array(fc.oneof(token, fc.string({ maxLength: 4 })), { maxLength: 6 }), { maxLength: 6 });
    fc.assert(
      fc.property(pieces, (texts) => {
        const result = read(texts.map((parts) => Buffer.from(parts.join(""), "latin1")));
        if (result.error !== null) expect(result.error).toMatch(/^(HPE|UND_ERR)_/);
        if (result.ended) expect(result.status).toBeGreaterThanOrEqual(200);
      }),
      { numRuns: 2_000 },
    );
  });
});
