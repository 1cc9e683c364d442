import { endUserOf } from "../openai/caller-hints.ts";
import type { WireWarning } from "../codec.ts";
import {
  type JsonObject,
  invalidField,
  isObject,
  optionalArray,
  optionalBoolean,
  optionalInteger,
  optionalNumber,
  optionalObject,
  unsupportedField,
} from "../openai/json-reader.ts";

/**
 * Top-level members that never reach Messages under their own name: translated elsewhere, refused or left out here. What is
 * not in this list is taken for a member of Messages (`thinking`, `top_k`, `context_management`, …) and goes over as it is.
 */
export const OPENAI_MEMBERS: ReadonlySet<string> = new Set([
  "anthropic_beta",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "messages",
  "metadata",
  "modalities",
  "model",
  "moderation",
  "n",
  "output_config",
  "parallel_tool_calls",
  "prediction",
  "presence_penalty",
  "prompt_cache_key",
  "prompt_cache_options",
  "prompt_cache_retention",
  "reasoning_effort",
  "response_format",
  "safety_identifier",
  "seed",
  "service_tier",
  "stop",
  "store",
  "stream",
  "stream_options",
  "temperature",
  "thinking",
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
]);

/** Throws for what asks for another answer than Messages can give. */
export function refuseUnanswerable(body: JsonObject): void {
  const n = optionalInteger(body, "n", { path: "", min: 1 });
  if (n !== undefined && n > 1) throw unsupportedField("n", "Messages gives one answer; ask several times instead");
  if (optionalBoolean(body, "logprobs", "") === true || (optionalNumber(body, "top_logprobs", "") ?? 0) > 0) {
    throw unsupportedField("logprobs", "Messages does not tell the probabilities of tokens");
  }
  const bias = optionalObject(body, "logit_bias", "");
  if (bias !== undefined && Object.keys(bias).length > 0) {
    throw unsupportedField("logit_bias", "tokens can be neither favoured nor forbidden in Messages");
  }
  if (body["audio"] !== undefined && body["audio"] !== null) throw noAudio("audio");
  const modalities = optionalArray(body, "modalities", "") ?? [];
  if (modalities.some((modality) => modality !== "text")) throw noAudio("modalities");
  if (isObject(body["moderation"])) {
    throw unsupportedField("moderation", "moderation results are not part of a Messages answer");
  }
}

function noAudio(path: string): Error {
  return unsupportedField(path, "Messages answers with text, not with audio");
}

/** Hints without a counterpart: what becomes of them when they are set to something that matters. */
const HINTS: Readonly<Record<string, string>> = {
  frequency_penalty: "is not known to Messages and was left out",
  presence_penalty: "is not known to Messages and was left out",
  prediction: "is not known to Messages and was left out; it changes speed, not the answer",
  prompt_cache_key: "was left out; in Messages cache_control on a part decides what is cached",
  prompt_cache_options: "was left out; in Messages cache_control on a part decides what is cached",
  prompt_cache_retention: "was left out; in Messages cache_control on a part decides how long it is cached",
  seed: "is not known to Messages and was left out: the same request may be answered differently",
  store: "was left out: answers are not kept for later retrieval",
  verbosity: "is not known to Messages and was left out; ask for brevity in the prompt",
};

export function warnOfHints(body: JsonObject, warnings: WireWarning[]): void {
  for (const field in HINTS) {
    const value = body[field];
    if (value === undefined || value === null || value === false || value === 0) continue;
    warnings.push({ field, message: HINTS[field] ?? "was left out" });
  }
  const options = optionalObject(body, "stream_options", "");
  if (options?.["include_obfuscation"] === true) {
    warnings.push({ field: "stream_options.include_obfuscation", message: "was left out: chunks are not padded" });
  }
}

/** `stop` as `stop_sequences`; undefined when there is none. */
export function stopSequences(body: JsonObject): readonly string[] | undefined {
  const stop = body["stop"];
  if (stop === undefined || stop === null) return undefined;
  const list: readonly unknown[] = Array.isArray(stop) ? stop : [stop];
  if (list.length === 0) return undefined;
  return list.map((entry, i) => {
    const path = Array.isArray(stop) ? `stop[${i}]` : "stop";
    if (typeof entry !== "string") throw invalidField(path, "expected a string");
    if (entry.trim() === "") {
      throw unsupportedField(path, "Messages takes no stop sequence of white space alone");
    }
    return entry;
  });
}

/** The limit that the request names, `max_completion_tokens` before the older `max_tokens`; undefined for none. */
export function maxTokensAsked(body: JsonObject): number | undefined {
  const limits = { path: "", min: 1 };
  const limit = optionalInteger(body, "max_completion_tokens", limits);
  const older = optionalInteger(body, "max_tokens", limits);
  return limit ?? older;
}

/** `metadata.user_id` for Messages, with a warning for whatever else is in metadata. */
export function userId(body: JsonObject, warnings: WireWarning[]): string | undefined {
  const metadata = optionalObject(body, "metadata", "");
  if (metadata !== undefined && Object.keys(metadata).some((key) => key !== "user_id")) {
    warnings.push({ field: "metadata", message: "has no place in Messages except for user_id; the rest was left out" });
  }
  return endUserOf(body);
}
