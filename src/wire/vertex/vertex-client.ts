import type { WeirError } from "../../core/weir-error.ts";
import { errorBody, errorHeaders } from "../anthropic/error-body.ts";
import {
  NOT_COUNTED,
  requirePathModel,
  unwrapBody,
  withStreamOfPath,
  type UnwrappedBody,
} from "../cloud/client-body.ts";
import { envelopeOf, isErrorType, isObject } from "../cloud/envelope.ts";
import type {
  AnswerContext,
  ClientCall,
  ClientRequest,
  ClientWire,
  EncodedError,
  StreamEncoder,
  WireWarning,
} from "../codec.ts";
import { googleStatusOf } from "./vertex-errors.ts";

const EVENTS_TYPE = "text/event-stream; charset=utf-8";
const PING = Buffer.from('event: ping\ndata: {"type":"ping"}\n\n');

/** Clients that speak rawPredict: Claude Code with CLAUDE_CODE_USE_VERTEX, the Vertex SDK. */
export const vertexClient: ClientWire = {
  name: "vertex",

  decode({ operation, body, maxDepth, pathModel, pathStream }: ClientRequest): ClientCall {
    const counts = operation === "count_tokens";
    const stream = counts ? null : pathStream === true;
    const unwrapped = unwrapBody({
      body,
      maxDepth,
      // `…/models/count-tokens:rawPredict` has the model in the body.
      model: counts ? null : requirePathModel(pathModel),
      stream,
      without: counts ? NOT_COUNTED : [],
    });
    // Google hands the body on to the model as it is, and what it makes of a contradiction is said nowhere. The method counts:
    // `:rawPredict` answers whole, `:streamRawPredict` as a stream, whichever upstream it is.
    const corrected = !unwrapped.contradictsPath
      ? null
      : { body: withStreamOfPath(body, stream === true, maxDepth), warnings: unwrapped.warnings };
    return new VertexClientCall(unwrapped, corrected);
  },

  encodeError(error: WeirError, requestId: string): EncodedError {
    const body: unknown = JSON.parse(errorBody(error, requestId));
    return {
      status: error.row.status,
      body: JSON.stringify(withGoogleStatus(body)),
      headers: errorHeaders(error),
    };
  },
};

/**
 * The Messages API's envelope, which is what Anthropic's SDKs and Claude Code read (Vertex itself relays the model's
 * refusals in it), with Google's status beside the type for clients that look there.
 */
function withGoogleStatus(body: unknown): unknown {
  if (!isObject(body) || !isObject(body["error"])) return body;
  const { type } = body["error"];
  return isErrorType(type) ? { ...body, error: { ...body["error"], status: googleStatusOf(type) } } : body;
}

class VertexClientCall implements ClientCall {
  readonly canonical: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly corrected: ClientCall["corrected"];

  constructor({ canonical, betas, warnings }: UnwrappedBody, corrected: ClientCall["corrected"]) {
    this.canonical = canonical;
    this.corrected = corrected;
    this.betas = betas;
    this.warnings = warnings;
  }

  encodeAnswer(canonical: Buffer): Buffer {
    return canonical;
  }

  encodeUpstreamError(status: number, canonical: Buffer, { requestId }: AnswerContext): EncodedError {
    const body = envelopeOf(status, canonical.toString("utf8"), requestId);
    return { status, body: JSON.stringify(withGoogleStatus(body)), headers: {} };
  }

  /** The canonical events are what these clients read. */
  streamEncoder(): StreamEncoder {
    return PASSING;
  }
}

const PASSING: StreamEncoder = {
  contentType: EVENTS_TYPE,
  push: (chunk) => chunk,
  ping: () => PING,
};
