import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  optionalArray,
  optionalObject,
  optionalString,
  optionalWord,
  requiredObject,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { modelTraits } from "../../openai/model-traits.ts";
import { EFFORTS, type ThinkingFields, thinkingOf } from "../../openai/reasoning.ts";

const SUMMARIES = ["auto", "concise", "detailed"] as const;
const FORMATS = ["text", "json_object", "json_schema"] as const;

export const JSON_OBJECT_INSTRUCTION = "Answer with one JSON object and nothing else: no prose, no code fence.";

/** `reasoning` for Messages: what thinking is asked for, and whether its text is. */
export function thinkingAsked(
  body: JsonObject,
  { model, maxTokens, forcedTool }: { model: string; maxTokens: number; forcedTool: boolean },
  warnings: WireWarning[],
): ThinkingFields & { readonly summaries: boolean } {
  const reasoning = optionalObject(body, "reasoning", "") ?? {};
  const path = "reasoning";
  const summary =
    optionalWord(reasoning, "summary", { path, words: SUMMARIES }) ??
    optionalWord(reasoning, "generate_summary", { path, words: SUMMARIES });
  for (const field of ["context", "mode"]) {
    const value = reasoning[field];
    if (value === undefined || value === null || value === "auto" || value === "standard") continue;
    warnings.push({ field: `${path}.${field}`, message: "is not known to Messages and was left out" });
  }
  const summaries = summary !== undefined;
  const asked = optionalWord(reasoning, "effort", { path, words: EFFORTS });
  const adaptive = modelTraits(model).thinking === "adaptive";
  // Who asks for a summary expects reasoning, as much as the model does by itself.
  const effort = asked ?? (summaries && !adaptive ? "medium" : undefined);
  const request = { field: "reasoning.effort", model, maxTokens, forcedTool };
  const fields =
    effort !== undefined
      ? thinkingOf({ effort, ...request }, warnings)
      : summaries && !forcedTool
        ? { thinking: { type: "adaptive" } }
        : {};
  return { ...fields, ...shown(fields.thinking, summaries), summaries };
}

/** Which models show their thinking by default differs: whoever wants to read it says so. */
function shown(thinking: JsonRecord | undefined, summaries: boolean): { thinking?: JsonRecord } {
  const thinks = thinking?.["type"] === "adaptive" || thinking?.["type"] === "enabled";
  return thinks && summaries ? { thinking: { ...thinking, display: "summarized" } } : {};
}

export interface TextFormat {
  /** For `output_config.format`. */
  readonly format: JsonRecord | undefined;
  /** Whether one JSON object of any shape is asked for. */
  readonly jsonObject: boolean;
}

/** `text` for Messages. A JSON object without a schema can only be asked for in words. */
export function textFormat(body: JsonObject, warnings: WireWarning[]): TextFormat {
  const text = optionalObject(body, "text", "") ?? {};
  const verbosity = optionalString(text, "verbosity", "text");
  if (verbosity !== undefined && verbosity !== "medium") {
    const message = "is not known to Messages and was left out; ask for brevity or detail in the prompt";
    warnings.push({ field: "text.verbosity", message });
  }
  const format = optionalObject(text, "format", "text") ?? { type: "text" };
  const path = "text.format";
  const type = optionalWord(format, "type", { path, words: FORMATS });
  if (type === "json_object") {
    const message = "json_object became an instruction in the system prompt; json_schema is enforced";
    warnings.push({ field: path, message });
  }
  if (type !== "json_schema") return { format: undefined, jsonObject: type === "json_object" };
  if (typeof format["description"] === "string") {
    const message = "is not known to Messages and was left out; describe the schema inside itself";
    warnings.push({ field: `${path}.description`, message });
  }
  return { format: { type: "json_schema", schema: requiredObject(format, "schema", path) }, jsonObject: false };
}

/** Throws for what asks for another answer than Messages can give, or for what only a server with a memory can do. */
export function refuseUnanswerable(body: JsonObject): void {
  refuse(body, "previous_response_id", "Weir stores no responses; send the conversation's items in input instead");
  refuse(body, "conversation", "Weir stores no conversations; send their items in input instead");
  refuse(body, "prompt", "Weir stores no prompt templates; send the prompt's text in instructions or input");
  refuse(body, "moderation", "moderation results are not part of a Messages answer");
  if (body["background"] === true) {
    throw unsupportedField("background", "Weir answers while the client waits; use stream for long answers");
  }
  if (typeof body["top_logprobs"] === "number" && body["top_logprobs"] > 0) {
    throw unsupportedField("top_logprobs", "Messages does not tell the probabilities of tokens");
  }
  const options = body["prompt_cache_options"];
  if (isObject(options) && options["prewarm"] === true) {
    throw unsupportedField("prompt_cache_options.prewarm", "a request without an answer is not known to Messages");
  }
}

function refuse(body: JsonObject, field: string, problem: string): void {
  if (body[field] !== undefined && body[field] !== null) throw unsupportedField(field, problem);
}

/** `include` words that ask for what is there anyway, or for what cannot be there because its tool is refused. */
const NO_EFFECT: ReadonlySet<unknown> = new Set([
  "reasoning.encrypted_content",
  "web_search_call.action.sources",
  "code_interpreter_call.outputs",
  "computer_call_output.output.image_url",
  "file_search_call.results",
]);

/** Whether `include` asks for the addresses that searches found. */
export function searchSourcesAsked(body: JsonObject, warnings: WireWarning[]): boolean {
  const include = optionalArray(body, "include", "") ?? [];
  for (const [index, word] of include.entries()) {
    if (NO_EFFECT.has(word)) continue;
    const field = `include[${index}]`;
    if (word === "message.output_text.logprobs") {
      throw unsupportedField(field, "Messages does not tell the probabilities of tokens");
    }
    warnings.push({ field, message: "is not in Weir's answers and was left out" });
  }
  return include.includes("web_search_call.action.sources");
}
