import { isObject, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { unknownParameter, wrongShape } from "./openai-error.ts";

/** Refuses members that are not in the list. */
export function onlyMembers(object: JsonObject, known: readonly string[], path: string): void {
  const unknown = Object.keys(object).find((name) => !known.includes(name));
  if (unknown !== undefined) throw unknownParameter(path === "" ? unknown : `${path}.${unknown}`);
}

/** The member as a string; refuses its absence and any other type. */
export function requiredText(object: JsonObject, name: string, path: string): string {
  const value = object[name];
  const param = path === "" ? name : `${path}.${name}`;
  if (value === undefined)
    throw wrongShape(`Missing required parameter: '${param}'.`, param, "missing_required_parameter");
  if (typeof value === "string") return value;
  throw wrongShape(
    `Invalid type for '${param}': expected a string, but got ${typeName(value)} instead.`,
    param,
    "invalid_type",
  );
}

/** The value as an object. */
export function requiredObject(value: unknown, path: string): JsonObject {
  if (isObject(value)) return value;
  throw wrongShape(
    `Invalid type for '${path}': expected an object, but got ${typeName(value)} instead.`,
    path,
    "invalid_type",
  );
}

/** The value as a list. */
export function requiredList(value: unknown, path: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrongShape(
    `Invalid type for '${path}': expected an array, but got ${typeName(value)} instead.`,
    path,
    "invalid_type",
  );
}

/** The value when it is one of those allowed. */
export function oneOf<T extends string>(value: unknown, allowed: readonly T[], path: string): T {
  const found = allowed.find((one) => one === value);
  if (found !== undefined) return found;
  const supported = allowed.map((one) => `'${one}'`).join(", ");
  throw wrongShape(`Invalid value: '${String(value)}'. Supported values are: ${supported}.`, path, "invalid_value");
}

/** Refuses an id that is too long. */
export function atMost(text: string, length: number, path: string): void {
  if (text.length <= length) return;
  const message = `Invalid '${path}': string too long. Expected a string with maximum length ${length}, but got a string with length ${text.length} instead.`;
  throw wrongShape(message, path, "string_above_max_length");
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return "null";
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
