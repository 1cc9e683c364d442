import { type JsonObject, isObject } from "../openai/json-reader.ts";

/** Messages' stop reasons in Chat's words. A reason that is not known here is most likely an ordinary end. */
const FINISH: Readonly<Record<string, string>> = {
  end_turn: "stop",
  stop_sequence: "stop",
  // The turn is to be sent back to go on; `stop_reason` beside it says so.
  pause_turn: "stop",
  max_tokens: "length",
  model_context_window_exceeded: "length",
  tool_use: "tool_calls",
  refusal: "content_filter",
};

/** The reasons that come back from Chat's words alone. */
const PLAIN: ReadonlySet<string> = new Set(["end_turn", "max_tokens", "tool_use", "refusal"]);

const STOP: Readonly<Record<string, string>> = {
  stop: "end_turn",
  length: "max_tokens",
  tool_calls: "tool_use",
  function_call: "tool_use",
  content_filter: "refusal",
};

/**
 * Members of a choice for how an answer ended: `finish_reason`, and Messages' own `stop_reason` and `stop_sequence` where
 * that says less than they do.
 */
export function finishOf(stopReason: unknown, stopSequence: unknown): JsonObject {
  const reason = typeof stopReason === "string" ? stopReason : "end_turn";
  const finish = { finish_reason: FINISH[reason] ?? "stop" };
  if (PLAIN.has(reason)) return finish;
  return {
    ...finish,
    stop_reason: reason,
    ...(typeof stopSequence === "string" ? { stop_sequence: stopSequence } : {}),
  };
}

export interface Stop {
  readonly stop_reason: string | null;
  readonly stop_sequence: string | null;
}

/** How a Chat choice ended in Messages' words. `usedTools`: some servers say `stop` after tool calls. */
export function stopOf(choice: JsonObject, usedTools: boolean): Stop {
  const own = choice["stop_reason"];
  if (typeof own === "string" && Object.hasOwn(FINISH, own)) {
    const sequence = choice["stop_sequence"];
    return { stop_reason: own, stop_sequence: typeof sequence === "string" ? sequence : null };
  }
  const finish = choice["finish_reason"];
  if (typeof finish !== "string") return { stop_reason: null, stop_sequence: null };
  // vLLM names the sequence that stopped it in `stop_reason`.
  if (finish === "stop" && typeof own === "string") return { stop_reason: "stop_sequence", stop_sequence: own };
  const reason = finish === "stop" && usedTools ? "tool_use" : (STOP[finish] ?? "end_turn");
  return { stop_reason: reason, stop_sequence: null };
}

/** Chat's service tier for the one in Messages' usage; null when it is not told. */
export function chatServiceTier(usage: unknown): string | null {
  const tier = isObject(usage) ? usage["service_tier"] : null;
  if (tier === "standard") return "default";
  return typeof tier === "string" ? tier : null;
}
