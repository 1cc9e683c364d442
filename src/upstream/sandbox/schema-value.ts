import { isObject, objectsOf, textOf, type JsonObject } from "./json-value.ts";
import { firstSentence, keywords, tailOf } from "./prompt-words.ts";

/** References and nesting deeper than this end in the simplest value that can stand there. */
const MAX_DEPTH = 8;

/** What values are made from. */
export interface ValueSource {
  /** The user's words: names, numbers, paths and places are taken from them. */
  readonly prompt: string;
  /** Values that are known already, by property name; they win when the schema has the property. */
  readonly known: Readonly<Record<string, unknown>>;
}

/**
 * A value that satisfies a JSON schema (the parts of draft 2020-12 that tools use: type, enum, const, default, examples,
 * properties, required, items, bounds, format, anyOf, oneOf, allOf, $ref into the same schema). Optional properties are
 * left out unless they are known. A `pattern` is satisfied only by a known value, default or example.
 */
export function schemaValue(schema: JsonObject, source: ValueSource): unknown {
  return new SchemaWalk(schema, source).value(schema, "", 0);
}

class SchemaWalk {
  readonly #root: JsonObject;
  readonly #source: ValueSource;

  constructor(root: JsonObject, source: ValueSource) {
    this.#root = root;
    this.#source = source;
  }

  value(written: JsonObject, name: string, depth: number): unknown {
    const schema = this.#resolve(written, depth);
    if ("const" in schema) return schema["const"];
    if (Array.isArray(schema["enum"])) return this.#choose(schema["enum"]);
    if (schema["default"] !== undefined && schema["default"] !== null) return schema["default"];
    if (Array.isArray(schema["examples"]) && schema["examples"].length > 0) return schema["examples"][0];
    switch (typeOf(schema)) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, name, depth);
      case "integer":
        return numberIn(schema, this.#source.prompt, 1);
      case "number":
        return numberIn(schema, this.#source.prompt, 0);
      case "boolean":
        return false;
      case "null":
        return null;
      default:
        return stringFor(schema, name, this.#source.prompt);
    }
  }

  #object(schema: JsonObject, depth: number): JsonObject {
    const properties = isObject(schema["properties"]) ? schema["properties"] : {};
    const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
    const out: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(properties)) {
      const known = depth === 0 ? this.#source.known[name] : undefined;
      if (known !== undefined) out[name] = known;
      else if (required.includes(name)) out[name] = this.value(isObject(property) ? property : {}, name, depth + 1);
    }
    for (const name of required) {
      if (typeof name === "string" && !(name in out)) out[name] = this.#source.known[name] ?? "";
    }
    return out;
  }

  #array(schema: JsonObject, name: string, depth: number): readonly unknown[] {
    const items = isObject(schema["items"]) ? schema["items"] : {};
    const minimum = bound(schema["minItems"]) ?? 0;
    const wanted = Math.max(minimum, Math.min(1, bound(schema["maxItems"]) ?? 1));
    const length = depth >= MAX_DEPTH ? minimum : wanted;
    return Array.from({ length }, () => this.value(items, name, depth + 1));
  }

  /** Follows references and merges in allOf and the first alternative of anyOf or oneOf that is not null. */
  #resolve(schema: JsonObject, depth: number): JsonObject {
    const reference = textOf(schema, "$ref");
    if (reference !== "") return depth > MAX_DEPTH ? {} : this.#resolve(this.#lookUp(reference), depth + 1);
    const all = objectsOf(schema["allOf"]);
    const alternatives = [...objectsOf(schema["anyOf"]), ...objectsOf(schema["oneOf"])];
    const chosen = alternatives.find((alternative) => alternative["type"] !== "null") ?? alternatives[0];
    const parts = chosen === undefined ? all : [...all, chosen];
    if (parts.length === 0) return schema;
    const { allOf: _all, anyOf: _any, oneOf: _one, ...own } = schema;
    return mergeAll([own, ...parts.map((part) => this.#resolve(part, depth + 1))]);
  }

  #lookUp(reference: string): JsonObject {
    let at: unknown = this.#root;
    for (const step of reference.replace(/^#\/?/, "").split("/")) {
      const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
      if (key !== "") at = isObject(at) ? at[key] : undefined;
    }
    return isObject(at) ? at : {};
  }

  /** The alternative that the prompt names, else the first. */
  #choose(values: readonly unknown[]): unknown {
    const prompt = tailOf(this.#source.prompt).toLowerCase();
    return (
      values.find((value) => typeof value === "string" && value !== "" && prompt.includes(value.toLowerCase())) ??
      values[0]
    );
  }
}

function mergeAll(parts: readonly JsonObject[]): JsonObject {
  const merged: Record<string, unknown> = Object.assign({}, ...parts);
  const required = parts.flatMap((part): unknown[] => (Array.isArray(part["required"]) ? part["required"] : []));
  const properties = parts.flatMap((part) => objectsOf([part["properties"]]));
  if (required.length > 0) merged["required"] = required;
  if (properties.length > 0) merged["properties"] = Object.assign({}, ...properties);
  return merged;
}

function typeOf(schema: JsonObject): string {
  const type = schema["type"];
  if (typeof type === "string") return type;
  if (Array.isArray(type)) return String(type.find((one) => one !== "null") ?? "null");
  if (isObject(schema["properties"])) return "object";
  return isObject(schema["items"]) ? "array" : "string";
}

function bound(value: unknown): number | null {
  return typeof value === "number" ? value : null;
}

/** The first number of the prompt if it lies within the schema's bounds, else the bound nearest to 1. */
function numberIn(schema: JsonObject, prompt: string, step: 0 | 1): number {
  const exclusiveStep = step === 1 ? 1 : 0.5;
  const exclusiveLow = bound(schema["exclusiveMinimum"]);
  const exclusiveHigh = bound(schema["exclusiveMaximum"]);
  const low = bound(schema["minimum"]) ?? (exclusiveLow === null ? null : exclusiveLow + exclusiveStep);
  const high = bound(schema["maximum"]) ?? (exclusiveHigh === null ? null : exclusiveHigh - exclusiveStep);
  const multiple = bound(schema["multipleOf"]);
  const fits = (value: number): boolean =>
    Number.isFinite(value) &&
    (low === null || value >= low) &&
    (high === null || value <= high) &&
    (step === 0 || Number.isInteger(value)) &&
    (multiple === null || Number.isInteger(value / multiple));
  const named = Number(/-?\d+(?:\.\d+)?/.exec(tailOf(prompt))?.[0] ?? Number.NaN);
  if (fits(named)) return named;
  const nearest = Math.min(Math.max(1, low ?? 1), high ?? Number.POSITIVE_INFINITY);
  const whole = step === 1 ? Math.ceil(nearest) : nearest;
  return multiple === null ? whole : Math.ceil(whole / multiple) * multiple;
}

const FORMATS: Readonly<Record<string, string>> = {
  date: "2026-01-15",
  "date-time": "2026-01-15T09:00:00Z",
  time: "09:00:00Z",
  email: "someone@example.com",
  uri: "https://example.com/",
  url: "https://example.com/",
  uuid: "00000000-0000-4000-8000-000000000000",
  hostname: "example.com",
  ipv4: "192.0.2.1",
  ipv6: "2001:db8::1",
};

function stringFor(schema: JsonObject, name: string, prompt: string): string {
  const value = FORMATS[textOf(schema, "format")] ?? stringByName(name.toLowerCase(), tailOf(prompt));
  const most = bound(schema["maxLength"]) ?? Number.POSITIVE_INFINITY;
  return value.padEnd(bound(schema["minLength"]) ?? 0, ".").slice(0, most);
}

function stringByName(name: string, prompt: string): string {
  if (/city|location|place|country|town/.test(name)) return placeIn(prompt) ?? "Paris";
  if (/url|link|uri/.test(name)) return /https?:\/\/[^\s"'`)>]+/.exec(prompt)?.[0] ?? "https://example.com/";
  if (/path|file|dir/.test(name)) return pathIn(prompt) ?? "README.md";
  if (/date|day/.test(name)) return /\d{4}-\d{2}-\d{2}/.exec(prompt)?.[0] ?? "2026-01-15";
  const quoted = /["'`“]([^"'`”\n]+)["'`”]/.exec(prompt)?.[1];
  if (quoted !== undefined) return quoted;
  if (/title|name|label|subject/.test(name)) return keywords(prompt, 5).join(" ") || "Sandbox";
  return firstSentence(prompt) || "Sandbox";
}

function placeIn(prompt: string): string | undefined {
  return /\b(?:in|for|at|of|to|from)\s+(\p{Lu}[\p{L}'-]*(?:\s+\p{Lu}[\p{L}'-]*)*)/u.exec(prompt)?.[1];
}

/** The first thing in a prompt that looks like the path of a file; undefined when nothing does. */
export function pathIn(prompt: string): string | undefined {
  const text = prompt.replace(/https?:\S+/g, " ");
  const quoted = /["'`]((?:[\w@.+~-]*\/)*[\w@.+-]+)["'`]/.exec(text)?.[1];
  const words = text.match(/(?:[\w@.+~-]*\/)*[\w@+.-]*\w/g) ?? [];
  return [quoted, ...words].find(
    (word) => word !== undefined && (word.includes("/") || /\w\.[A-Za-z]\w{0,7}$/.test(word)),
  );
}
