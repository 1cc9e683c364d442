import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { messagesUsage, readResponsesUsage } from "../../openai/usage.ts";

/** What is known of an answer's output when its end is read. */
export interface OutputFacts {
  readonly hasToolCalls: boolean;
  /** Why the model declined; null when it did not. */
  readonly refusal: string | null;
  readonly searches: number;
}

/** `stop_reason` and what belongs to it, of a Response that is complete or incomplete. */
export function stopFields(response: JsonObject, facts: OutputFacts): JsonRecord {
  const reason = stopReason(response, facts);
  const declined = { type: "refusal", category: null, explanation: facts.refusal };
  return {
    stop_reason: reason,
    stop_sequence: null,
    ...(reason === "refusal" ? { stop_details: declined } : {}),
  };
}

function stopReason(response: JsonObject, { hasToolCalls, refusal }: OutputFacts): string {
  if (response["status"] === "incomplete") {
    const details = response["incomplete_details"];
    const reason = isObject(details) ? details["reason"] : null;
    if (reason === "content_filter") return "refusal";
    return reason === "max_messages" ? "pause_turn" : "max_tokens";
  }
  if (refusal !== null) return "refusal";
  return hasToolCalls ? "tool_use" : "end_turn";
}

/** The usage of a Response in Messages' terms: what was read from the cache is not part of the input. */
export function usageFields(response: JsonObject, facts: OutputFacts): JsonRecord {
  const counts = readResponsesUsage(response["usage"]);
  const { service_tier: tier } = response;
  return {
    ...(counts === null ? { input_tokens: 0, output_tokens: 0 } : messagesUsage(counts)),
    ...(facts.searches > 0 ? { server_tool_use: { web_search_requests: facts.searches } } : {}),
    ...(typeof tier === "string" ? { service_tier: tier === "priority" ? "priority" : "standard" } : {}),
  };
}
