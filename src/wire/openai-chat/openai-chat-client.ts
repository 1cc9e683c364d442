import type { WeirError } from "../../core/weir-error.ts";
import type { ScannedRequest, ScanLimits } from "../anthropic/request-scan.ts";
import type {
  AnswerContext,
  ClientCall,
  ClientRequest,
  ClientWire,
  EncodedError,
  StreamEncoder,
  WireWarning,
} from "../codec.ts";
import type { FilledJson } from "../openai/hollow-body.ts";
import { encodeUpstreamError, encodeWeirError } from "../openai/error-shape.ts";
import { encodeChatAnswer } from "./chat-answer.ts";
import { ChatStreamEncoder } from "./chat-stream-encoder.ts";
import { type DecodedChat, decodeChatRequest } from "./client-request.ts";

/** OpenAI Chat Completions as a client format. */
export const openaiChatClient: ClientWire = {
  name: "openai-chat",
  decode(request: ClientRequest): ClientCall {
    return new ChatClientCall(decodeChatRequest(request));
  },
  encodeError(error: WeirError, requestId: string): EncodedError {
    return encodeWeirError(error, requestId);
  },
};

class ChatClientCall implements ClientCall {
  readonly canonical: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly #includeUsage: boolean;

  readonly #json: FilledJson;

  constructor({ canonical, betas, warnings, includeUsage }: DecodedChat) {
    this.#json = canonical;
    this.canonical = canonical.bytes;
    this.betas = betas;
    this.warnings = warnings;
    this.#includeUsage = includeUsage;
  }

  scan(limits: ScanLimits): ScannedRequest {
    return this.#json.scan(limits);
  }

  encodeAnswer(canonical: Buffer, context: AnswerContext): Buffer {
    return encodeChatAnswer(canonical, context);
  }

  encodeUpstreamError(status: number, canonical: Buffer, context: AnswerContext): EncodedError {
    return encodeUpstreamError(status, canonical, context.requestId);
  }

  streamEncoder(context: AnswerContext): StreamEncoder {
    return new ChatStreamEncoder(context, this.#includeUsage);
  }
}
