import { errors } from "undici";

import { type Framing, framingOf, isPersistent } from "./body-framing.ts";
import { ChunkedBody } from "./chunked-body.ts";
import { type Fields, hasForbidden } from "./field-lines.ts";
import { FieldNames } from "./field-names.ts";
import { malformed } from "./malformed-response.ts";
import { parseHead, type ResponseHead } from "./response-head.ts";

/** As undici and node have it. */
export const MAX_HEAD_BYTES = 16_384;
/** Interim answers (1xx) before the one that counts. */
const MAX_INTERIM = 16;
const HEAD_END = Buffer.from("\r\n\r\n");
const NOTHING: Buffer = Buffer.alloc(0);
const NO_FRAMING: Framing = { kind: "none" };
const NO_FIELDS: Fields = {};

/**
 * Reads one answer out of the bytes of a connection, cut anywhere. Pure: each `push` leaves in `head`, `body` and `ended` what
 * came of the bytes, `body` being a copy, so that a connection reads everything into the same buffer.
 */
export class ResponseParser {
  /** The head, from the push that completed it until the next one. */
  head: ResponseHead | null = null;
  /** Data of the body that came with the last push. */
  body: Buffer = NOTHING;
  /** The answer is whole. */
  ended = false;
  /** Bytes followed the answer: nobody asked for them, and nothing on this connection can be trusted any more. */
  hasLeftover = false;
  /** Whether the connection may carry another request, once the answer has ended. */
  isPersistent = false;
  trailers: Fields = NO_FIELDS;
  /** Whether any byte has come. */
  begun = false;
  readonly #names = new FieldNames();
  #method = "";
  #inBody = false;
  #interim = 0;
  #framing: Framing = NO_FRAMING;
  /** Bytes that a body of known length still lacks. */
  #missing = 0;
  #chunked: ChunkedBody | null = null;
  /** The beginning of a head that came in pieces. */
  #pending: Buffer = NOTHING;

  /** The next answer will be to a request with this method. */
  begin(method: string): void {
    this.#method = method;
    this.head = null;
    this.body = NOTHING;
    this.ended = false;
    this.hasLeftover = false;
    this.isPersistent = false;
    this.trailers = NO_FIELDS;
    this.begun = false;
    this.#inBody = false;
    this.#interim = 0;
    this.#framing = NO_FRAMING;
    this.#chunked = null;
    this.#pending = NOTHING;
  }

  /** Whether the head has come. */
  get inBody(): boolean {
    return this.#inBody;
  }

  /**
   * Takes the first `length` of `bytes`. Throws an error of undici's (`HPE_…`, `UND_ERR_HEADERS_OVERFLOW`) where they are not
   * HTTP; `head` is there all the same if it had come.
   */
  push(bytes: Buffer, length: number): void {
    this.head = null;
    this.body = NOTHING;
    if (length === 0) return;
    this.begun = true;
    if (this.#inBody) this.#readBody(bytes, 0, length);
    else if (this.#pending.length === 0) this.#readHead(bytes, length);
    else this.#readSplitHead(bytes, length);
  }

  /** The server has ended its side. Returns whether that ends the answer too, which is whole then. */
  end(): boolean {
    if (this.#inBody && this.#framing.kind === "until_close") this.ended = true;
    return this.ended;
  }

  #readSplitHead(bytes: Buffer, length: number): void {
    const whole = Buffer.concat([this.#pending, bytes.subarray(0, length)]);
    this.#pending = NOTHING;
    this.#readHead(whole, whole.length);
  }

  #readHead(bytes: Buffer, length: number): void {
    let from = 0;
    while (from < length) {
      const found = bytes.indexOf(HEAD_END, from);
      const end = found < 0 || found + HEAD_END.length > length ? -1 : found;
      if ((end < 0 ? length : end) - from > MAX_HEAD_BYTES) throw new errors.HeadersOverflowError();
      if (end < 0) {
        this.#keepHead(bytes, from, length);
        return;
      }
      const head = parseHead(bytes.toString("latin1", from, end), this.#names);
      from = end + HEAD_END.length;
      if (head.status >= 200) {
        this.#begins(head);
        this.#readBody(bytes, from, length);
        return;
      }
      this.#isInterim(head);
    }
  }

  /** Not all of a head has come. What cannot become one is not waited for. */
  #keepHead(bytes: Buffer, from: number, length: number): void {
    const text = bytes.toString("latin1", from, length);
    // The line end may be cut in two.
    if (hasForbidden(text.endsWith("\r") ? text.slice(0, -1) : text))
      throw malformed("control characters in the head", "INVALID_HEADER_TOKEN");
    if (!"HTTP/1.".startsWith(text.slice(0, 7))) throw malformed("no answer of HTTP/1.1", "INVALID_CONSTANT");
    this.#pending = Buffer.from(bytes.subarray(from, length));
  }

  /** Interim answers are of no interest to anybody here, except that nothing may switch protocols unasked. */
  #isInterim({ status }: ResponseHead): void {
    if (status === 101) throw new errors.SocketError("bad upgrade");
    if (++this.#interim > MAX_INTERIM) throw malformed("too many interim answers", "INVALID_STATUS");
  }

  #begins(head: ResponseHead): void {
    const framing = framingOf(this.#method, head);
    this.head = head;
    this.#inBody = true;
    this.#framing = framing;
    this.isPersistent = isPersistent(this.#method, head, framing);
    if (framing.kind === "length") this.#missing = framing.bytes;
    else if (framing.kind === "chunked") this.#chunked = new ChunkedBody(this.#names);
    else if (framing.kind === "none") this.ended = true;
  }

  #readBody(bytes: Buffer, from: number, length: number): void {
    let at = from;
    if (this.#chunked !== null) {
      if (at < length) at = this.#readChunks(this.#chunked, bytes, at, length);
    } else if (this.#framing.kind === "until_close") {
      this.body = copied(bytes, at, length);
      at = length;
    } else if (!this.ended) {
      const size = Math.min(this.#missing, length - at);
      this.body = copied(bytes, at, at + size);
      at += size;
      this.#missing -= size;
      this.ended = this.#missing === 0;
    }
    if (at < length) this.hasLeftover = true;
  }

  #readChunks(chunked: ChunkedBody, bytes: Buffer, from: number, to: number): number {
    const data = Buffer.allocUnsafe(to - from);
    const { readTo, length } = chunked.decode(bytes, { from, to }, data);
    if (length > 0) this.body = data.subarray(0, length);
    if (chunked.ended) {
      this.ended = true;
      this.trailers = chunked.trailers;
    }
    return readTo;
  }
}

function copied(bytes: Buffer, from: number, to: number): Buffer {
  if (from === to) return NOTHING;
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}
