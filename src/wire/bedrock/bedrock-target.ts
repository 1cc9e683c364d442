import { adaptRequest } from "../cloud/adapt-request.ts";
import { memberOf } from "../cloud/body-edit.ts";
import { requireCount, requireMessage } from "../cloud/canonical-answer.ts";
import { countedMaxTokens, trimForCounting } from "../cloud/count-tokens.ts";
import type { CanonicalRequest, Operation, StreamDecoder, TargetCall, TargetWire, WireWarning } from "../codec.ts";
import { decodeBedrockError } from "./bedrock-errors.ts";
import { BEDROCK_RULES } from "./bedrock-rules.ts";
import { BedrockStreamDecoder } from "./stream-decoder.ts";

const VERSION = '"bedrock-2023-05-31"';
const HEADERS: readonly string[] = ["content-type", "application/json", "accept", "application/json"];

/**
 * InvokeModel of Amazon Bedrock with Claude models. The model and whether to stream are in the path
 * (`/model/{id}/invoke`, `/invoke-with-response-stream`, `/count-tokens`), so bodies have neither.
 */
export const bedrockTarget: TargetWire = {
  name: "bedrock",
  forwards: [
    "x-amzn-bedrock-guardrailidentifier",
    "x-amzn-bedrock-guardrailversion",
    "x-amzn-bedrock-trace",
    "x-amzn-bedrock-service-tier",
    "x-amzn-bedrock-performanceconfig-latency",
  ],

  encode(request: CanonicalRequest): TargetCall {
    return request.operation === "count_tokens" ? encodeCount(request) : encodeMessages(request);
  },

  forward(body: Buffer, { operation }: CanonicalRequest): TargetCall {
    return new BedrockCall(operation, { body, betas: [], warnings: [] });
  },
};

function encodeMessages(request: CanonicalRequest): TargetCall {
  const { edit, betas, warnings } = adaptRequest(request, BEDROCK_RULES);
  edit.remove("model");
  edit.remove("stream");
  edit.insert("anthropic_version", VERSION);
  if (betas.length > 0) edit.insert("anthropic_beta", JSON.stringify(betas));
  return new BedrockCall(request.operation, { body: edit.toBuffer(), betas, warnings });
}

/** CountTokens takes the body that InvokeModel would get, in base64, and that one must have `max_tokens`. */
function encodeCount(request: CanonicalRequest): TargetCall {
  const adapted = adaptRequest(request, BEDROCK_RULES);
  const betas = trimForCounting(request, adapted, BEDROCK_RULES);
  const { edit, warnings } = adapted;
  edit.remove("model");
  edit.remove("stream");
  edit.insert("anthropic_version", VERSION);
  if (betas.length > 0) edit.insert("anthropic_beta", JSON.stringify(betas));
  if (memberOf(request.scan.members, "max_tokens") === undefined) {
    edit.insert("max_tokens", String(countedMaxTokens(request)));
  }
  const inner = edit.toBuffer().toString("base64");
  const body = Buffer.from(`{"input":{"invokeModel":{"body":"${inner}"}}}`);
  return new BedrockCall(request.operation, { body, betas, warnings });
}

interface BedrockRequest {
  readonly body: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
}

class BedrockCall implements TargetCall {
  readonly body: Buffer;
  readonly headers = HEADERS;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly #operation: Operation;

  constructor(operation: Operation, { body, betas, warnings }: BedrockRequest) {
    this.#operation = operation;
    this.body = body;
    this.betas = betas;
    this.warnings = warnings;
  }

  decodeAnswer(body: Buffer): Buffer {
    if (this.#operation === "messages") return requireMessage(body, BEDROCK_RULES.platform);
    // A Weir in front of Bedrock may answer in either spelling.
    const count = requireCount(body, BEDROCK_RULES.platform, ["inputTokens", "input_tokens"]);
    return Buffer.from(`{"input_tokens":${count}}`);
  }

  decodeError(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer {
    return decodeBedrockError(status, body, headers);
  }

  streamDecoder(): StreamDecoder {
    return new BedrockStreamDecoder();
  }

  streamFilter(): null {
    return null;
  }
}
