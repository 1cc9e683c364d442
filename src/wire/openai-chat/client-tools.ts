import type { WireWarning } from "../codec.ts";
import {
  type JsonObject,
  type JsonRecord,
  invalidField,
  isObject,
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalObject,
  requiredArray,
  requiredObject,
  requiredString,
  unsupportedField,
} from "../openai/json-reader.ts";
import { type ToolChoice, messagesToolChoice, toolOfFunction } from "../openai/tools.ts";

export interface ClientTools {
  readonly tools: readonly JsonRecord[];
  readonly toolChoice: JsonRecord | undefined;
  /** Whether a tool must be used. */
  readonly forced: boolean;
}

/** `tools`, `functions`, `web_search_options`, `tool_choice`, `function_call` and `parallel_tool_calls` for Messages. */
export function clientTools(body: JsonObject, warnings: WireWarning[]): ClientTools {
  const tools = (optionalArray(body, "tools", "") ?? []).map((tool, i) => toolOf(objectAt(tool, `tools[${i}]`), i));
  const functions = optionalArray(body, "functions", "") ?? [];
  for (const [i, fn] of functions.entries())
    tools.push(toolOfFunction(objectAt(fn, `functions[${i}]`), `functions[${i}]`));
  const search = optionalObject(body, "web_search_options", "");
  if (search !== undefined) tools.push(webSearch(search, warnings));
  const { choice, allowed } = choiceOf(body);
  const offered = allowed === null ? tools : tools.filter(({ name }) => allowed.has(String(name)));
  const parallel = optionalBoolean(body, "parallel_tool_calls", "");
  return {
    tools: offered,
    // Without tools there is nothing to choose, and Messages refuses to.
    toolChoice: offered.length === 0 ? undefined : messagesToolChoice(choice, parallel),
    forced: choice?.kind === "required" || choice?.kind === "named",
  };
}

/** A function; or a tool in Messages' own shape, which goes over as it is. */
function toolOf(tool: JsonObject, index: number): JsonRecord {
  const path = `tools[${index}]`;
  if (tool["type"] === "custom" && isObject(tool["custom"])) {
    throw unsupportedField(`${path}.type`, "custom tools with free text are not known to Messages; use a function");
  }
  if (tool["type"] !== "function") {
    if (tool["type"] === undefined && tool["input_schema"] === undefined)
      throw invalidField(`${path}.type`, "required");
    return { ...tool };
  }
  const { type: _type, function: _function, ...extensions } = tool;
  const fn = requiredObject(tool, "function", path);
  const cache = fn["cache_control"] === undefined ? {} : { cache_control: fn["cache_control"] };
  return { ...toolOfFunction(fn, `${path}.function`), ...cache, ...extensions };
}

function webSearch(options: JsonObject, warnings: WireWarning[]): JsonRecord {
  if (options["search_context_size"] !== undefined) {
    const message = "is not known to Messages and was left out";
    warnings.push({ field: "web_search_options.search_context_size", message });
  }
  const location = optionalObject(options, "user_location", "web_search_options");
  const approximate = location === undefined ? undefined : location["approximate"];
  return {
    type: "web_search_20250305",
    name: "web_search",
    ...(isObject(approximate) ? { user_location: { type: "approximate", ...approximate } } : {}),
  };
}

interface Choice {
  readonly choice: ToolChoice | undefined;
  /** Names of the tools that may be used; null for all. */
  readonly allowed: ReadonlySet<string> | null;
}

function choiceOf(body: JsonObject): Choice {
  const value = body["tool_choice"];
  if (value === undefined || value === null) return { choice: legacyChoice(body), allowed: null };
  if (value === "auto" || value === "none" || value === "required") return { choice: { kind: value }, allowed: null };
  if (typeof value === "string") {
    throw invalidField("tool_choice", `expected auto, none, required or an object, got ${JSON.stringify(value)}`);
  }
  const object = objectAt(value, "tool_choice");
  if (object["type"] === "function") {
    const name = requiredString(requiredObject(object, "function", "tool_choice"), "name", "tool_choice.function");
    return { choice: { kind: "named", name }, allowed: null };
  }
  if (object["type"] === "allowed_tools") return allowedTools(object);
  throw unsupportedField("tool_choice.type", `${String(object["type"])} is not known to Messages`);
}

/** Messages has no list of allowed tools; offering only those comes to the same. */
function allowedTools(object: JsonObject): Choice {
  const path = "tool_choice.allowed_tools";
  const inside = requiredObject(object, "allowed_tools", "tool_choice");
  const names = requiredArray(inside, "tools", path).map((tool, i) => {
    const at = `${path}.tools[${i}]`;
    return requiredString(requiredObject(objectAt(tool, at), "function", at), "name", `${at}.function`);
  });
  return { choice: { kind: inside["mode"] === "required" ? "required" : "auto" }, allowed: new Set(names) };
}

function legacyChoice(body: JsonObject): ToolChoice | undefined {
  const value = body["function_call"];
  if (value === undefined || value === null) return undefined;
  if (value === "auto" || value === "none") return { kind: value };
  return { kind: "named", name: requiredString(objectAt(value, "function_call"), "name", "function_call") };
}
