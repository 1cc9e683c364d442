import { isObject, objectsOf, textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { atMost, onlyMembers, requiredList, requiredObject, requiredText } from "./check-members.ts";
import { wrongShape } from "./openai-error.ts";

const NAME = /^[a-zA-Z0-9_-]+$/;

/** One function that the model may call, in the Messages form. */
export function messagesTool(definition: JsonObject, path: string): JsonObject {
  onlyMembers(definition, ["type", "name", "description", "parameters", "strict"], path);
  const name = requiredText(definition, "name", path);
  atMost(name, 64, `${path}.name`);
  if (!NAME.test(name)) {
    throw wrongShape(
      `Invalid '${path}.name': string does not match pattern. Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'.`,
      `${path}.name`,
      "invalid_value",
    );
  }
  const schema = definition["parameters"] ?? { type: "object", properties: {} };
  checkSchema(requiredObject(schema, `${path}.parameters`), { name, isStrict: definition["strict"] === true, path });
  const description = textOf(definition, "description");
  return { name, input_schema: schema, ...(description === "" ? {} : { description }) };
}

function checkSchema(
  schema: JsonObject,
  { name, isStrict, path }: { name: string; isStrict: boolean; path: string },
): void {
  const param = `${path}.parameters`;
  if (schema["type"] !== "object") {
    throw wrongShape(
      `Invalid schema for function '${name}': schema must be a JSON Schema of 'type: "object"', got 'type: ${JSON.stringify(schema["type"] ?? "None")}'.`,
      param,
      "invalid_function_parameters",
    );
  }
  if (!isStrict) return;
  if (schema["additionalProperties"] !== false) {
    throw wrongShape(
      `Invalid schema for function '${name}': In context=(), 'additionalProperties' is required to be supplied and to be false.`,
      param,
      "invalid_function_parameters",
    );
  }
  const properties = isObject(schema["properties"]) ? Object.keys(schema["properties"]) : [];
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  const missing = properties.find((property) => !required.includes(property));
  if (missing === undefined) return;
  throw wrongShape(
    `Invalid schema for function '${name}': In context=(), 'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`,
    param,
    "invalid_function_parameters",
  );
}

/** The tools of a request: functions in the Messages form; other kinds are OpenAI's own and nothing calls them here. */
export function messagesTools(
  value: unknown,
  definitionOf: (tool: JsonObject, path: string) => JsonObject,
): JsonObject[] {
  if (value === undefined || value === null) return [];
  const tools = requiredList(value, "tools").map((tool, index) => requiredObject(tool, `tools[${index}]`));
  const found: JsonObject[] = [];
  for (const [index, tool] of tools.entries()) {
    if (requiredText(tool, "type", `tools[${index}]`) === "function") found.push(definitionOf(tool, `tools[${index}]`));
  }
  return found;
}

/** `tool_choice` and `parallel_tool_calls` in the Messages form; `nameOf` finds the function that a choice names. */
export function messagesToolChoice(
  body: JsonObject,
  tools: readonly JsonObject[],
  nameOf: (choice: JsonObject) => string,
): JsonObject | null {
  const choice = body["tool_choice"];
  const parallel = body["parallel_tool_calls"];
  const given = [choice === undefined ? null : "tool_choice", parallel === undefined ? null : "parallel_tool_calls"];
  const first = given.find((name) => name !== null);
  if (tools.length === 0 && objectsOf(body["tools"]).length === 0) {
    if (first === undefined || (choice === "none" && parallel === undefined)) return null;
    throw wrongShape(
      `Invalid value for '${first}': '${first}' is only allowed when 'tools' are specified.`,
      first ?? "tools",
    );
  }
  const extra = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined || choice === null || choice === "auto") return { type: "auto", ...extra };
  if (choice === "none") return { type: "none" };
  if (choice === "required") return { type: "any", ...extra };
  const named = nameOf(requiredObject(choice, "tool_choice"));
  if (tools.some((tool) => tool["name"] === named)) return { type: "tool", name: named, ...extra };
  throw wrongShape(`Tool choice '${named}' not found in 'tools' parameter.`, "tool_choice");
}
