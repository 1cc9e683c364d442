import { WeirError } from "../../core/weir-error.ts";

/** A JSON object whose members nobody has checked yet. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON object under construction. */
export type JsonRecord = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `messages[2]` and `content` make `messages[2].content`; the top level has the empty path. */
export function pathOf(parent: string, key: string): string {
  return parent === "" ? key : `${parent}.${key}`;
}

/** A field that is wrong. The message begins with the path, so that the error's `param` can be read from it. */
export function invalidField(path: string, problem: string): WeirError {
  return new WeirError("weir:request:invalid_field", `${path}: ${problem}`);
}

/** A field that has no counterpart and whose absence would change the answer. */
export function unsupportedField(path: string, problem: string): WeirError {
  return new WeirError("weir:request:unsupported_feature", `${path}: ${problem}`);
}

/** Readers take the object, the key and the object's own path. An absent member and null are the same: undefined. */

export function optionalString(object: JsonObject, key: string, path: string): string | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw expected("a string", value, pathOf(path, key));
  return value;
}

export function requiredString(object: JsonObject, key: string, path: string): string {
  const value = object[key];
  if (typeof value !== "string") throw expected("a string", value, pathOf(path, key));
  return value;
}

export function optionalNumber(object: JsonObject, key: string, path: string): number | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "number") throw expected("a number", value, pathOf(path, key));
  return value;
}

/** A whole number of at least `min`. */
export function optionalInteger(
  object: JsonObject,
  key: string,
  { path, min }: { path: string; min: number },
): number | undefined {
  const value = optionalNumber(object, key, path);
  if (value === undefined) return undefined;
  if (!Number.isSafeInteger(value) || value < min) {
    throw invalidField(pathOf(path, key), `expected a whole number of at least ${min}, got ${value}`);
  }
  return value;
}

export function optionalBoolean(object: JsonObject, key: string, path: string): boolean | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "boolean") throw expected("true or false", value, pathOf(path, key));
  return value;
}

export function optionalObject(object: JsonObject, key: string, path: string): JsonObject | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw expected("an object", value, pathOf(path, key));
  return value;
}

export function requiredObject(object: JsonObject, key: string, path: string): JsonObject {
  const value = object[key];
  if (!isObject(value)) throw expected("an object", value, pathOf(path, key));
  return value;
}

export function optionalArray(object: JsonObject, key: string, path: string): readonly unknown[] | undefined {
  const value = object[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value)) throw expected("an array", value, pathOf(path, key));
  return value;
}

export function requiredArray(object: JsonObject, key: string, path: string): readonly unknown[] {
  const value = object[key];
  if (!Array.isArray(value)) throw expected("an array", value, pathOf(path, key));
  return value;
}

/** An element of an array, which must be an object; `path` is the element's own. */
export function objectAt(value: unknown, path: string): JsonObject {
  if (!isObject(value)) throw expected("an object", value, path);
  return value;
}

/** One of a closed set of words. */
export function optionalWord<T extends string>(
  object: JsonObject,
  key: string,
  { path, words }: { path: string; words: readonly T[] },
): T | undefined {
  const value = optionalString(object, key, path);
  if (value === undefined) return undefined;
  const word = words.find((candidate) => candidate === value);
  if (word === undefined) {
    throw invalidField(pathOf(path, key), `expected one of ${words.join(", ")}, got ${quoted(value)}`);
  }
  return word;
}

/** The error for a value of the wrong type, saying what came instead. */
export function expected(what: string, value: unknown, path: string): WeirError {
  return value === undefined
    ? invalidField(path, `required, expected ${what}`)
    : invalidField(path, `expected ${what}, got ${kindOf(value)}`);
}

/** A short quotation of what the caller sent. */
export function quoted(value: string): string {
  return JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  if (typeof value === "object") return "an object";
  return `a ${typeof value}`;
}

/** The value when it is a string, else the empty string: for what other servers may leave away. */
export function stringOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
