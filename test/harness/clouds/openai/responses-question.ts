import type { ResponseCreateParams } from "openai/resources/responses/responses";

import type { JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import type { ChatProfile } from "./chat-question.ts";
import { oneOf, onlyMembers, requiredList, requiredObject, requiredText } from "./check-members.ts";
import { ConversationBuilder } from "./conversation-builder.ts";
import { notPossible, unsupported, wrongShape } from "./openai-error.ts";
import { traitsOf } from "./openai-models.ts";
import { messagesTool, messagesToolChoice, messagesTools } from "./openai-tools.ts";
import { addResponseItems } from "./responses-input.ts";

const MEMBERS = [
  "access_programs",
  "background",
  "context_management",
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
  "tool_choice",
  "tools",
  "top_logprobs",
  "top_p",
  "truncation",
  "user",
] as const satisfies readonly (keyof ResponseCreateParams)[];
const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
const MIN_OUTPUT_TOKENS = 16;

/** What a Responses request asks. */
export interface ResponsesQuestion {
  readonly body: JsonObject;
  readonly isStream: boolean;
  /** Whether summaries of reasoning were asked for. */
  readonly showsSummary: boolean;
  readonly includesEncrypted: boolean;
  /** What the response repeats of the request. */
  readonly echo: JsonObject;
}

/** Checks a Responses request as strictly as OpenAI and makes a Messages question of it. Throws a Refusal. */
export function readResponses(body: JsonObject, profile: ChatProfile): ResponsesQuestion {
  onlyMembers(body, [...MEMBERS, ...profile.extraMembers], "");
  checkPlain(body);
  const conversation = new ConversationBuilder();
  const { instructions, input } = body;
  if (instructions !== undefined && instructions !== null) conversation.system(requiredText(body, "instructions", ""));
  if (typeof input === "string") conversation.user([{ type: "text", text: input }]);
  else if (input === undefined)
    throw wrongShape("Missing required parameter: 'input'.", "input", "missing_required_parameter");
  else addResponseItems(requiredList(input, "input"), conversation);
  const tools = messagesTools(body["tools"], (tool, path) => {
    onlyMembers(tool, ["type", "name", "description", "parameters", "strict", "defer_loading"], path);
    // Functions are strict here unless it is said otherwise.
    return messagesTool({ ...tool, strict: tool["strict"] ?? false }, path);
  });
  const choice = messagesToolChoice(body, tools, (named) => {
    oneOf(named["type"], ["function"], "tool_choice.type");
    return requiredText(named, "name", "tool_choice");
  });
  const reasoning = reasoningOf(body, profile);
  const format = outputFormat(body["text"]);
  const built = conversation.build();
  const thinks = reasoning.thinks && choice?.["type"] !== "any" && choice?.["type"] !== "tool";
  return {
    isStream: body["stream"] === true,
    showsSummary: reasoning.showsSummary,
    includesEncrypted: includesEncrypted(body["include"]),
    echo: echoOf(body),
    body: {
      model: profile.engineModel,
      max_tokens: body["max_output_tokens"] ?? 4096,
      messages: built.messages,
      ...(built.system.length > 0 ? { system: built.system } : {}),
      ...(tools.length > 0 ? { tools } : {}),
      ...(choice === null || tools.length === 0 ? {} : { tool_choice: choice }),
      ...(format === null ? {} : { output_config: { format } }),
      ...(thinks ? { thinking: { type: "adaptive" } } : {}),
    },
  };
}

function checkPlain(body: JsonObject): void {
  const limit = body["max_output_tokens"];
  if (typeof limit === "number" && limit < MIN_OUTPUT_TOKENS) {
    throw wrongShape(
      `Invalid 'max_output_tokens': integer below minimum value. Expected a value >= ${MIN_OUTPUT_TOKENS}, but got ${limit} instead.`,
      "max_output_tokens",
      "integer_below_min_value",
    );
  }
  const previous = body["previous_response_id"];
  if (typeof previous === "string") {
    throw notPossible(
      `Previous response with id '${previous}' not found.`,
      "previous_response_id",
      "previous_response_not_found",
    );
  }
  if (body["background"] === true) throw notPossible("Background mode is not supported here.", "background");
  const options = body["stream_options"];
  if (options === undefined || options === null) return;
  if (body["stream"] !== true)
    throw wrongShape("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options");
  onlyMembers(requiredObject(options, "stream_options"), ["include_obfuscation"], "stream_options");
}

function reasoningOf(body: JsonObject, { model, isOpenAi }: ChatProfile): { thinks: boolean; showsSummary: boolean } {
  const { isReasoning } = traitsOf(model);
  if (isOpenAi && isReasoning) {
    for (const name of ["temperature", "top_p"]) {
      if (body[name] !== undefined && body[name] !== null) throw unsupported(name, "this model");
    }
  }
  const value = body["reasoning"];
  if (value === undefined || value === null) return { thinks: isOpenAi && isReasoning, showsSummary: false };
  const reasoning = requiredObject(value, "reasoning");
  onlyMembers(reasoning, ["effort", "summary", "generate_summary", "context"], "reasoning");
  if (isOpenAi && !isReasoning) throw unsupported("reasoning.effort", "this model");
  const effort = reasoning["effort"];
  const asked = effort === undefined || effort === null ? "medium" : oneOf(effort, EFFORTS, "reasoning.effort");
  const summary = reasoning["summary"];
  if (summary !== undefined && summary !== null) oneOf(summary, ["auto", "concise", "detailed"], "reasoning.summary");
  return { thinks: asked !== "none" && asked !== "minimal", showsSummary: typeof summary === "string" };
}

function includesEncrypted(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  return requiredList(value, "include").includes("reasoning.encrypted_content");
}

function outputFormat(value: unknown): JsonObject | null {
  if (value === undefined || value === null) return null;
  const text = requiredObject(value, "text");
  onlyMembers(text, ["format", "verbosity"], "text");
  if (text["format"] === undefined || text["format"] === null) return null;
  const format = requiredObject(text["format"], "text.format");
  const type = oneOf(format["type"], ["text", "json_object", "json_schema"], "text.format.type");
  if (type !== "json_schema") return null;
  onlyMembers(format, ["type", "name", "description", "schema", "strict"], "text.format");
  requiredText(format, "name", "text.format");
  return { type: "json_schema", schema: requiredObject(format["schema"], "text.format.schema") };
}

function echoOf(body: JsonObject): JsonObject {
  return {
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    metadata: body["metadata"] ?? {},
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    temperature: body["temperature"] ?? 1,
    tool_choice: body["tool_choice"] ?? "auto",
    tools: body["tools"] ?? [],
    top_p: body["top_p"] ?? 1,
    reasoning: { effort: null, summary: null },
    store: body["store"] ?? true,
    text: body["text"] ?? { format: { type: "text" } },
    truncation: "disabled",
    service_tier: "default",
    previous_response_id: null,
  };
}
