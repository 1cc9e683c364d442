import type { IncomingMessage } from "node:http";
import { brotliDecompress, gunzip, inflate, zstdDecompress, type InputType } from "node:zlib";
import { promisify } from "node:util";

import { WeirError } from "../../core/weir-error.ts";
import { bodyReclaim } from "./buffer-reclaim.ts";

export interface BodyLimits {
  readonly maxRequestBytes: number;
  readonly maxDecompressedBytes: number;
}

/**
 * The whole body of a request, decompressed. (How long it may take to arrive is the server's `requestTimeout`.) Refuses by the announced length before reading, and while reading when no
 * length is announced. Throws WeirError; rejects with `ClientGone` when the connection closes first.
 */
export async function readBody(request: IncomingMessage, limits: BodyLimits): Promise<Buffer> {
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limits.maxRequestBytes) throw tooLarge(limits.maxRequestBytes);
  const encoding = request.headers["content-encoding"];
  const decompress = decompressor(encoding);
  const raw = await collect(request, limits);
  if (decompress === null) return raw;
  try {
    return await decompress(raw, { maxOutputLength: limits.maxDecompressedBytes });
  } catch (error) {
    if (isCode(error, "ERR_BUFFER_TOO_LARGE")) throw tooLarge(limits.maxDecompressedBytes);
    throw new WeirError("weir:request:bad_encoding", `The body is not valid ${encoding}.`, { cause: error });
  }
}

/** The client's connection closed while Weir was still reading. */
export class ClientGone extends Error {
  constructor() {
    super("the client closed the connection");
  }
}

function collect(request: IncomingMessage, { maxRequestBytes }: BodyLimits): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const collector = new Collector(request, maxRequestBytes, { resolve, reject });
    // Bound methods, not closures: see docs/adr/0011. The listeners stay: taking them
    // off costs as much as putting them on, and after the first settling they do nothing.
    request.on("data", collector.data.bind(collector));
    request.on("end", collector.end.bind(collector));
    request.on("close", collector.close.bind(collector));
    request.on("error", collector.close.bind(collector));
  });
}

interface Settle {
  readonly resolve: (body: Buffer) => void;
  readonly reject: (error: Error) => void;
}

/** Gathers the chunks of one body. */
class Collector {
  readonly #request: IncomingMessage;
  readonly #maxBytes: number;
  readonly #settle: Settle;
  readonly #chunks: Buffer[] = [];
  #size = 0;

  constructor(request: IncomingMessage, maxBytes: number, settle: Settle) {
    this.#request = request;
    this.#maxBytes = maxBytes;
    this.#settle = settle;
  }

  data(chunk: Buffer): void {
    this.#size += chunk.length;
    if (this.#size <= this.#maxBytes) this.#chunks.push(chunk);
    else this.#settle.reject(tooLarge(this.#maxBytes));
  }

  end(): void {
    const [first] = this.#chunks;
    const whole = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks, this.#size);
    bodyReclaim.read(whole.length);
    this.#settle.resolve(whole);
  }

  close(): void {
    if (!this.#request.complete) this.#settle.reject(new ClientGone());
  }
}

type Decompressor = (input: InputType, options: { maxOutputLength: number }) => Promise<Buffer>;

const DECOMPRESSORS: Readonly<Record<string, Decompressor>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
  zstd: promisify(zstdDecompress),
};

function decompressor(encoding: string | undefined): Decompressor | null {
  if (encoding === undefined || encoding === "identity") return null;
  const name = encoding.toLowerCase();
  const known = Object.hasOwn(DECOMPRESSORS, name) ? DECOMPRESSORS[name] : undefined;
  if (known === undefined) {
    throw new WeirError("weir:request:bad_encoding", "content-encoding must be gzip, deflate, br, zstd or identity.");
  }
  return known;
}

function tooLarge(limit: number): WeirError {
  return new WeirError("weir:request:too_large", `The request exceeds the maximum size of ${limit} bytes.`);
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
