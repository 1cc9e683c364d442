import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  objectAt,
  optionalArray,
  optionalObject,
  pathOf,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { functionOfTool, readToolChoice } from "../../openai/tools.ts";

/** `tools`, `tool_choice` and what belongs to them, for a Responses request. */
export function toolFields(body: JsonObject, warnings: WireWarning[]): JsonRecord {
  const servers = serversByName(body);
  const tools: JsonRecord[] = [];
  const fields: JsonRecord = {};
  for (const [index, value] of (optionalArray(body, "tools", "") ?? []).entries()) {
    const path = `tools[${index}]`;
    const tool = objectAt(value, path);
    if (isWebSearch(tool)) tools.push(webSearch(tool, path));
    else if (tool["type"] === "mcp_toolset") tools.push(mcpTool(tool, servers, path));
    else tools.push(functionTool(tool, path, warnings));
  }
  refuseLooseServers(servers, tools);
  if (tools.length > 0) fields["tools"] = tools;
  limitCalls(fields, body, { tools, warnings });
  const { choice, parallel } = readToolChoice(body["tool_choice"]);
  if (choice !== undefined) fields["tool_choice"] = choiceOf(choice);
  if (parallel === false) fields["parallel_tool_calls"] = false;
  return fields;
}

function choiceOf(choice: NonNullable<ReturnType<typeof readToolChoice>["choice"]>): JsonRecord | string {
  if (choice.kind !== "named") return choice.kind;
  return choice.name === "web_search" ? { type: "web_search" } : { type: "function", name: choice.name };
}

function functionTool(tool: JsonObject, path: string, warnings: WireWarning[]): JsonRecord {
  if (Array.isArray(tool["input_examples"]) && tool["input_examples"].length > 0) {
    const message = "is not known to Responses and was left out";
    warnings.push({ field: pathOf(path, "input_examples"), message });
  }
  // Said always: without it Responses takes schemas for strict ones and refuses most.
  return { type: "function", strict: false, ...functionOfTool(tool, path) };
}

function isWebSearch({ type }: JsonObject): boolean {
  return typeof type === "string" && type.startsWith("web_search_20");
}

function webSearch(tool: JsonObject, path: string): JsonRecord {
  const blocked = optionalArray(tool, "blocked_domains", path);
  if (blocked !== undefined && blocked.length > 0) {
    throw unsupportedField(pathOf(path, "blocked_domains"), "Responses knows only allowed domains");
  }
  const allowed = optionalArray(tool, "allowed_domains", path);
  const location = optionalObject(tool, "user_location", path);
  return {
    type: "web_search",
    ...(allowed === undefined ? {} : { filters: { allowed_domains: allowed } }),
    ...(location === undefined ? {} : { user_location: location }),
  };
}

/** Responses limits the calls of all hosted tools together: the same where one tool is all there are. */
function limitCalls(
  fields: JsonRecord,
  body: JsonObject,
  { tools, warnings }: { tools: readonly JsonRecord[]; warnings: WireWarning[] },
): void {
  const search = (optionalArray(body, "tools", "") ?? []).filter(isObject).find(isWebSearch);
  const limit = search?.["max_uses"];
  if (limit === undefined || limit === null) return;
  if (tools.filter(({ type }) => type !== "function").length === 1) fields["max_tool_calls"] = limit;
  else {
    const message = "was left out: Responses limits the calls of all hosted tools together, not those of one";
    warnings.push({ field: "tools.max_uses", message });
  }
}

function serversByName(body: JsonObject): ReadonlyMap<string, JsonObject> {
  const servers = optionalArray(body, "mcp_servers", "") ?? [];
  return new Map(servers.filter(isObject).map((server) => [String(server["name"]), server]));
}

/** The older form of the connector, where a server's tools are not listed among the tools. */
function refuseLooseServers(servers: ReadonlyMap<string, JsonObject>, tools: readonly JsonRecord[]): void {
  for (const name of servers.keys()) {
    if (tools.some((tool) => tool["server_label"] === name)) continue;
    throw unsupportedField("mcp_servers", `the server ${name} has no mcp_toolset in tools; add one`);
  }
}

function mcpTool(toolset: JsonObject, servers: ReadonlyMap<string, JsonObject>, path: string): JsonRecord {
  const name = requiredString(toolset, "mcp_server_name", path);
  const server = servers.get(name) ?? {};
  const { authorization_token: token } = server;
  return {
    type: "mcp",
    server_label: name,
    server_url: requiredString(server, "url", `mcp_servers.${name}`),
    ...(typeof token === "string" ? { authorization: token } : {}),
    require_approval: "never",
    ...allowedTools(toolset, path),
  };
}

/** Responses can only list what is allowed, not what is not. */
function allowedTools(toolset: JsonObject, path: string): JsonRecord {
  const configs = Object.entries(optionalObject(toolset, "configs", path) ?? {});
  const byDefault = optionalObject(toolset, "default_config", path)?.["enabled"] !== false;
  const isEnabled = (config: unknown): boolean => !isObject(config) || config["enabled"] !== false;
  if (!byDefault) return { allowed_tools: configs.filter(([, config]) => isEnabled(config)).map(([name]) => name) };
  if (configs.every(([, config]) => isEnabled(config))) return {};
  throw unsupportedField(
    pathOf(path, "configs"),
    "Responses takes a list of allowed tools; turn the others off by default",
  );
}
