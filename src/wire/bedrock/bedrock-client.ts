import { WeirError } from "../../core/weir-error.ts";
import { errorBody, errorHeaders } from "../anthropic/error-body.ts";
import { requireCount } from "../cloud/canonical-answer.ts";
import { NOT_COUNTED, requirePathModel, unwrapBody, type UnwrappedBody } from "../cloud/client-body.ts";
import { envelopeOf, isObject, parseJson } from "../cloud/envelope.ts";
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
import { scanJson } from "../json/json-scan.ts";
import { bedrockStatus, exceptionOf } from "./bedrock-errors.ts";
import { BedrockStreamEncoder } from "./stream-encoder.ts";

/** Clients that speak InvokeModel: Claude Code with CLAUDE_CODE_USE_BEDROCK, the Bedrock SDK, the AWS SDKs. */
export const bedrockClient: ClientWire = {
  name: "bedrock",

  decode(request: ClientRequest): ClientCall {
    const model = requirePathModel(request.pathModel);
    const { maxDepth } = request;
    const unwrapped =
      request.operation === "count_tokens"
        ? unwrapBody({ body: countedBody(request.body, maxDepth), maxDepth, model, stream: null, without: NOT_COUNTED })
        : unwrapBody({ body: request.body, maxDepth, model, stream: request.pathStream === true, without: [] });
    return new BedrockClientCall(request.operation, unwrapped);
  },

  /** The AWS shape, with the Messages API's envelope and Weir's code beside it for clients that look for them. */
  encodeError(error: WeirError, requestId: string): EncodedError {
    const { type, status } = error.row;
    const fields: unknown = JSON.parse(errorBody(error, requestId));
    return {
      status: bedrockStatus(status),
      body: JSON.stringify({ message: error.message, code: error.code, ...(isObject(fields) ? fields : {}) }),
      headers: { ...errorHeaders(error), ...awsHeaders(type, requestId) },
    };
  },
};

function awsHeaders(type: string, requestId: string): Record<string, string> {
  return { "x-amzn-errortype": exceptionOf(type), "x-amzn-requestid": requestId };
}

class BedrockClientCall implements ClientCall {
  readonly canonical: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly #operation: Operation;

  constructor(operation: Operation, { canonical, betas, warnings }: UnwrappedBody) {
    this.#operation = operation;
    this.canonical = canonical;
    this.betas = betas;
    this.warnings = warnings;
  }

  encodeAnswer(canonical: Buffer): Buffer {
    if (this.#operation === "messages") return canonical;
    return Buffer.from(`{"inputTokens":${requireCount(canonical, "The upstream", ["input_tokens"])}}`);
  }

  encodeUpstreamError(status: number, canonical: Buffer, { requestId }: AnswerContext): EncodedError {
    const body = envelopeOf(status, canonical.toString("utf8"), requestId);
    const { type, message } = body.error;
    return {
      status: bedrockStatus(status),
      body: JSON.stringify({ message, ...body }),
      headers: awsHeaders(type, requestId),
    };
  }

  passedStatus(status: number): number {
    return bedrockStatus(status);
  }

  streamEncoder(): StreamEncoder {
    return new BedrockStreamEncoder();
  }
}

/** The InvokeModel body within a CountTokens request. Throws WeirError naming what is missing or not taken. */
function countedBody(body: Buffer, maxDepth: number): Buffer {
  scanJson(body, maxDepth);
  const request = parseJson(body.toString("utf8"));
  const input = isObject(request) ? request["input"] : undefined;
  if (!isObject(input)) throw new WeirError("weir:request:invalid_field", "input must be an object");
  if (input["converse"] !== undefined) {
    throw new WeirError(
      "weir:request:unsupported_feature",
      "input.converse is not taken: send the InvokeModel body as input.invokeModel.body.",
    );
  }
  const invokeModel = input["invokeModel"];
  const base64 = isObject(invokeModel) ? invokeModel["body"] : undefined;
  if (typeof base64 !== "string") {
    throw new WeirError("weir:request:invalid_field", "input.invokeModel.body must be a base64 string");
  }
  return Buffer.from(base64, "base64");
}
