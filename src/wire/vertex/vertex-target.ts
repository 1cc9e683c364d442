import { adaptRequest } from "../cloud/adapt-request.ts";
import { BodyEdit, memberOf } from "../cloud/body-edit.ts";
import { requireCount, requireMessage } from "../cloud/canonical-answer.ts";
import { trimForCounting } from "../cloud/count-tokens.ts";
import type { CanonicalRequest, Operation, TargetCall, TargetWire, WireWarning } from "../codec.ts";
import { scanJson } from "../json/json-scan.ts";
import { decodeVertexError } from "./vertex-errors.ts";
import { VERTEX_RULES } from "./vertex-rules.ts";

const VERSION = '"vertex-2023-10-16"';
/** A body that is forwarded was scanned before, as the client's. */
const ANY_DEPTH = 1_000_000;

/**
 * rawPredict and streamRawPredict of Google's Agent Platform (Vertex AI) with Claude models. The model is in the path;
 * only `count-tokens:rawPredict` has it in the body. Streams are a Messages API's server-sent events.
 */
export const vertexTarget: TargetWire = {
  name: "vertex",
  forwards: ["x-vertex-ai-llm-request-type", "x-vertex-ai-llm-shared-request-type"],

  encode(request: CanonicalRequest): TargetCall {
    const adapted = adaptRequest(request, VERTEX_RULES);
    const { edit, warnings } = adapted;
    const counts = request.operation === "count_tokens";
    const betas = counts ? trimForCounting(request, adapted, VERTEX_RULES) : adapted.betas;
    edit.remove("model");
    if (counts) edit.insert("model", JSON.stringify(request.upstreamModel));
    edit.insert("anthropic_version", VERSION);
    // In the header for what is read there (as Anthropic's SDK sends them), in the body for what is read there.
    if (betas.length > 0) edit.insert("anthropic_beta", JSON.stringify(betas));
    return new VertexCall(request.operation, { body: edit.toBuffer(), betas, warnings });
  },

  forward(body: Buffer, request: CanonicalRequest): TargetCall {
    const { operation, betas, upstreamModel } = request;
    const forwarded = operation === "count_tokens" ? withModel(body, upstreamModel) : body;
    return new VertexCall(operation, { body: forwarded, betas, warnings: [] });
  },
};

function withModel(body: Buffer, model: string): Buffer {
  const { members } = scanJson(body, ANY_DEPTH);
  const member = memberOf(members, "model");
  if (member === undefined) return body;
  const edit = new BodyEdit(body, members);
  edit.replace(member.valueStart, member.valueEnd, JSON.stringify(model));
  return edit.toBuffer();
}

interface VertexRequest {
  readonly body: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
}

class VertexCall implements TargetCall {
  readonly body: Buffer;
  readonly headers: readonly string[];
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly #operation: Operation;

  constructor(operation: Operation, { body, betas, warnings }: VertexRequest) {
    this.#operation = operation;
    this.body = body;
    this.betas = betas;
    this.warnings = warnings;
    const headers = ["content-type", "application/json"];
    if (betas.length > 0) headers.push("anthropic-beta", betas.join());
    this.headers = headers;
  }

  decodeAnswer(body: Buffer): Buffer {
    if (this.#operation === "messages") return requireMessage(body, VERTEX_RULES.platform);
    return Buffer.from(`{"input_tokens":${requireCount(body, VERTEX_RULES.platform, ["input_tokens"])}}`);
  }

  decodeError(status: number, body: Buffer): Buffer {
    return decodeVertexError(status, body);
  }

  /** Its events are canonical already. */
  streamDecoder(): null {
    return null;
  }

  streamFilter(): null {
    return null;
  }
}
