import {
  type JsonObject,
  invalidField,
  objectAt,
  optionalWord,
  requiredArray,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import type { ToolChoice } from "../../openai/tools.ts";

export interface ReadChoice {
  readonly choice: ToolChoice | undefined;
  /** Names of the tools that may be used; null for all. */
  readonly allowed: ReadonlySet<string> | null;
}

/** Reads `tool_choice`. Throws WeirError for a choice that Messages does not have. */
export function readChoice(value: unknown): ReadChoice {
  if (value === undefined || value === null) return { choice: undefined, allowed: null };
  if (value === "auto" || value === "none" || value === "required") return { choice: { kind: value }, allowed: null };
  if (typeof value === "string") throw invalidField("tool_choice", "expected auto, none, required or an object");
  const object = objectAt(value, "tool_choice");
  if (object["type"] !== "allowed_tools") {
    return { choice: { kind: "named", name: toolName(object, "tool_choice") }, allowed: null };
  }
  const mode = optionalWord(object, "mode", { path: "tool_choice", words: ["auto", "required"] });
  const names = requiredArray(object, "tools", "tool_choice").map((tool, index) => {
    const path = `tool_choice.tools[${index}]`;
    return toolName(objectAt(tool, path), path);
  });
  return { choice: { kind: mode ?? "auto" }, allowed: new Set(names) };
}

function toolName(tool: JsonObject, path: string): string {
  const type = requiredString(tool, "type", path);
  if (type === "function" || type === "custom") return requiredString(tool, "name", path);
  if (type.startsWith("web_search")) return "web_search";
  throw unsupportedField(path, `a tool of type ${type} cannot be chosen in Messages`);
}
