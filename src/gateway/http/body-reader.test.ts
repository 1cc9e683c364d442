import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from "node:zlib";

import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ClientGone, readBody, type BodyLimits } from "./body-reader.ts";

const LIMITS: BodyLimits = { maxRequestBytes: 1_000, maxDecompressedBytes: 2_000 };

function request(chunks: readonly Buffer[], headers: Readonly<Record<string, string>> = {}): IncomingMessage {
  const request = new IncomingMessage(new Socket());
  Object.assign(request.headers, headers);
  for (const chunk of chunks) request.push(chunk);
  request.push(null);
  return request;
}

function read(body: Buffer, encoding?: string): Promise<Buffer> {
  return readBody(request([body], encoding === undefined ? {} : { "content-encoding": encoding }), LIMITS);
}

const TEXT = Buffer.from('{"model":"claude-opus-5"}');

describe("readBody", () => {
  it("gives the bytes as they came, however they were cut", async () => {
    const chunks = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 });
    await fc.assert(
      fc.asyncProperty(chunks, async (chunks) => {
        const buffers = chunks.map((chunk) => Buffer.from(chunk));

        expect(await readBody(request(buffers), LIMITS)).toEqual(Buffer.concat(buffers));
      }),
    );
  });

  it.each([
    ["gzip", gzipSync(TEXT)],
    ["x-gzip", gzipSync(TEXT)],
    ["GZip", gzipSync(TEXT)],
    ["deflate", deflateSync(TEXT)],
    ["br", brotliCompressSync(TEXT)],
    ["zstd", zstdCompressSync(TEXT)],
    ["identity", TEXT],
  ])("undoes %s", async (encoding, body) => {
    expect(await read(body, encoding)).toEqual(TEXT);
  });

  it.each(["compress", "gzip, gzip", "constructor", "__proto__", "tostring", "*", ""])(
    "does not take %j for an encoding",
    async (encoding) => {
      await expect(read(TEXT, encoding)).rejects.toMatchObject({ code: "weir:request:bad_encoding" });
    },
  );

  it("refuses by what is announced, by what comes, and by what it unpacks to", async () => {
    const tooLarge = { code: "weir:request:too_large" };
    await expect(readBody(request([], { "content-length": "1001" }), LIMITS)).rejects.toMatchObject(tooLarge);
    await expect(readBody(request([Buffer.alloc(600), Buffer.alloc(401)]), LIMITS)).rejects.toMatchObject(tooLarge);
    await expect(read(gzipSync(Buffer.alloc(2_001)), "gzip")).rejects.toMatchObject(tooLarge);

    expect(await readBody(request([Buffer.alloc(600), Buffer.alloc(400)]), LIMITS)).toHaveLength(1_000);
    expect(await read(gzipSync(Buffer.alloc(2_000)), "gzip")).toHaveLength(2_000);
  });

  it("tells a client that left from one that sent nonsense", async () => {
    const unfinished = new IncomingMessage(new Socket());
    unfinished.push(Buffer.from("{"));
    const reading = readBody(unfinished, LIMITS);
    unfinished.destroy();

    await expect(reading).rejects.toBeInstanceOf(ClientGone);
  });
});
