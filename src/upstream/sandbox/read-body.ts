import type { IncomingMessage } from "node:http";
import { promisify } from "node:util";
import { brotliDecompress, gunzip, inflate, zstdDecompress } from "node:zlib";

import { ApiError, invalid } from "./api-error.ts";

const DECODERS = {
  gzip: promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
} as const;

/** The client went away before its request had been read. */
export class ClientGone extends Error {
  override readonly name = "ClientGone";
}

/** Reads the whole body as sent. Throws 413 when it is longer than `maxBytes`; the rest is then not read. */
export function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > maxBytes) return Promise.reject(tooLarge());
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else {
        request.pause();
        reject(tooLarge());
      }
    });
    request.on("end", () => {
      const [only] = chunks;
      resolve(chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, length));
    });
    // The only error of a request being read is that its connection broke.
    request.on("error", () => reject(new ClientGone()));
    request.on("close", () => {
      if (!request.complete) reject(new ClientGone());
    });
  });
}

/** Undoes the content encoding. Throws 400 for one that is unknown or does not fit, 413 past `maxBytes`. */
export async function decodeBody(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = (encoding ?? "identity").trim().toLowerCase();
  if (name === "identity" || name === "") return body;
  if (!isKnown(name)) {
    throw new ApiError(400, `Unsupported content encoding: ${name}`, {
      errorCode: "request_body_encoding_unsupported",
    });
  }
  try {
    return await DECODERS[name](body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) {
      throw new ApiError(413, "Request exceeds the maximum size", {
        errorCode: "request_body_too_large_after_decoding",
      });
    }
    throw new ApiError(400, `The request body is not valid ${name}`, { errorCode: "request_body_encoding_invalid" });
  }
}

/** Parses a JSON body. Throws 400 when it is none. */
export function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch (error) {
    throw invalid(`The request body is not valid JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
}

function isKnown(name: string): name is keyof typeof DECODERS {
  return Object.hasOwn(DECODERS, name);
}

function tooLarge(): ApiError {
  // The rest of the body stays unread, so the connection cannot be used again.
  return new ApiError(413, "Request exceeds the maximum size", { headers: { connection: "close" } });
}
