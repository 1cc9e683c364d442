import { WeirError } from "../../core/weir-error.ts";
import { isObject, parseJson } from "../cloud/envelope.ts";
import type { StreamDecoder } from "../codec.ts";
import { decodeHeaders, stringHeader } from "../event-stream/frame-headers.ts";
import { FrameReader } from "../event-stream/frame-reader.ts";
import { decodeStreamException } from "./bedrock-errors.ts";
import { CHUNK_HEADERS } from "./chunk-frame.ts";
import { DELTA_PREFIX, EVENT_PREFIXES, type EventPrefix } from "./event-prefix.ts";
import { OutputBuffer } from "./output-buffer.ts";

const QUOTE = 34;
const EQUALS = 61;
const LF = 10;
const CR = 13;
/** How the payload of a chunk begins: the event's JSON in base64. */
const PAYLOAD_OPENING = '{"bytes":"';
/** How that of a delta begins. */
const DELTA_OPENING = Buffer.from(PAYLOAD_OPENING + DELTA_PREFIX.base64);
/** More than any event's first line, its `data: ` with the type, and its end. */
const LINES_BYTES = 96;
/** An event name, which goes on a line of its own. */
const EVENT_NAME = /^[A-Za-z0-9_.-]{1,100}$/;

/**
 * Turns the stream of InvokeModelWithResponseStream into server-sent events. The JSON of an event is passed as it is
 * (`amazon-bedrock-invocationMetrics` in the last one too: clients ignore what they do not know). Exceptions become
 * `event: error`.
 *
 * An event costs two checksums and one base64 decoding into the chunk's output: its type is read off the base64 text.
 */
export class BedrockStreamDecoder implements StreamDecoder {
  readonly #reader = new FrameReader(this.#frame.bind(this));
  readonly #out = new OutputBuffer();
  /** How a delta's frame begins, with the headers of the last chunk: the next one begins the same. */
  #usual = Buffer.concat([CHUNK_HEADERS, DELTA_OPENING]);

  get atBoundary(): boolean {
    return this.#reader.atBoundary;
  }

  push(chunk: Buffer): Buffer {
    // Base64 is longer than what it says, and a frame's headers longer than an event's lines.
    this.#out.begin(chunk.length + LINES_BYTES);
    this.#reader.push(chunk);
    return this.#out.take();
  }

  #frame(buffer: Buffer, headersStart: number, payloadStart: number, payloadEnd: number): void {
    const usual = this.#usual;
    const usualEnd = headersStart + usual.length;
    if (
      payloadStart + DELTA_OPENING.length === usualEnd &&
      usualEnd < payloadEnd &&
      buffer.compare(usual, 0, usual.length, headersStart, usualEnd) === 0
    ) {
      const end = buffer.indexOf(QUOTE, usualEnd);
      if (end >= 0 && end < payloadEnd && this.#known(DELTA_PREFIX, buffer.toString("latin1", usualEnd, end))) return;
    }
    const headersEnd = usual.length - DELTA_OPENING.length;
    const isChunk = buffer.compare(usual, 0, headersEnd, headersStart, payloadStart) === 0;
    if (isChunk || this.#isChunk(buffer, headersStart, payloadStart, payloadEnd)) {
      this.#chunk(buffer, payloadStart, payloadEnd);
    }
  }

  /** Whether the frame is a chunk; an exception is written here, and a kind of event that nobody knows is skipped. */
  #isChunk(buffer: Buffer, headersStart: number, payloadStart: number, payloadEnd: number): boolean {
    const headers = decodeHeaders(buffer, headersStart, payloadStart);
    const kind = stringHeader(headers, ":message-type");
    const payload = buffer.subarray(payloadStart, payloadEnd);
    if (kind === "exception") {
      this.#error(decodeStreamException(stringHeader(headers, ":exception-type") ?? "exception", payload));
    } else if (kind === "error") {
      const message = JSON.stringify({ message: stringHeader(headers, ":error-message") ?? "" });
      this.#error(decodeStreamException(stringHeader(headers, ":error-code") ?? "error", Buffer.from(message)));
    } else if (kind === "event" && stringHeader(headers, ":event-type") === "chunk") {
      this.#usual = Buffer.concat([buffer.subarray(headersStart, payloadStart), DELTA_OPENING]);
      return true;
    } else if (kind !== "event") {
      throw badEvent(`a frame of the kind ${JSON.stringify(kind)}`);
    }
    return false;
  }

  #error(json: string): void {
    this.#out.append(`event: error\ndata: ${json}\n\n`);
  }

  #chunk(buffer: Buffer, start: number, end: number): void {
    const textStart = start + PAYLOAD_OPENING.length;
    const opened = buffer.toString("latin1", start, textStart) === PAYLOAD_OPENING;
    const textEnd = opened ? buffer.indexOf(QUOTE, textStart) : -1;
    if (textEnd >= 0 && textEnd < end) this.#event(buffer.toString("latin1", textStart, textEnd));
    else this.#unusualChunk(buffer.toString("utf8", start, end));
  }

  /** A payload in another order or with other spacing. One without an event (a keep-alive) is nothing. */
  #unusualChunk(payload: string): void {
    const parsed = parseJson(payload);
    if (!isObject(parsed)) throw badEvent("a chunk that is no JSON object");
    const { bytes } = parsed;
    if (bytes === undefined || bytes === null || bytes === "") return;
    if (typeof bytes !== "string") throw badEvent("a chunk whose bytes are no text");
    this.#event(bytes);
  }

  #event(base64: string): void {
    for (const prefix of EVENT_PREFIXES) {
      if (base64.startsWith(prefix.base64) && this.#known(prefix, base64.slice(prefix.base64.length))) return;
    }
    if (base64.includes("\\")) this.#unusualChunk(`{"bytes":"${base64}"}`);
    else this.#unknownEvent(decodeBase64(base64));
  }

  /**
   * Writes the event of a known type, of whose base64 text `remainder` is what follows the type's own. False, and nothing
   * written, when the type only begins like the known one, or the text is not plain base64: the slower way tells.
   */
  #known({ sse, rest }: EventPrefix, remainder: string): boolean {
    const out = this.#out;
    out.reserve(remainder.length + LINES_BYTES);
    const { bytes } = out;
    bytes.set(sse, out.length);
    const start = out.length + sse.length;
    const end = start + bytes.write(remainder, start, "base64");
    if (end - start !== decodedLength(remainder)) return false;
    for (let i = 0; i < rest.length; i++) if (bytes[start + i] !== rest.charCodeAt(i)) return false;
    bytes[end] = LF;
    bytes[end + 1] = LF;
    // Stops the search below; the next event overwrites it.
    bytes[end + 2] = CR;
    if (bytes.indexOf(LF, start) < end || bytes.indexOf(CR, start) < end) joinLines(bytes, start, end);
    out.length = end + 2;
    return true;
  }

  #unknownEvent(json: string): void {
    const event = parseJson(json);
    if (!isObject(event)) throw badEvent("an event that is no JSON object");
    const { type } = event;
    // Without a type there is no name to send it under; what the SDKs do with it is the same.
    if (typeof type !== "string") return;
    if (!EVENT_NAME.test(type)) throw badEvent("an event whose type is no name");
    this.#out.append(`event: ${type}\ndata: ${json.replace(/[\r\n]/g, " ")}\n\n`);
  }
}

/** Line ends between the tokens of a JSON text become spaces: an event's data is one line. */
function joinLines(bytes: Buffer, start: number, end: number): void {
  for (let i = start; i < end; i++) if (bytes[i] === LF || bytes[i] === CR) bytes[i] = 32;
}

function decodeBase64(base64: string): string {
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== decodedLength(base64)) throw badEvent("a chunk that is not base64");
  return bytes.toString("utf8");
}

/** How many bytes well-formed base64 of this length says; -1 when it cannot be well-formed. */
function decodedLength(base64: string): number {
  if (base64.length % 4 !== 0) return -1;
  let padding = 0;
  if (base64.charCodeAt(base64.length - 1) === EQUALS)
    padding = base64.charCodeAt(base64.length - 2) === EQUALS ? 2 : 1;
  return (base64.length / 4) * 3 - padding;
}

function badEvent(what: string): WeirError {
  return new WeirError("weir:upstream:bad_answer", `Amazon Bedrock sent ${what} in its stream.`);
}
