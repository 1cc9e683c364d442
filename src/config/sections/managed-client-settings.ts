import { didYouMean } from "../did-you-mean.ts";
import type { MemberProblem } from "../fields/checked.ts";
import { CLIENT_SETTING_TYPES, type ClientSettingType } from "./managed-client-setting-types.ts";

/**
 * What is wrong with a Claude Code settings document: known keys with values of another kind, and keys that look like known
 * ones. Other unknown keys are delivered as written, since clients may be newer than Weir; a rule warns of them.
 */
export function findClientSettingsProblems(settings: Readonly<Record<string, unknown>>): MemberProblem[] {
  return Object.entries(settings).flatMap(([key, value]) => problemsOf(key, value));
}

/** Keys that no client is known to have and that no known key resembles. */
export function unknownClientSettings(settings: Readonly<Record<string, unknown>>): string[] {
  return Object.keys(settings).filter((key) => !CLIENT_SETTING_TYPES.has(key));
}

function problemsOf(key: string, value: unknown): MemberProblem[] {
  const type = CLIENT_SETTING_TYPES.get(key);
  if (type === undefined) return misspelt(key);
  if (!isOf(type, value)) {
    return [{ path: [key], message: `must be ${WORDS[type]}`, fix: "See the settings reference of Claude Code." }];
  }
  if (key === "availableModels") return textsAt([key], value);
  if (key === "permissions") return permissionProblems(value);
  if (key === "hooks") return hookProblems(value);
  return [];
}

function misspelt(key: string): MemberProblem[] {
  if (key === "mcpServers") {
    return [
      {
        path: [key],
        message: "Claude Code takes no MCP servers from a policy under this name",
        fix: "Use managedMcpServers (http and sse servers), or managed-mcp.json on each device.",
      },
    ];
  }
  const [near] = didYouMean(key, [...CLIENT_SETTING_TYPES.keys()]);
  if (near === undefined) return [];
  const message = `Claude Code has no setting ${JSON.stringify(key)}: what it should enforce would not be enforced`;
  return [{ path: [key], code: "unknown_key", message, fix: `Did you mean ${near}?` }];
}

const RULE_LISTS = ["allow", "deny", "ask", "additionalDirectories"];

function permissionProblems(value: unknown): MemberProblem[] {
  if (!isMap(value)) return [];
  return RULE_LISTS.flatMap((list) => (list in value ? textsAt(["permissions", list], value[list]) : []));
}

function hookProblems(value: unknown): MemberProblem[] {
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([event, hooks]) =>
    Array.isArray(hooks)
      ? []
      : [{ path: ["hooks", event], message: "must be a list", fix: "Write a list of matchers with their hooks." }],
  );
}

function textsAt(path: readonly string[], value: unknown): MemberProblem[] {
  if (!Array.isArray(value)) return [{ path, message: "must be a list", fix: "Write a list of texts." }];
  return value.flatMap((item, i) =>
    typeof item === "string" ? [] : [{ path: [...path, i], message: "must be text", fix: "Put it in quotes." }],
  );
}

const WORDS: Readonly<Record<ClientSettingType, string>> = {
  text: "text",
  switch: "true or false",
  number: "a number",
  list: "a list",
  map: "a map",
  any: "anything",
};

function isOf(type: ClientSettingType, value: unknown): boolean {
  switch (type) {
    case "text":
      return typeof value === "string";
    case "switch":
      return typeof value === "boolean";
    case "number":
      return typeof value === "number";
    case "list":
      return Array.isArray(value);
    case "map":
      return isMap(value);
    case "any":
    default:
      return true;
  }
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
