import { z } from "zod";

import type { AnswerRewrite } from "../relay/buffer-relay.ts";

/** Whose answer it is, as far as the simple form shows it. */
interface SimpleExchange {
  readonly id: string;
  readonly startedAtMs: number;
}

const message = z.object({
  model: z.string(),
  content: z.array(z.object({ type: z.string(), text: z.string().optional() })),
  usage: z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cache_read_input_tokens: z.number().nullish(),
    cache_creation_input_tokens: z.number().nullish(),
  }),
});

/**
 * Turns a Messages answer into the simple form: text only, the sum of tokens, seconds taken. Errors stay as they are: their
 * envelope is the same in both.
 */
export function simpleAnswer(exchange: SimpleExchange): AnswerRewrite {
  return (status, body) => {
    if (status >= 400) return null;
    const { model, content, usage } = message.parse(JSON.parse(body.toString("utf8")));
    const tokens =
      usage.input_tokens +
      usage.output_tokens +
      (usage.cache_read_input_tokens ?? 0) +
      (usage.cache_creation_input_tokens ?? 0);
    const answer = {
      content: content.map((block) => block.text ?? "").join(""),
      model,
      tokens_used: tokens,
      // Monotonic, as startedAtMs is.
      processing_time: Math.round(performance.now() - exchange.startedAtMs) / 1000,
      request_id: exchange.id,
    };
    return { status, body: Buffer.from(JSON.stringify(answer)) };
  };
}
