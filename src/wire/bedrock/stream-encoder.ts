import { WeirError } from "../../core/weir-error.ts";
import { isObject, parseJson, readEnvelope } from "../cloud/envelope.ts";
import type { StreamEncoder } from "../codec.ts";
import { EVENT_STREAM_TYPE, MAX_FRAME_BYTES, MIN_FRAME_BYTES, PRELUDE_BYTES } from "../event-stream/frame-layout.ts";
import { encodeFrame, sealFrame } from "../event-stream/frame-writer.ts";
import { EventSplitter } from "../sse/event-splitter.ts";
import { streamExceptionOf } from "./bedrock-errors.ts";
import { CHUNK_HEADERS, exceptionHeaders } from "./chunk-frame.ts";
import { OutputBuffer } from "./output-buffer.ts";

const LF = 10;
const PAYLOAD_OPENING = '{"bytes":"';
const PAYLOAD_END = '"}';
/** The bytes of a chunk frame around the base64 text. */
const AROUND_BYTES = MIN_FRAME_BYTES + CHUNK_HEADERS.length + PAYLOAD_OPENING.length + PAYLOAD_END.length;
/** The longest event whose frame, base64 included, stays within what readers take. */
const MAX_EVENT_BYTES = Math.floor(((MAX_FRAME_BYTES - AROUND_BYTES) * 3) / 4) - 4;
const DATA = "data: ";
/** The SDKs take it as an event of no content, which is what tells them that the stream is alive. */
const PING = chunkFrame('{"type":"ping"}');

/** Turns a Messages event stream into the frames of InvokeModelWithResponseStream. */
export class BedrockStreamEncoder implements StreamEncoder {
  readonly contentType = EVENT_STREAM_TYPE;
  /** It passes over what is longer than its limit; here that is refused, so its limit is none. */
  readonly #splitter = new EventSplitter(this.#event.bind(this), Number.MAX_SAFE_INTEGER);
  readonly #out = new OutputBuffer();
  #sinceEventBytes = 0;

  push(chunk: Buffer): Buffer {
    this.#out.begin(chunk.length * 2 + AROUND_BYTES);
    this.#sinceEventBytes += chunk.length;
    this.#splitter.push(chunk);
    if (this.#sinceEventBytes > MAX_EVENT_BYTES) throw tooLong();
    return this.#out.take();
  }

  ping(): Buffer {
    return PING;
  }

  #event(buffer: Buffer, start: number, end: number): void {
    this.#sinceEventBytes = 0;
    if (end - start > MAX_EVENT_BYTES) throw tooLong();
    const firstEnd = buffer.indexOf(LF, start);
    const dataStart = firstEnd + 1 + DATA.length;
    const dataEnd = buffer.indexOf(LF, dataStart);
    // `event: …`, `data: …`, blank line: what every Messages API sends. The rest is read line by line.
    const usual =
      dataEnd + 2 === end &&
      buffer.toString("latin1", start, start + 7) === "event: " &&
      buffer.toString("latin1", firstEnd + 1, dataStart) === DATA;
    if (!usual) this.#unusualEvent(buffer.toString("utf8", start, end));
    else if (buffer.toString("latin1", start + 7, firstEnd) === "error") {
      this.#error(buffer.toString("utf8", dataStart, dataEnd));
    } else this.#chunk(buffer.toString("base64", dataStart, dataEnd));
  }

  #unusualEvent(text: string): void {
    let name = "";
    const data: string[] = [];
    for (const line of text.split(/\r?\n/)) {
      const value = (prefix: string): string => line.slice(prefix.length).replace(/^ /, "");
      if (line.startsWith("event:")) name = value("event:");
      else if (line.startsWith("data:")) data.push(value("data:"));
    }
    // A comment is no event; neither is one without data.
    if (data.length === 0) return;
    const json = data.join("\n");
    const parsed = name === "" ? parseJson(json) : null;
    const type = isObject(parsed) ? parsed["type"] : name;
    if (type === "error") this.#error(json);
    else this.#chunk(Buffer.from(json, "utf8").toString("base64"));
  }

  #chunk(base64: string): void {
    const out = this.#out;
    out.reserve(AROUND_BYTES + base64.length);
    out.length = writeChunk(out.bytes, out.length, base64);
  }

  #error(json: string): void {
    const facts = readEnvelope(parseJson(json)) ?? { type: "api_error", message: json };
    const payload = JSON.stringify({ message: facts.message, type: facts.type });
    const frame = encodeFrame(exceptionHeaders(streamExceptionOf(facts.type)), Buffer.from(payload, "utf8"));
    this.#out.reserve(frame.length);
    this.#out.length += frame.copy(this.#out.bytes, this.#out.length);
  }
}

function tooLong(): WeirError {
  return new WeirError("weir:upstream:bad_answer", `An event of the answer is longer than ${MAX_EVENT_BYTES} bytes.`);
}

/** Writes a chunk frame; returns the offset after it. */
function writeChunk(bytes: Buffer, start: number, base64: string): number {
  let at = start + PRELUDE_BYTES;
  at += CHUNK_HEADERS.copy(bytes, at);
  at += bytes.write(PAYLOAD_OPENING, at, "latin1");
  at += bytes.write(base64, at, "latin1");
  bytes.write(PAYLOAD_END, at, "latin1");
  const payloadBytes = PAYLOAD_OPENING.length + base64.length + PAYLOAD_END.length;
  return sealFrame(bytes, { start, headersBytes: CHUNK_HEADERS.length, payloadBytes });
}

function chunkFrame(json: string): Buffer {
  const base64 = Buffer.from(json, "utf8").toString("base64");
  const frame = Buffer.allocUnsafe(AROUND_BYTES + base64.length);
  writeChunk(frame, 0, base64);
  return frame;
}
