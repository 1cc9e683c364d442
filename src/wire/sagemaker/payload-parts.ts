import { decodeStreamException } from "../bedrock/bedrock-errors.ts";
import type { StreamDecoder } from "../codec.ts";
import { damaged } from "../event-stream/damaged.ts";
import { decodeHeaders, stringHeader } from "../event-stream/frame-headers.ts";
import { FrameReader } from "../event-stream/frame-reader.ts";
import { EventSplitter } from "../sse/event-splitter.ts";

/** More than any event of a model has; a container that sends more without an end has lost its way. */
const MAX_EVENT_BYTES = 16 * 1024 * 1024;
const NOTHING = Buffer.alloc(0);

/**
 * Takes the container's stream out of the frames of SageMaker's InvokeEndpointWithResponseStream. Its `PayloadPart` frames
 * cut that stream anywhere; an exception (`ModelStreamError`, `InternalStreamFailure`) becomes a canonical `event: error`
 * between two events, never within one.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_InvokeEndpointWithResponseStream.html
 */
export class PayloadPartsDecoder implements StreamDecoder {
  readonly #reader = new FrameReader(this.#frame.bind(this));
  readonly #inner: StreamDecoder;
  #out: Buffer[] = [];

  /** `inner` decodes what the container sends; null when that is canonical. */
  constructor(inner: StreamDecoder | null) {
    this.#inner = inner ?? new WholeEvents();
  }

  get atBoundary(): boolean {
    return this.#reader.atBoundary && this.#inner.atBoundary;
  }

  push(chunk: Buffer): Buffer {
    this.#out = [];
    this.#reader.push(chunk);
    return joined(this.#out);
  }

  #frame(buffer: Buffer, headersStart: number, payloadStart: number, payloadEnd: number): void {
    const headers = decodeHeaders(buffer, headersStart, payloadStart);
    const payload = buffer.subarray(payloadStart, payloadEnd);
    const kind = stringHeader(headers, ":message-type");
    if (kind === "event") {
      // Kinds of event that nobody knows are nothing of the container's.
      if (stringHeader(headers, ":event-type") === "PayloadPart") this.#out.push(this.#inner.push(payload));
    } else if (kind === "exception") {
      this.#error(decodeStreamException(stringHeader(headers, ":exception-type") ?? "exception", payload));
    } else if (kind === "error") {
      const message = JSON.stringify({ message: stringHeader(headers, ":error-message") ?? "" });
      this.#error(decodeStreamException(stringHeader(headers, ":error-code") ?? "error", Buffer.from(message)));
    } else {
      throw damaged(`a frame is of the kind ${JSON.stringify(kind)}`);
    }
  }

  #error(json: string): void {
    this.#out.push(Buffer.from(`event: error\ndata: ${json}\n\n`));
  }
}

/** Server-sent events, each given when it is whole. */
class WholeEvents implements StreamDecoder {
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);
  #out: Buffer[] = [];
  #waitingBytes = 0;

  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  push(chunk: Buffer): Buffer {
    this.#out = [];
    this.#waitingBytes += chunk.length;
    this.#splitter.push(chunk);
    if (this.#waitingBytes > MAX_EVENT_BYTES) throw damaged(`an event has more than ${MAX_EVENT_BYTES} bytes`);
    return joined(this.#out);
  }

  #event(buffer: Buffer, start: number, end: number): void {
    this.#waitingBytes -= end - start;
    this.#out.push(buffer.subarray(start, end));
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] ?? NOTHING) : Buffer.concat(pieces);
}
