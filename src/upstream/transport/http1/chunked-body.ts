import { type Fields, hasForbidden, readFields } from "./field-lines.ts";
import type { FieldNames } from "./field-names.ts";
import { malformed } from "./malformed-response.ts";

/** Thirteen hexadecimal digits are below 2^53. */
const MAX_SIZE_DIGITS = 13;
/** Of one size line. Nobody sends extensions; a chunk must not cost more than its data for long. */
const MAX_EXTENSION_BYTES = 1_024;
const MAX_TRAILER_BYTES = 16_384;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const TAB = 0x09;
const SPACE = 0x20;
const DELETE = 0x7f;

type State = "size" | "extension" | "size_lf" | "data" | "data_cr" | "data_lf" | "trailer" | "end";

/**
 * Takes a chunked body apart (RFC 9112, 7.1), fed in pieces cut anywhere. Strict: sizes of hexadecimal digits and nothing else,
 * CRLF wherever a line ends, limits on everything that is not data.
 */
export class ChunkedBody {
  readonly #names: FieldNames;
  #state: State = "size";
  /** Of the size line: what it says so far. Of the data: bytes that are still to come. */
  #size = 0;
  #digits = 0;
  #extensionBytes = 0;
  #trailer = "";
  trailers: Fields = {};

  constructor(names: FieldNames) {
    this.#names = names;
  }

  get ended(): boolean {
    return this.#state === "end";
  }

  /**
   * Reads `bytes` from `from` up to `to`, at most to the end of the body, and copies the data to `into` from `at`. Returns where
   * it stopped reading and where the data ends. `into` must have room for all that is read. Throws an error with a code `HPE_…`.
   */
  decode(bytes: Buffer, { from, to }: { from: number; to: number }, into: Buffer): { readTo: number; length: number } {
    let at = from;
    let length = 0;
    while (at < to && this.#state !== "end") {
      if (this.#state === "data") {
        const size = Math.min(this.#size, to - at);
        bytes.copy(into, length, at, at + size);
        length += size;
        at += size;
        this.#size -= size;
        if (this.#size === 0) this.#state = "data_cr";
      } else {
        const after = this.#usual(bytes, at, to);
        if (after === at) this.#framing(bytes[at++] ?? 0);
        else at = after;
      }
    }
    return { readTo: at, length };
  }

  /** Reads what is nearly always there, whole: a line end after data, a size and its line end. Else nothing. */
  #usual(bytes: Buffer, from: number, to: number): number {
    let at = from;
    if (this.#state === "data_cr") {
      if (at + 1 >= to || bytes[at] !== CR || bytes[at + 1] !== LF) return from;
      this.#beginSize();
      return at + 2;
    }
    if (this.#state !== "size" || this.#digits > 0) return from;
    const last = Math.min(to, from + MAX_SIZE_DIGITS);
    let size = 0;
    for (let digit = 0; at < last && (digit = hexDigit(bytes[at] ?? 0)) >= 0; at++) size = size * 16 + digit;
    if (size === 0 || at + 1 >= to || bytes[at] !== CR || bytes[at + 1] !== LF) return from;
    this.#size = size;
    this.#state = "data";
    return at + 2;
  }

  #beginSize(): void {
    this.#state = "size";
    this.#digits = 0;
    this.#extensionBytes = 0;
  }

  /** One byte that is not data. */
  #framing(byte: number): void {
    switch (this.#state) {
      case "size":
        return this.#sizeByte(byte);
      case "extension":
        return this.#extensionByte(byte);
      case "size_lf":
        expect(byte, LF, "a chunk's size must end in CRLF");
        this.#state = this.#size === 0 ? "trailer" : "data";
        return undefined;
      case "data_cr":
        expect(byte, CR, "a chunk is longer than its size");
        this.#state = "data_lf";
        return undefined;
      case "data_lf":
        expect(byte, LF, "a chunk must end in CRLF");
        this.#beginSize();
        return undefined;
      case "trailer":
        return this.#trailerByte(byte);
      case "data":
      case "end":
        throw new Error("not framing");
      default:
        throw new Error(`unknown state ${String(this.#state satisfies never)}`);
    }
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte);
    if (digit >= 0) {
      if (++this.#digits > MAX_SIZE_DIGITS) throw malformed("a chunk's size is too large", "INVALID_CHUNK_SIZE");
      this.#size = this.#size * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw malformed("a chunk's size must be hexadecimal", "INVALID_CHUNK_SIZE");
    if (byte === CR) this.#state = "size_lf";
    else if (byte === SEMICOLON) this.#state = "extension";
    else throw malformed("a chunk's size must be hexadecimal", "INVALID_CHUNK_SIZE");
  }

  #extensionByte(byte: number): void {
    if (byte === CR) this.#state = "size_lf";
    else if ((byte < SPACE && byte !== TAB) || byte === DELETE)
      throw malformed("control characters in a chunk's extension", "INVALID_CHUNK_SIZE");
    else if (++this.#extensionBytes > MAX_EXTENSION_BYTES)
      throw malformed("a chunk's extension is too long", "CHUNK_EXTENSIONS_OVERFLOW");
  }

  /** Trailers are rare and short: kept as text until their empty line. */
  #trailerByte(byte: number): void {
    if (this.#trailer.length >= MAX_TRAILER_BYTES) throw malformed("the trailers are too long", "HEADER_OVERFLOW");
    this.#trailer += String.fromCharCode(byte);
    if (byte !== LF) return;
    if (this.#trailer === "\r\n") {
      this.#state = "end";
    } else if (this.#trailer.endsWith("\r\n\r\n")) {
      this.trailers = readTrailers(this.#trailer.slice(0, -4), this.#names);
      this.#state = "end";
    } else if (!this.#trailer.endsWith("\r\n")) {
      throw malformed("a trailer must end in CRLF", "INVALID_HEADER_TOKEN");
    }
  }
}

function readTrailers(text: string, names: FieldNames): Fields {
  if (hasForbidden(text)) throw malformed("control characters in the trailers", "INVALID_HEADER_TOKEN");
  return readFields(text, 0, names);
}

function expect(byte: number, wanted: number, why: string): void {
  if (byte !== wanted) throw malformed(why, "STRICT");
}

/** -1 for what is no hexadecimal digit. */
function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
