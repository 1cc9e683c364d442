import type {
  AnswerContext,
  ClientCall,
  EncodedError,
  StreamDecoder,
  StreamEncoder,
  StreamFilter,
  TargetCall,
} from "../../wire/codec.ts";
import type { StreamFraming } from "../../upstream/upstream.ts";
import { unwrapEndpointError } from "../../wire/sagemaker/endpoint-error.ts";
import { PayloadPartsDecoder } from "../../wire/sagemaker/payload-parts.ts";
import type { Exchange } from "../exchange.ts";

const PING = Buffer.from('event: ping\ndata: {"type": "ping"}\n\n');

/** How the answer of one attempt is to be read. */
export interface AnswerForm {
  /** Null when the upstream speaks Messages. */
  readonly call: TargetCall | null;
  /** Both speak the same format: the client gets the upstream's own bytes. */
  readonly sameFormat: boolean;
  /** What the upstream's streams are wrapped in. */
  readonly framing: StreamFraming;
}

/** What stands between the answer of one upstream and its client. */
export class AnswerTranslation {
  readonly #exchange: Exchange;
  /** Null when the upstream speaks Messages. */
  readonly #target: TargetCall | null;
  /** Null when the client speaks Messages. */
  readonly #client: ClientCall | null;
  /** Both speak the same foreign format: the client gets the upstream's own bytes. */
  readonly #sameFormat: boolean;
  readonly #isFramed: boolean;

  constructor(exchange: Exchange, { call, sameFormat, framing }: AnswerForm) {
    this.#exchange = exchange;
    this.#target = call;
    this.#client = exchange.clientCall;
    this.#sameFormat = sameFormat;
    this.#isFramed = framing === "aws-event-stream";
  }

  /** Whether the client gets something else than the upstream sent. */
  get translates(): boolean {
    return !this.#sameFormat && (this.#target !== null || this.#client !== null);
  }

  /** A new stream's translation. */
  stream(): StreamTranslation {
    const decoder = this.#target?.streamDecoder() ?? null;
    // Framed bytes are nobody's format: the client gets its own format made anew.
    const sameFormat = this.#sameFormat && !this.#isFramed;
    return new StreamTranslation({
      decoder: this.#isFramed ? new PayloadPartsDecoder(decoder) : decoder,
      filter: sameFormat ? (this.#target?.streamFilter() ?? null) : null,
      // A format whose stream is that of Messages (Vertex) has nothing to encode.
      encoder: sameFormat && decoder === null ? null : (this.#client?.streamEncoder(this.#context()) ?? null),
      passesForeign: sameFormat && decoder !== null,
    });
  }

  /** Whether an answer's status may only say that another one is inside: SageMaker's ModelError. */
  mayWrap(status: number): boolean {
    return this.#isFramed && status === 424;
  }

  /** A whole answer without what the upstream wraps around that of its model. */
  unwrapped(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): UnwrappedAnswer {
    return this.#isFramed && status >= 400 ? unwrapEndpointError(status, body, headers) : { status, body };
  }

  /** A whole answer in canonical form, for metering. Throws when it is none. */
  canonical(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer {
    if (this.#target === null) return body;
    return status < 400 ? this.#target.decodeAnswer(body) : this.#target.decodeError(status, body, headers);
  }

  /** What the client gets of a whole answer: `raw` as it came, or what is made of its canonical form. */
  forClient(status: number, raw: Buffer, canonical: Buffer): ClientAnswer {
    if (this.#sameFormat) return { status: this.#client?.passedStatus?.(status) ?? status, body: raw, headers: null };
    if (!this.translates) return { status, body: raw, headers: null };
    if (this.#client === null) return { status, body: canonical, headers: JSON_TYPE };
    if (status < 400) {
      return { status, body: this.#client.encodeAnswer(canonical, this.#context()), headers: JSON_TYPE };
    }
    return encodedError(this.#client.encodeUpstreamError(status, canonical, this.#context()));
  }

  #context(): AnswerContext {
    const { id, scan, createdAtMs } = this.#exchange;
    return { requestId: id, modelAsked: scan?.model ?? "", createdAtMs };
  }
}

/** A whole answer as the model behind an upstream gave it. */
export interface UnwrappedAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** A whole answer as the client gets it; `headers` null means those of the upstream. */
export interface ClientAnswer {
  readonly status: number;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>> | null;
}

const JSON_TYPE = { "content-type": "application/json" };

function encodedError(error: EncodedError): ClientAnswer {
  return { status: error.status, body: Buffer.from(error.body), headers: { ...JSON_TYPE, ...error.headers } };
}

interface StreamParts {
  readonly decoder: StreamDecoder | null;
  readonly filter: StreamFilter | null;
  /** For a client of the upstream's own format it only makes pings. */
  readonly encoder: StreamEncoder | null;
  readonly passesForeign: boolean;
}

/** The translation of one stream, from its first byte to its last. */
export class StreamTranslation {
  readonly #parts: StreamParts;

  constructor(parts: StreamParts) {
    this.#parts = parts;
  }

  /** Whether the client gets the upstream's bytes in a format that is not Messages. */
  get passesForeign(): boolean {
    return this.#parts.passesForeign;
  }

  /** The content-type that the client is told; null for the upstream's own. */
  get contentType(): string | null {
    const { decoder, encoder, passesForeign } = this.#parts;
    if (passesForeign) return null;
    if (encoder !== null) return encoder.contentType;
    return decoder === null ? null : "text/event-stream; charset=utf-8";
  }

  /** Whether the client's stream stands between two events. `canonical`: whether the canonical one does. */
  atBoundary(canonical: boolean): boolean {
    return this.#parts.passesForeign ? this.#parts.decoder?.atBoundary === true : canonical;
  }

  /** The upstream's bytes as canonical events. Throws when they are not of its format. */
  decode(raw: Buffer): Buffer {
    return this.#parts.decoder === null ? raw : this.#parts.decoder.push(raw);
  }

  /** Canonical events as the client's. */
  encode(canonical: Buffer): Buffer {
    return this.#parts.encoder === null ? canonical : this.#parts.encoder.push(canonical);
  }

  /** The upstream's bytes for a client of the same format. */
  filter(raw: Buffer): Buffer {
    return this.#parts.filter === null ? raw : this.#parts.filter.push(raw);
  }

  /** What keeps a silent stream alive, in the client's format; to be inserted between events only. */
  ping(): Buffer {
    return this.#parts.encoder === null ? PING : this.#parts.encoder.ping();
  }
}
