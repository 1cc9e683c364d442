import { z } from "zod";

import { fieldMarks } from "./fields/mark.ts";
import { unwrap } from "./schema-walk.ts";
import { configSchema } from "./schema.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;

/** What may stand in the place of any value: a reference that Weir resolves when it loads the file. */
const REFERENCE: JsonSchema = {
  type: "string",
  pattern: "^\\$\\{[^}]+\\}$",
  description: "${VAR} or ${file:/absolute/path}, resolved when the file is loaded.",
};

/** The JSON Schema (draft 2020-12) of `weir.yaml`, for editors and other tools. */
export function configJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(configSchema, {
    io: "input",
    override: ({ zodSchema, jsonSchema }) => {
      const isSecret = zodSchema instanceof z.ZodType && fieldMarks.get(unwrap(zodSchema))?.secret === "whole";
      if (isSecret) jsonSchema.writeOnly = true;
      // The bounds of a safe integer say nothing to a reader.
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
    },
  });
  const { $schema, ...rest } = admitReferences(schema);
  return {
    $schema,
    title: "Weir configuration",
    description: "weir.yaml. Generated from src/config/schema.ts; do not edit.",
    ...rest,
    $defs: { reference: REFERENCE },
  };
}

/** Lets a `${…}` stand where a number, a boolean or one of some words is wanted. Plain text admits it anyway. */
function admitReferences(schema: JsonSchema): JsonSchema {
  const mapped: JsonSchema = { ...schema };
  if (schema.properties) mapped.properties = mapEach(schema.properties);
  if (isSchema(schema.items)) mapped.items = admitReferences(schema.items);
  if (isSchema(schema.additionalProperties)) mapped.additionalProperties = admitReferences(schema.additionalProperties);
  if (schema.oneOf) mapped.oneOf = schema.oneOf.map((option) => (isSchema(option) ? admitReferences(option) : option));

  const reference: JsonSchema = { $ref: "#/$defs/reference" };
  if (schema.anyOf) return { ...mapped, anyOf: [...schema.anyOf, reference] };
  const isNarrow = schema.enum !== undefined || ["integer", "number", "boolean"].includes(String(schema.type));
  if (!isNarrow) return mapped;
  const { description, default: fallback, ...narrow } = mapped;
  return {
    ...(description === undefined ? {} : { description }),
    ...(fallback === undefined ? {} : { default: fallback }),
    anyOf: [narrow, reference],
  };
}

function mapEach(schemas: Record<string, JsonSchema | boolean>): Record<string, JsonSchema | boolean> {
  const mapped = Object.entries(schemas).map(([key, schema]): [string, JsonSchema | boolean] => [
    key,
    isSchema(schema) ? admitReferences(schema) : schema,
  ]);
  return Object.fromEntries(mapped);
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
