import type { AnswerContext } from "../codec.ts";
import { openaiId } from "../openai/ids.ts";
import type { JsonObject, JsonRecord } from "../openai/json-reader.ts";
import type { ResponseSettings } from "./response-settings.ts";

export type ResponseStatus = "in_progress" | "completed" | "incomplete" | "failed";

export interface ResponseState {
  readonly messageId: string;
  readonly status: ResponseStatus;
  readonly output: readonly JsonRecord[];
  /** Null until it is known. */
  readonly usage: JsonObject | null;
  readonly incompleteReason: string | null;
  readonly error: JsonObject | null;
  readonly serviceTier: string | null;
}

/** A Response object, with the request's parameters as OpenAI repeats them. */
export function responseObject(state: ResponseState, settings: ResponseSettings, context: AnswerContext): JsonRecord {
  return {
    id: openaiId("resp_", state.messageId),
    object: "response",
    created_at: Math.floor(context.createdAtMs / 1000),
    status: state.status,
    error: state.error,
    incomplete_details: state.incompleteReason === null ? null : { reason: state.incompleteReason },
    model: context.modelAsked,
    output: state.output,
    ...settings.echo,
    service_tier: openaiTier(state.serviceTier),
    usage: state.usage,
  };
}

/** Anthropic's word for the capacity that served a request, in OpenAI's. */
function openaiTier(tier: string | null): string {
  return tier === "priority" ? "priority" : "default";
}

/** Why an answer is incomplete, by Messages' stop reason; null for one that is complete. */
export function incompleteReason(stopReason: unknown): string | null {
  switch (stopReason) {
    case "max_tokens":
    case "model_context_window_exceeded":
      return "max_output_tokens";
    case "refusal":
      return "content_filter";
    // The upstream paused its own tools' loop: the conversation goes on when the output is sent back.
    case "pause_turn":
    case "compaction":
      return "max_messages";
    default:
      return null;
  }
}
