import type {
  CanonicalRequest,
  Operation,
  StreamDecoder,
  StreamFilter,
  TargetCall,
  TargetWire,
  WireWarning,
} from "../codec.ts";
import { decodeOpenaiError } from "../openai/error-shape.ts";
import { modelSplice, spliceBody, topLevelMembers } from "../openai/json-body.ts";
import { decodeAnswer } from "./target/decode-answer.ts";
import { encodeRequest } from "./target/encode-request.ts";
import { ResponsesStreamDecoder } from "./target/stream-decoder.ts";

/**
 * Upstreams that offer OpenAI's Responses API: `/v1/responses` of OpenAI, `/openai/v1/responses` of Azure; counts of tokens
 * under the same path and `/input_tokens`.
 */
export const openaiResponsesTarget: TargetWire = {
  name: "openai-responses",
  forwards: [],
  encode: (request: CanonicalRequest): TargetCall => {
    const warnings: WireWarning[] = [];
    return new ResponsesTargetCall(encodeRequest(request, warnings), request.operation, warnings);
  },
  // Usage is part of the last event, whoever asks: nothing has to be added, and nothing to be taken out again.
  forward: (body: Buffer, request: CanonicalRequest): TargetCall => {
    const own = spliceBody(body, [modelSplice(topLevelMembers(body), request.upstreamModel)]);
    return new ResponsesTargetCall(own, request.operation, []);
  },
};

class ResponsesTargetCall implements TargetCall {
  readonly body: Buffer;
  readonly headers: readonly string[] = ["content-type", "application/json"];
  readonly warnings: readonly WireWarning[];
  readonly #operation: Operation;

  constructor(body: Buffer, operation: Operation, warnings: readonly WireWarning[]) {
    this.body = body;
    this.#operation = operation;
    this.warnings = warnings;
  }

  decodeAnswer(body: Buffer): Buffer {
    return decodeAnswer(body, this.#operation);
  }

  decodeError(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer {
    const id = headers["x-request-id"] ?? headers["apim-request-id"];
    return decodeOpenaiError(status, body, typeof id === "string" ? id : undefined);
  }

  streamDecoder(): StreamDecoder {
    return new ResponsesStreamDecoder();
  }

  streamFilter(): StreamFilter | null {
    return null;
  }
}
