import { type JsonObject, isObject } from "../openai/json-reader.ts";

/**
 * Whether a schema fits OpenAI's strict mode: each object closed, and each of its properties required. Messages asks for the
 * former alone.
 */
export function fitsStrictMode(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.every(fitsStrictMode);
  if (!isObject(schema)) return true;
  if (isObject(schema["properties"]) && !isClosed(schema, schema["properties"])) return false;
  return Object.entries(schema).every(([key, value]) => key === "enum" || key === "const" || fitsStrictMode(value));
}

function isClosed(schema: JsonObject, properties: JsonObject): boolean {
  const required = schema["required"];
  if (schema["additionalProperties"] !== false || !Array.isArray(required)) return false;
  return Object.keys(properties).every((name) => required.includes(name));
}
