import type { ChatCompletionCreateParams } from "openai/resources/chat/completions";

import type { JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { addChatMessages } from "./chat-messages.ts";
import { oneOf, onlyMembers, requiredList, requiredObject, requiredText } from "./check-members.ts";
import { ConversationBuilder } from "./conversation-builder.ts";
import { notPossible, unsupported, wrongShape } from "./openai-error.ts";
import { traitsOf } from "./openai-models.ts";
import { messagesTool, messagesToolChoice, messagesTools } from "./openai-tools.ts";

const MEMBERS = [
  "messages",
  "model",
  "audio",
  "frequency_penalty",
  "function_call",
  "functions",
  "logit_bias",
  "logprobs",
  "max_completion_tokens",
  "max_tokens",
  "metadata",
  "modalities",
  "moderation",
  "n",
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
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "user",
  "verbosity",
  "web_search_options",
] as const satisfies readonly (keyof ChatCompletionCreateParams)[];
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;

/** What a request for a chat completion asks. */
export interface ChatQuestion {
  readonly body: JsonObject;
  readonly isStream: boolean;
  readonly includesUsage: boolean;
}

export interface ChatProfile {
  /** The model as the provider knows it: by deployment where it has such. */
  readonly model: string;
  readonly engineModel: string;
  /** Members that a compatible server takes besides OpenAI's own. */
  readonly extraMembers: readonly string[];
  /** Whether the server is OpenAI's own, with its rules for reasoning models. */
  readonly isOpenAi: boolean;
}

/** Checks a Chat Completions request as strictly as OpenAI and makes a Messages question of it. Throws a Refusal. */
export function readChat(body: JsonObject, profile: ChatProfile): ChatQuestion {
  onlyMembers(body, [...MEMBERS, ...profile.extraMembers], "");
  const isStream = body["stream"] === true;
  checkLimits(body, profile);
  const conversation = new ConversationBuilder();
  addChatMessages(requiredList(body["messages"] ?? missing("messages"), "messages"), conversation, !profile.isOpenAi);
  const tools = messagesTools(body["tools"], (tool, path) => {
    onlyMembers(tool, ["type", "function"], path);
    return messagesTool(requiredObject(tool["function"], `${path}.function`), `${path}.function`);
  });
  const choice = messagesToolChoice(body, tools, (named) => {
    oneOf(named["type"], ["function"], "tool_choice.type");
    return requiredText(requiredObject(named["function"], "tool_choice.function"), "name", "tool_choice.function");
  });
  const format = outputFormat(body["response_format"]);
  const maxTokens = body["max_completion_tokens"] ?? body["max_tokens"] ?? 4096;
  const thinks = thinksFor(body, profile) && choice?.["type"] !== "any" && choice?.["type"] !== "tool";
  const built = conversation.build();
  return {
    isStream,
    includesUsage: usageAsked(body, isStream),
    body: {
      model: profile.engineModel,
      max_tokens: maxTokens,
      messages: built.messages,
      ...(built.system.length > 0 ? { system: built.system } : {}),
      ...(tools.length > 0 ? { tools } : {}),
      ...(choice === null || tools.length === 0 ? {} : { tool_choice: choice }),
      ...(format === null ? {} : { output_config: { format } }),
      ...(thinks ? { thinking: { type: "adaptive" } } : {}),
      ...stopOf(body["stop"]),
    },
  };
}

function checkLimits(body: JsonObject, { model, isOpenAi }: ChatProfile): void {
  const { max_tokens: old, max_completion_tokens: limit, n } = body;
  if (isOpenAi && traitsOf(model).isReasoning) {
    if (old !== undefined && old !== null) throw unsupported("max_tokens", "this model", "max_completion_tokens");
    if (typeof body["temperature"] === "number" && body["temperature"] !== 1) {
      throw notPossible(
        "Unsupported value: 'temperature' does not support this value with this model. Only the default (1) value is supported.",
        "temperature",
        "unsupported_value",
      );
    }
    for (const name of ["top_p", "logprobs", "frequency_penalty", "presence_penalty"]) {
      if (body[name] !== undefined && body[name] !== null) throw unsupported(name, "this model");
    }
  }
  if (old !== undefined && limit !== undefined) {
    throw wrongShape(
      "Setting 'max_tokens' and 'max_completion_tokens' at the same time is not supported.",
      "max_tokens",
      "invalid_parameter_combination",
    );
  }
  for (const [name, value] of [
    ["max_tokens", old],
    ["max_completion_tokens", limit],
  ] as const) {
    if (value === undefined || value === null) continue;
    if (typeof value !== "number" || !Number.isInteger(value) || value < 1) {
      throw wrongShape(
        `Invalid '${name}': integer below minimum value. Expected a value >= 1, but got ${JSON.stringify(value)} instead.`,
        name,
        "integer_below_min_value",
      );
    }
  }
  if (n !== undefined && n !== null && n !== 1) throw notPossible("This stand-in gives one choice only.", "n");
  const temperature = body["temperature"];
  if (typeof temperature === "number" && (temperature < 0 || temperature > 2)) {
    throw wrongShape(
      "Invalid 'temperature': decimal out of range. Expected a value between 0 and 2.",
      "temperature",
      "decimal_above_max_value",
    );
  }
}

function usageAsked(body: JsonObject, isStream: boolean): boolean {
  const options = body["stream_options"];
  if (options === undefined || options === null) return false;
  if (!isStream) {
    throw wrongShape("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  }
  const object = requiredObject(options, "stream_options");
  onlyMembers(object, ["include_usage", "include_obfuscation"], "stream_options");
  return object["include_usage"] === true;
}

function thinksFor(body: JsonObject, { model, isOpenAi }: ChatProfile): boolean {
  const effort = body["reasoning_effort"];
  if (effort === undefined || effort === null) return isOpenAi && traitsOf(model).isReasoning;
  const asked = oneOf(effort, EFFORTS, "reasoning_effort");
  if (isOpenAi && !traitsOf(model).isReasoning) throw unsupported("reasoning_effort", "this model");
  return asked !== "none" && asked !== "minimal";
}

function outputFormat(value: unknown): JsonObject | null {
  if (value === undefined || value === null) return null;
  const format = requiredObject(value, "response_format");
  const type = oneOf(format["type"], ["text", "json_object", "json_schema"], "response_format.type");
  if (type !== "json_schema") return null;
  const definition = requiredObject(format["json_schema"], "response_format.json_schema");
  onlyMembers(definition, ["name", "description", "schema", "strict"], "response_format.json_schema");
  requiredText(definition, "name", "response_format.json_schema");
  return { type: "json_schema", schema: requiredObject(definition["schema"], "response_format.json_schema.schema") };
}

function stopOf(value: unknown): JsonObject {
  if (value === undefined || value === null) return {};
  const list = typeof value === "string" ? [value] : requiredList(value, "stop");
  if (list.length > 4) {
    throw wrongShape(
      `Invalid 'stop': array too long. Expected an array with maximum length 4, but got an array with length ${list.length} instead.`,
      "stop",
      "array_above_max_length",
    );
  }
  return { stop_sequences: list };
}

function missing(param: string): never {
  throw wrongShape(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
}
