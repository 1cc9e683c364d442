import { invalid } from "./api-error.ts";
import { checkApiVersion } from "./check-api-version.ts";
import { checkCacheControl, readCacheTtl } from "./check-cache-control.ts";
import { readTurns } from "./check-turns.ts";
import { isObject, objectsOf, textOf, type JsonObject } from "./json-value.ts";
import type { MessageRequest, Thinking, ToolChoice } from "./message-request.ts";

const MIN_THINKING_BUDGET_TOKENS = 1024;
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** What the parser needs besides the body: a count_tokens request has no max_tokens. */
export interface ParseOptions {
  readonly needsMaxTokens: boolean;
  /** The request's `anthropic-version`. */
  readonly apiVersion: string;
}

/**
 * Checks a request body and brings it into shape. Unknown fields are accepted: clients and betas add them all the time.
 * Throws an ApiError (400) worded as the Messages API words it.
 */
export function parseMessageRequest(body: unknown, options: ParseOptions): MessageRequest {
  if (!isObject(body)) throw invalid("Input should be a valid dictionary");
  const model = requireString(body, "model");
  const turns = readTurns(body["messages"]);
  checkApiVersion(options.apiVersion, body, turns);
  const tools = readTools(body["tools"]);
  const maxTokens = options.needsMaxTokens ? readMaxTokens(body["max_tokens"]) : 0;
  const thinking = readThinking(body["thinking"], options.needsMaxTokens ? maxTokens : null);
  const toolChoice = readToolChoice(body["tool_choice"], tools);
  if (thinking.enabled && toolChoice.forced)
    throw invalid("Thinking may not be enabled when tool_choice forces tool use.");
  checkTemperature(body);
  const request: MessageRequest = {
    model,
    maxTokens,
    stream: readStream(body["stream"]),
    system: readSystem(body["system"]),
    tools,
    turns,
    toolChoice,
    thinking,
    stopSequences: readStopSequences(body["stop_sequences"]),
    outputSchema: readOutputSchema(body),
    automaticCacheTtl: readCacheTtl(body["cache_control"], "cache_control"),
    inferenceGeo: typeof body["inference_geo"] === "string" ? body["inference_geo"] : null,
    speed: body["speed"] === "fast" ? "fast" : "standard",
    hasContextManagement: isObject(body["context_management"]),
  };
  checkCacheControl(request);
  return request;
}

function requireString(body: JsonObject, field: string): string {
  const value = body[field];
  if (value === undefined) throw invalid(`${field}: Field required`);
  if (typeof value !== "string") throw invalid(`${field}: Input should be a valid string`);
  if (value === "") throw invalid(`${field}: String should have at least 1 character`);
  return value;
}

function readMaxTokens(value: unknown): number {
  if (value === undefined) throw invalid("max_tokens: Field required");
  if (typeof value !== "number" || !Number.isInteger(value))
    throw invalid("max_tokens: Input should be a valid integer");
  // 0 is allowed: it fills the prompt cache without an answer.
  if (value < 0) throw invalid("max_tokens: Input should be greater than or equal to 0");
  return value;
}

function readStream(value: unknown): boolean {
  if (value === undefined || value === null) return false;
  if (typeof value !== "boolean") throw invalid("stream: Input should be a valid boolean");
  return value;
}

function readSystem(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (typeof value === "string") return value === "" ? [] : [{ type: "text", text: value }];
  if (!Array.isArray(value)) throw invalid("system: Input should be a valid list");
  return value.map((block: unknown, index) => {
    if (!isObject(block) || block["type"] !== "text") throw invalid(`system.${index}.type: Input should be 'text'`);
    if (textOf(block, "text") === "") throw invalid("system: text content blocks must be non-empty");
    return block;
  });
}

function readTools(value: unknown): readonly JsonObject[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("tools: Input should be a valid list");
  const names = new Set<string>();
  return value.map((tool: unknown, index) => {
    if (!isObject(tool)) throw invalid(`tools.${index}: Input should be a valid dictionary`);
    checkTool(tool, index);
    const name = textOf(tool, "name");
    if (names.has(name) && name !== "") throw invalid("tools: Tool names must be unique.");
    names.add(name);
    return tool;
  });
}

function checkTool(tool: JsonObject, index: number): void {
  const isCustom = tool["type"] === undefined || tool["type"] === null || tool["type"] === "custom";
  if (!isCustom) return; // Anthropic's own tools and toolsets have their own shapes.
  const at = `tools.${index}.custom`;
  if (tool["name"] === undefined) throw invalid(`${at}.name: Field required`);
  if (!TOOL_NAME.test(textOf(tool, "name"))) {
    throw invalid(`${at}.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`);
  }
  const schema = tool["input_schema"];
  if (schema === undefined) throw invalid(`${at}.input_schema: Field required`);
  if (!isObject(schema)) throw invalid(`${at}.input_schema: Input should be a valid dictionary`);
  if (schema["type"] === undefined) throw invalid(`${at}.input_schema.type: Field required`);
  if (schema["type"] !== "object") throw invalid(`${at}.input_schema.type: Input should be 'object'`);
}

function readToolChoice(value: unknown, tools: readonly JsonObject[]): ToolChoice {
  const parallel = !isObject(value) || value["disable_parallel_tool_use"] !== true;
  const auto: ToolChoice = { allowed: tools.length > 0, forced: false, name: null, parallel };
  if (value === undefined || value === null) return auto;
  if (!isObject(value)) throw invalid("tool_choice: Input should be a valid dictionary");
  const type = value["type"];
  if (type === "none") return { ...auto, allowed: false };
  if (tools.length === 0) throw invalid("tool_choice may only be specified while providing tools");
  if (type === "auto") return auto;
  if (type === "any") return { ...auto, forced: true };
  if (type !== "tool") throw invalid("tool_choice.type: Input should be 'auto', 'any', 'tool' or 'none'");
  const name = value["name"];
  if (typeof name !== "string") throw invalid("tool_choice.tool.name: Field required");
  if (!tools.some((tool) => tool["name"] === name)) throw invalid(`Tool '${name}' not found in provided tools`);
  return { ...auto, forced: true, name };
}

function readThinking(value: unknown, maxTokens: number | null): Thinking {
  const off: Thinking = { enabled: false, budgetTokens: null, display: "summarized" };
  if (value === undefined || value === null) return off;
  if (!isObject(value)) throw invalid("thinking: Input should be a valid dictionary");
  const display = value["display"] === "omitted" ? "omitted" : "summarized";
  switch (value["type"]) {
    case "disabled":
    case "between_tools":
      return off;
    case "adaptive":
      return { enabled: true, budgetTokens: null, display };
    case "enabled":
      return { enabled: true, budgetTokens: readThinkingBudget(value["budget_tokens"], maxTokens), display };
    default:
      throw invalid(
        `thinking: Input tag '${String(value["type"])}' found using 'type' does not match any of the expected tags: ` +
          "'adaptive', 'disabled', 'enabled'",
      );
  }
}

function readThinkingBudget(value: unknown, maxTokens: number | null): number {
  if (value === undefined) throw invalid("thinking.enabled.budget_tokens: Field required");
  if (typeof value !== "number" || !Number.isInteger(value)) {
    throw invalid("thinking.enabled.budget_tokens: Input should be a valid integer");
  }
  if (value < MIN_THINKING_BUDGET_TOKENS) {
    throw invalid(
      `thinking.enabled.budget_tokens: Input should be greater than or equal to ${MIN_THINKING_BUDGET_TOKENS}`,
    );
  }
  if (maxTokens !== null && value >= maxTokens)
    throw invalid("`max_tokens` must be greater than `thinking.budget_tokens`.");
  return value;
}

function readStopSequences(value: unknown): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw invalid("stop_sequences: Input should be a valid list");
  return value.map((sequence: unknown, index) => {
    if (typeof sequence !== "string") throw invalid(`stop_sequences.${index}: Input should be a valid string`);
    if (sequence.trim() === "") throw invalid("stop_sequences: each stop sequence must contain non-whitespace");
    return sequence;
  });
}

/** `output_config.format`, or the older `output_format`, with a JSON schema. */
function readOutputSchema(body: JsonObject): JsonObject | null {
  const config = body["output_config"];
  for (const format of objectsOf([isObject(config) ? config["format"] : null, body["output_format"]])) {
    if (format["type"] === "json_schema" && isObject(format["schema"])) return format["schema"];
  }
  return null;
}

function checkTemperature(body: JsonObject): void {
  const value = body["temperature"];
  if (value === undefined || value === null) return;
  if (typeof value !== "number") throw invalid("temperature: Input should be a valid number");
  if (value < 0 || value > 1) throw invalid("temperature: range: 0..1");
}
