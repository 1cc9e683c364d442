import type { StreamDecoder, StreamFilter, TargetCall, WireWarning } from "../../wire/codec.ts";
import { embeddingsTokens, embeddingsWithModel } from "../../wire/openai/embeddings.ts";
import { decodeOpenaiError } from "../../wire/openai/error-shape.ts";

/**
 * An embeddings request on its way to an upstream that has them. The client gets the upstream's own answer; its canonical form
 * is only what metering needs of it.
 */
export class EmbeddingsCall implements TargetCall {
  readonly body: Buffer;
  readonly headers: readonly string[] = ["content-type", "application/json", "accept", "application/json"];
  readonly warnings: readonly WireWarning[] = [];

  constructor(body: Buffer, upstreamModel: string) {
    this.body = embeddingsWithModel(body, upstreamModel);
  }

  decodeAnswer(body: Buffer): Buffer {
    const tokens = embeddingsTokens(body);
    const usage = tokens === null ? null : { input_tokens: tokens, output_tokens: 0 };
    return Buffer.from(JSON.stringify({ type: "message", usage }));
  }

  decodeError(status: number, body: Buffer): Buffer {
    return decodeOpenaiError(status, body);
  }

  streamDecoder(): StreamDecoder | null {
    return null;
  }

  streamFilter(): StreamFilter | null {
    return null;
  }
}
