import { WeirError } from "../../core/weir-error.ts";
import { envelope, isObject, parseJson } from "../cloud/envelope.ts";
import type { WireName } from "../codec.ts";
import { damaged } from "./damaged.ts";
import { decodeHeaders, stringHeader, type FrameHeaders } from "./frame-headers.ts";
import { FrameReader } from "./frame-reader.ts";

const LF = 10;

/**
 * The stream within an AWS event stream whose `PayloadPart` events carry its bytes, cut anywhere: what SageMaker's
 * InvokeEndpointWithResponseStream answers. An exception becomes an error event of the format within, where that stands between
 * two events; elsewhere the stream breaks off.
 * https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_runtime_ResponseStream.html
 */
export class PayloadParts {
  readonly #reader = new FrameReader(this.#frame.bind(this));
  readonly #wire: WireName;
  #parts: Buffer[] = [];
  /** The last two bytes of the stream within: two line ends between events, and at its beginning. */
  #last: readonly [number, number] = [LF, LF];

  /** `wire`: the format of the stream within, of those that are server-sent events. */
  constructor(wire: WireName) {
    this.#wire = wire;
  }

  /** The bytes within the next chunk. Throws WeirError when the frames are damaged, or an exception cuts an event. */
  push(chunk: Buffer): Buffer {
    this.#parts = [];
    this.#reader.push(chunk);
    const [only] = this.#parts;
    return only !== undefined && this.#parts.length === 1 ? only : Buffer.concat(this.#parts);
  }

  #frame(buffer: Buffer, headersStart: number, payloadStart: number, payloadEnd: number): void {
    const headers = decodeHeaders(buffer, headersStart, payloadStart);
    const kind = stringHeader(headers, ":message-type");
    if (kind === "exception" || kind === "error") {
      this.#failed(messageOf(headers, buffer.toString("utf8", payloadStart, payloadEnd)));
    } else if (kind !== "event") {
      throw damaged(`a frame of the kind ${JSON.stringify(kind)}`);
    } else if (stringHeader(headers, ":event-type") === "PayloadPart" && payloadEnd > payloadStart) {
      this.#add(buffer.subarray(payloadStart, payloadEnd));
    }
  }

  #add(part: Buffer): void {
    this.#parts.push(part);
    this.#last = [part.at(-2) ?? this.#last[1], part.at(-1) ?? LF];
  }

  #failed(message: string): void {
    if (this.#last[0] !== LF || this.#last[1] !== LF) throw new WeirError("weir:upstream:failed", message);
    const json = envelope({ type: "api_error", message, requestId: null });
    // OpenAI's streams have no names of events, and their errors the same shape.
    const name = this.#wire === "openai-chat" ? "" : "event: error\n";
    this.#add(Buffer.from(`${name}data: ${json}\n\n`));
  }
}

/** What an exception says, word for word. */
function messageOf(headers: FrameHeaders, payload: string): string {
  const parsed = parseJson(payload);
  const members = isObject(parsed) ? [parsed["Message"], parsed["message"]] : [];
  const message = members.find((text) => typeof text === "string" && text !== "");
  const name = stringHeader(headers, ":exception-type") ?? stringHeader(headers, ":error-code") ?? "exception";
  if (typeof message === "string") return message;
  return stringHeader(headers, ":error-message") ?? (payload.trim() === "" ? name : payload);
}
