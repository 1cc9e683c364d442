import {
  type JsonObject,
  type JsonRecord,
  invalidField,
  isObject,
  optionalBoolean,
  optionalObject,
  optionalString,
  pathOf,
  requiredString,
  unsupportedField,
} from "./json-reader.ts";

/** A function as both OpenAI formats describe it: `{name, description, parameters, strict}`. */
export function toolOfFunction(fn: JsonObject, path: string): JsonRecord {
  const name = requiredString(fn, "name", path);
  if (name === "") throw invalidField(pathOf(path, "name"), "must not be empty");
  const description = optionalString(fn, "description", path);
  const strict = optionalBoolean(fn, "strict", path);
  return {
    name,
    ...(description === undefined ? {} : { description }),
    input_schema: inputSchema(optionalObject(fn, "parameters", path)),
    ...(strict === undefined ? {} : { strict }),
  };
}

/** Without parameters a function takes an empty object; Messages wants `type: object` at the top to be said. */
function inputSchema(parameters: JsonObject | undefined): JsonObject {
  if (parameters === undefined) return { type: "object", properties: {} };
  return parameters["type"] === undefined ? { type: "object", ...parameters } : parameters;
}

/** A client tool of a Messages request as an OpenAI function. Throws for tools that run at Anthropic, naming them. */
export function functionOfTool(tool: JsonObject, path: string): JsonRecord {
  const type = tool["type"];
  if (typeof type === "string" && type !== "custom") {
    throw unsupportedField(
      path,
      `the tool type ${type} runs at Anthropic or is built into Claude; other models lack it`,
    );
  }
  const { name, description, strict } = tool;
  const schema = isObject(tool["input_schema"]) ? tool["input_schema"] : { type: "object", properties: {} };
  return {
    name: typeof name === "string" ? name : "",
    ...(typeof description === "string" ? { description } : {}),
    parameters: schema,
    ...(typeof strict === "boolean" ? { strict } : {}),
  };
}

/** What `tool_choice` says, in no format's words. */
export type ToolChoice =
  | { readonly kind: "auto" | "none" | "required" }
  | { readonly kind: "named"; readonly name: string };

/** `tool_choice` of a Messages request; undefined when it need not be said. */
export function messagesToolChoice(
  choice: ToolChoice | undefined,
  parallel: boolean | undefined,
): JsonRecord | undefined {
  const serial = parallel === false ? { disable_parallel_tool_use: true } : {};
  if (choice === undefined) return parallel === false ? { type: "auto", ...serial } : undefined;
  if (choice.kind === "named") return { type: "tool", name: choice.name, ...serial };
  // Without any tool there is nothing to be done one at a time.
  if (choice.kind === "none") return { type: "none" };
  return { type: choice.kind === "auto" ? "auto" : "any", ...serial };
}

export interface ReadToolChoice {
  readonly choice: ToolChoice | undefined;
  /** False when tools are to be used one at a time; undefined when nothing is said. */
  readonly parallel: boolean | undefined;
}

/** Reads `tool_choice` of a Messages request. */
export function readToolChoice(value: unknown): ReadToolChoice {
  if (!isObject(value)) return { choice: undefined, parallel: undefined };
  const parallel = value["disable_parallel_tool_use"] === true ? false : undefined;
  return { choice: choiceOf(value), parallel };
}

function choiceOf(value: JsonObject): ToolChoice | undefined {
  switch (value["type"]) {
    case "auto":
      return { kind: "auto" };
    case "any":
      return { kind: "required" };
    case "none":
      return { kind: "none" };
    case "tool":
      return { kind: "named", name: String(value["name"]) };
    default:
      throw unsupportedField("tool_choice.type", `${String(value["type"])} is not known to OpenAI's formats`);
  }
}

/** Where a tool call's arguments are kept that are not the JSON text of an object. */
const UNPARSED = "unparsed_arguments";

/**
 * A tool call's arguments as the object that Messages wants; an empty text is how some models say "no arguments". Text that
 * is no JSON object, such as a call that was cut by the token limit, is kept whole as `unparsed_arguments`: refusing it would
 * end the conversation, and a caller that checks the tool's schema finds it.
 */
export function inputOfArguments(text: string): JsonObject {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // Kept below.
  }
  return { [UNPARSED]: text };
}

/** Whether `inputOfArguments` could not read the arguments. */
export function isUnparsed(input: JsonObject): boolean {
  return typeof input[UNPARSED] === "string" && Object.keys(input).length === 1;
}

/** The arguments of a tool use as JSON text: the reverse of `inputOfArguments`. */
export function argumentsOfInput(input: unknown): string {
  if (isObject(input) && isUnparsed(input)) return String(input[UNPARSED]);
  return JSON.stringify(input ?? {});
}
