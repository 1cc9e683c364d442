import { isObject, type JsonObject, type JsonRecord } from "../openai/json-reader.ts";

/** What an answer must know of its request. */
export interface ResponseSettings {
  /** Parameters that a Response object repeats. */
  readonly echo: JsonObject;
  /** Names of the tools that take free text instead of JSON. */
  readonly customTools: ReadonlySet<string>;
  /** Whether the text of reasoning was asked for. */
  readonly summaries: boolean;
  /** Whether the addresses that a search found were asked for. */
  readonly searchSources: boolean;
}

/** The parameters that a Response object repeats, with the values that stand for an absent one. */
export function echoOf(body: JsonObject): JsonObject {
  const reasoning = isObject(body["reasoning"]) ? body["reasoning"] : {};
  const text = isObject(body["text"]) ? body["text"] : {};
  return {
    background: false,
    instructions: body["instructions"] ?? null,
    max_output_tokens: body["max_output_tokens"] ?? null,
    max_tool_calls: body["max_tool_calls"] ?? null,
    metadata: body["metadata"] ?? {},
    parallel_tool_calls: body["parallel_tool_calls"] ?? true,
    previous_response_id: null,
    prompt_cache_key: body["prompt_cache_key"] ?? null,
    reasoning: { ...reasoning, effort: reasoning["effort"] ?? null, summary: reasoning["summary"] ?? null },
    safety_identifier: body["safety_identifier"] ?? null,
    store: false,
    temperature: body["temperature"] ?? null,
    text: { ...text, format: text["format"] ?? { type: "text" } },
    tool_choice: body["tool_choice"] ?? "auto",
    tools: withoutSecrets(body["tools"]),
    top_logprobs: 0,
    top_p: body["top_p"] ?? null,
    truncation: body["truncation"] ?? "disabled",
    ...user(body),
  };
}

function user(body: JsonObject): JsonRecord {
  return typeof body["user"] === "string" ? { user: body["user"] } : {};
}

/** Tools as they were sent, without what gives access to a server. */
function withoutSecrets(tools: unknown): unknown {
  if (!Array.isArray(tools)) return [];
  return tools.map((tool: unknown) => {
    if (!isObject(tool) || tool["type"] !== "mcp") return tool;
    const { authorization: _authorization, headers: _headers, ...rest } = tool;
    return rest;
  });
}
