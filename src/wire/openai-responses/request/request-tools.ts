import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalObject,
  optionalString,
  pathOf,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { messagesToolChoice, toolOfFunction } from "../../openai/tools.ts";
import { mcpTool } from "./mcp-tool.ts";
import { readChoice } from "./tool-choice.ts";

export interface RequestTools {
  readonly tools: readonly JsonRecord[];
  readonly mcpServers: readonly JsonRecord[];
  readonly toolChoice: JsonRecord | undefined;
  /** Whether a tool must be used. */
  readonly forced: boolean;
  /** Names of the tools that take free text. */
  readonly customTools: ReadonlySet<string>;
}

const SEARCH_TYPES: ReadonlySet<string> = new Set([
  "web_search",
  "web_search_2025_08_26",
  "web_search_preview",
  "web_search_preview_2025_03_11",
]);

/** `tools`, `tool_choice`, `parallel_tool_calls` and `max_tool_calls` for Messages. */
export function readTools(body: JsonObject, warnings: WireWarning[]): RequestTools {
  const gathered = new ToolReader(warnings);
  for (const [index, tool] of (optionalArray(body, "tools", "") ?? []).entries()) {
    gathered.read(objectAt(tool, `tools[${index}]`), `tools[${index}]`);
  }
  const { choice, allowed } = readChoice(body["tool_choice"]);
  // Messages has no list of allowed tools: to offer no others comes to the same.
  const tools = allowed === null ? gathered.tools : gathered.tools.filter(({ name }) => allowed.has(String(name)));
  limitUses(body, tools, warnings);
  const parallel = optionalBoolean(body, "parallel_tool_calls", "");
  return {
    tools,
    mcpServers: gathered.mcpServers,
    toolChoice: tools.length === 0 ? undefined : messagesToolChoice(choice, parallel),
    forced: choice?.kind === "required" || choice?.kind === "named",
    customTools: gathered.customTools,
  };
}

class ToolReader {
  readonly tools: JsonRecord[] = [];
  readonly mcpServers: JsonRecord[] = [];
  readonly customTools = new Set<string>();
  readonly #warnings: WireWarning[];

  constructor(warnings: WireWarning[]) {
    this.#warnings = warnings;
  }

  read(tool: JsonObject, path: string): void {
    const type = optionalString(tool, "type", path);
    if (type === "function") {
      this.#warnOf(tool, path, ["allowed_callers", "async", "defer_loading", "output_schema"]);
      this.tools.push({ ...toolOfFunction(tool, path), ...cacheControl(tool) });
    } else if (type === "custom" && !("input_schema" in tool)) this.#custom(tool, path);
    else if (type !== undefined && SEARCH_TYPES.has(type)) this.#search(tool, path);
    else if (type === "mcp") {
      const { server, toolset } = mcpTool(tool, path, this.#warnings);
      this.mcpServers.push(server);
      this.tools.push(toolset);
    } else if (isMessagesTool(type, tool)) this.tools.push({ ...tool });
    else throw unsupportedField(path, `tools of type ${type ?? "none"} have no counterpart in Messages`);
  }

  /** A tool that takes free text: to the model, a tool with the one member `input`. */
  #custom(tool: JsonObject, path: string): void {
    this.#warnOf(tool, path, ["allowed_callers", "async", "defer_loading"]);
    const name = requiredString(tool, "name", path);
    const description = [optionalString(tool, "description", path), this.#grammar(tool, path)];
    this.customTools.add(name);
    this.tools.push({
      name,
      description: description.filter((text) => text !== undefined).join("\n\n"),
      input_schema: {
        type: "object",
        properties: { input: { type: "string", description: "The whole input of the tool, as plain text." } },
        required: ["input"],
        additionalProperties: false,
      },
      ...cacheControl(tool),
    });
  }

  #grammar(tool: JsonObject, path: string): string | undefined {
    const format = optionalObject(tool, "format", path);
    if (format === undefined || format["type"] === "text") return undefined;
    const field = pathOf(path, "format");
    const definition = requiredString(format, "definition", field);
    const syntax = requiredString(format, "syntax", field);
    this.#warnings.push({ field, message: "is not enforced by Messages; the grammar was put into the description" });
    return `The input must match this ${syntax} grammar:\n${definition}`;
  }

  #search(tool: JsonObject, path: string): void {
    if (tool["external_web_access"] === false) {
      const field = pathOf(path, "external_web_access");
      throw unsupportedField(field, "Messages has no search without access to the web; leave the tool out");
    }
    this.#warnOf(tool, path, ["search_context_size", "search_content_types"]);
    const filters = optionalObject(tool, "filters", path);
    const domains = filters === undefined ? undefined : optionalArray(filters, "allowed_domains", `${path}.filters`);
    const location = optionalObject(tool, "user_location", path);
    this.tools.push({
      type: "web_search_20250305",
      name: "web_search",
      ...(domains === undefined ? {} : { allowed_domains: domains }),
      ...(location === undefined ? {} : { user_location: { ...location, type: "approximate" } }),
    });
  }

  #warnOf(tool: JsonObject, path: string, fields: readonly string[]): void {
    for (const field of fields) {
      const value = tool[field];
      if (value === undefined || value === null || value === false || value === "medium") continue;
      this.#warnings.push({ field: pathOf(path, field), message: "is not known to Messages and was left out" });
    }
  }
}

function cacheControl(tool: JsonObject): JsonRecord {
  return isObject(tool["cache_control"]) ? { cache_control: tool["cache_control"] } : {};
}

/** A tool in Messages' own words: those with a schema, and those whose type ends in a date. */
function isMessagesTool(type: string | undefined, tool: JsonObject): boolean {
  return isObject(tool["input_schema"]) || (type !== undefined && /^[a-z_0-9]+_20\d{6}$/.test(type));
}

/** Messages limits each tool's uses, not those of all together: the same where there is one tool to limit. */
function limitUses(body: JsonObject, tools: readonly JsonRecord[], warnings: WireWarning[]): void {
  const limit = body["max_tool_calls"];
  if (limit === undefined || limit === null) return;
  const hosted = tools.filter(({ type }) => type !== undefined && type !== "custom");
  const [only] = hosted;
  if (only !== undefined && hosted.length === 1 && only["name"] === "web_search") only["max_uses"] = limit;
  else if (hosted.length > 0) {
    const message = "was left out: Messages limits web search alone, not the calls of several tools together";
    warnings.push({ field: "max_tool_calls", message });
  }
}
