import type { WeirError } from "../../core/weir-error.ts";
import type {
  AnswerContext,
  ClientCall,
  ClientRequest,
  ClientWire,
  EncodedError,
  Operation,
  StreamEncoder,
  WireWarning,
} from "../codec.ts";
import { encodeUpstreamError, encodeWeirError } from "../openai/error-shape.ts";
import { encodeAnswer, encodeTokenCount } from "./encode-answer.ts";
import { decodeRequest, type DecodedRequest } from "./request/decode-request.ts";
import type { ResponseSettings } from "./response-settings.ts";
import { ResponsesStreamEncoder } from "./stream-encoder.ts";

/** OpenAI's Responses API for clients: `POST /v1/responses`, and `/v1/responses/input_tokens` to count tokens. */
export const openaiResponsesClient: ClientWire = {
  name: "openai-responses",
  decode: (request: ClientRequest): ClientCall => new ResponsesClientCall(decodeRequest(request), request.operation),
  encodeError: (error: WeirError, requestId: string): EncodedError => encodeWeirError(error, requestId),
};

class ResponsesClientCall implements ClientCall {
  readonly canonical: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly #settings: ResponseSettings;
  readonly #operation: Operation;

  constructor({ canonical, betas, warnings, settings }: DecodedRequest, operation: Operation) {
    this.#operation = operation;
    this.canonical = canonical;
    this.betas = betas;
    this.warnings = warnings;
    this.#settings = settings;
  }

  encodeAnswer(canonical: Buffer, context: AnswerContext): Buffer {
    if (this.#operation === "count_tokens") return encodeTokenCount(canonical);
    return encodeAnswer(canonical, this.#settings, context);
  }

  encodeUpstreamError(status: number, canonical: Buffer, context: AnswerContext): EncodedError {
    return encodeUpstreamError(status, canonical, context.requestId);
  }

  streamEncoder(context: AnswerContext): StreamEncoder {
    return new ResponsesStreamEncoder(this.#settings, context);
  }
}
