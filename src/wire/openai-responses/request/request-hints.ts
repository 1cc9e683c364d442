import type { WireWarning } from "../../codec.ts";
import { type JsonObject, optionalObject, optionalString } from "../../openai/json-reader.ts";

/**
 * Top-level members that never reach Messages under their own name. What is not in this list is taken for a member of
 * Messages (`top_k`, `stop_sequences`, `context_management`, …) and goes over as it is.
 */
const OPENAI_MEMBERS: ReadonlySet<string> = new Set([
  "access_programs",
  "anthropic_beta",
  "background",
  "conversation",
  "image",
  "include",
  "input",
  "instructions",
  "max_output_tokens",
  "max_tool_calls",
  "metadata",
  "model",
  "moderation",
  "output_config",
  "parallel_tool_calls",
  "previous_response_id",
  "prompt",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "reasoning",
  "safety_identifier",
  "service_tier",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "text",
  "thinking",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
]);

/** Hints without a counterpart: what becomes of them when they are set to something that matters. */
const HINTS: Readonly<Record<string, string>> = {
  access_programs: "is not known to Messages and was left out",
  image: "is not known to Messages and was left out",
  store: "was left out: answers are not kept for later retrieval",
};

export function warnOfHints(body: JsonObject, warnings: WireWarning[]): void {
  for (const field in HINTS) {
    const value = body[field];
    if (value === undefined || value === null || value === false) continue;
    warnings.push({ field, message: HINTS[field] ?? "was left out" });
  }
  if (optionalString(body, "truncation", "") === "auto") {
    const message = "was left out: a conversation that is too long is refused, not shortened";
    warnings.push({ field: "truncation", message });
  }
  if (optionalObject(body, "stream_options", "")?.["include_obfuscation"] === true) {
    warnings.push({ field: "stream_options.include_obfuscation", message: "was left out: events are not padded" });
  }
}

/** `context_management` is a list in Responses and an object in Messages: only the object goes over. */
export function isOwnMember(key: string, value: unknown): boolean {
  return !OPENAI_MEMBERS.has(key) && !(key === "context_management" && (Array.isArray(value) || value === null));
}
