import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  optionalArray,
  optionalObject,
  optionalString,
  pathOf,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";

/** What Messages wants in `anthropic-beta` for its MCP connector. */
export const MCP_BETA = "mcp-client-2025-11-20";

/** An `mcp` tool as Messages has it: a server, and the set of its tools that may be used. */
export function mcpTool(
  tool: JsonObject,
  path: string,
  warnings: WireWarning[],
): { server: JsonRecord; toolset: JsonRecord } {
  const name = requiredString(tool, "server_label", path);
  const url = optionalString(tool, "server_url", path);
  if (url === undefined) {
    throw unsupportedField(path, "only MCP servers with a server_url can be reached, not connectors or tunnels");
  }
  if (tool["require_approval"] !== "never") {
    const problem = "calls cannot be held back for approval; set it to never, or leave the tool out";
    throw unsupportedField(pathOf(path, "require_approval"), problem);
  }
  refuseHeaders(tool, path);
  if (optionalString(tool, "server_description", path) !== undefined) {
    const message = "is not known to Messages and was left out";
    warnings.push({ field: pathOf(path, "server_description"), message });
  }
  const token = optionalString(tool, "authorization", path);
  const server = { type: "url", name, url, ...(token === undefined ? {} : { authorization_token: token }) };
  return { server, toolset: { type: "mcp_toolset", mcp_server_name: name, ...allowedTools(tool, path) } };
}

function refuseHeaders(tool: JsonObject, path: string): void {
  const headers = optionalObject(tool, "headers", path);
  if (headers === undefined || Object.keys(headers).length === 0) return;
  throw unsupportedField(pathOf(path, "headers"), "Messages sends an MCP server no headers but authorization");
}

/** All tools but the named ones turned off. */
function allowedTools(tool: JsonObject, path: string): JsonRecord {
  const { allowed_tools: allowed } = tool;
  if (allowed === undefined || allowed === null) return {};
  const field = pathOf(path, "allowed_tools");
  if (isObject(allowed) && allowed["read_only"] !== undefined) {
    throw unsupportedField(pathOf(field, "read_only"), "Messages chooses tools by their names alone; name them");
  }
  const names = isObject(allowed)
    ? (optionalArray(allowed, "tool_names", field) ?? [])
    : (optionalArray(tool, "allowed_tools", path) ?? []);
  const configs = Object.fromEntries(names.map((name) => [String(name), { enabled: true }]));
  return { default_config: { enabled: false }, configs };
}
