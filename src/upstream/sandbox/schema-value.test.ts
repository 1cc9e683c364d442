import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import type { JsonObject } from "./json-value.ts";
import { schemaValue } from "./schema-value.ts";

const from = (
  prompt: string,
  known: Record<string, unknown> = {},
): { prompt: string; known: Record<string, unknown> } => ({
  prompt,
  known,
});

describe("schemaValue", () => {
  it("takes values from the prompt", () => {
    const schema = {
      type: "object",
      properties: {
        city: { type: "string" },
        unit: { type: "string", enum: ["celsius", "fahrenheit"] },
        days: { type: "integer", minimum: 1, maximum: 10 },
        url: { type: "string" },
        path: { type: "string" },
      },
      required: ["city", "unit", "days", "url", "path"],
    };
    const prompt = "Forecast for New York in fahrenheit over 3 days, into out/report.md, see https://example.com/w";
    expect(schemaValue(schema, from(prompt))).toEqual({
      city: "New York",
      unit: "fahrenheit",
      days: 3,
      url: "https://example.com/w",
      path: "out/report.md",
    });
  });

  it("leaves optional properties out unless they are known", () => {
    const schema = { type: "object", properties: { a: { type: "string" }, b: { type: "string" } }, required: [] };
    expect(schemaValue(schema, from("x", { b: "known" }))).toEqual({ b: "known" });
  });

  it("follows references, allOf, anyOf and nullable types", () => {
    const schema = {
      type: "object",
      $defs: { point: { type: "object", properties: { x: { type: "number" } }, required: ["x"] } },
      properties: {
        at: { $ref: "#/$defs/point" },
        size: { anyOf: [{ type: "null" }, { type: "integer", minimum: 5 }] },
        flag: { type: ["null", "boolean"] },
        both: {
          allOf: [
            { type: "object", properties: { a: { const: 1 } }, required: ["a"] },
            { properties: { b: { const: 2 } }, required: ["b"] },
          ],
        },
      },
      required: ["at", "size", "flag", "both"],
    };
    expect(schemaValue(schema, from("go"))).toEqual({ at: { x: 1 }, size: 5, flag: false, both: { a: 1, b: 2 } });
  });

  it("ends on a schema that refers to itself", () => {
    const tree = {
      type: "object",
      properties: { children: { type: "array", items: { $ref: "#" } } },
      required: ["children"],
    };
    expect(() => JSON.stringify(schemaValue(tree, from("x")))).not.toThrow();
  });

  it("satisfies any schema made of the parts it knows", () => {
    fc.assert(
      fc.property(anySchema, fc.string({ maxLength: 60 }), (schema, prompt) => {
        const value = schemaValue(schema, from(prompt));
        expect(problems(schema, value, "$")).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

const bounds = fc
  .tuple(fc.integer({ min: -20, max: 20 }), fc.nat(20))
  .map(([low, span]) => ({ low, high: low + span }));
const leaf: fc.Arbitrary<JsonObject> = fc.oneof(
  fc.record(
    { type: fc.constant("string"), minLength: fc.nat(5), maxLength: fc.integer({ min: 5, max: 50 }) },
    { requiredKeys: ["type"] },
  ),
  bounds.map(({ low, high }) => ({ type: "integer", minimum: low, maximum: high })),
  bounds.map(({ low, high }) => ({ type: "number", minimum: low, maximum: high })),
  fc.record({ enum: fc.array(fc.string(), { minLength: 1, maxLength: 4 }) }),
  fc.record({ const: fc.jsonValue() }),
  fc.constantFrom({ type: "boolean" }, { type: "integer" }, { type: "number" }, { type: "string" }),
  fc.constant({ type: ["null", "string"] }),
);

const { schema: anySchema } = fc.letrec<{ schema: JsonObject }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.record({
      type: fc.constant("array"),
      items: tie("schema"),
      minItems: fc.nat(2),
      maxItems: fc.integer({ min: 2, max: 4 }),
    }),
    fc.record({ anyOf: fc.array(tie("schema"), { minLength: 1, maxLength: 3 }) }),
    fc
      .dictionary(fc.stringMatching(/^[a-z]{1,6}$/), tie("schema"), { maxKeys: 4 })
      .chain((properties) =>
        fc.subarray(Object.keys(properties)).map((required) => ({ type: "object", properties, required })),
      ),
  ),
}));

/** A small validator of its own: what is wrong with `value` under `schema`. */
function problems(schema: JsonObject, value: unknown, at: string): readonly string[] {
  if ("const" in schema) return JSON.stringify(value) === JSON.stringify(schema["const"]) ? [] : [`${at}: const`];
  const choices = schema["enum"];
  if (Array.isArray(choices)) return choices.includes(value) ? [] : [`${at}: enum`];
  const alternatives = schema["anyOf"];
  if (Array.isArray(alternatives)) {
    const fits = alternatives.some((one: JsonObject) => problems(one, value, at).length === 0);
    return fits ? [] : [`${at}: anyOf`];
  }
  switch (schema["type"]) {
    case "string":
      if (typeof value !== "string") return [`${at}: string`];
      return value.length >= limit(schema["minLength"], 0) && value.length <= limit(schema["maxLength"], 1e9)
        ? []
        : [`${at}: length`];
    case "integer":
    case "number":
      if (typeof value !== "number" || (schema["type"] === "integer" && !Number.isInteger(value)))
        return [`${at}: number`];
      return value >= limit(schema["minimum"], -1e9) && value <= limit(schema["maximum"], 1e9) ? [] : [`${at}: range`];
    case "boolean":
      return typeof value === "boolean" ? [] : [`${at}: boolean`];
    case "array":
      return arrayProblems(schema, value, at);
    case "object":
      return objectProblems(schema, value, at);
    default:
      return value === null || typeof value === "string" ? [] : [`${at}: nullable`];
  }
}

function arrayProblems(schema: JsonObject, value: unknown, at: string): readonly string[] {
  if (!Array.isArray(value)) return [`${at}: array`];
  const fits = value.length >= limit(schema["minItems"], 0) && value.length <= limit(schema["maxItems"], 1e9);
  // The generator above always gives items that are schemas.
  const items = schema["items"] as JsonObject;
  return [
    ...(fits ? [] : [`${at}: items`]),
    ...value.flatMap((item, index) => problems(items, item, `${at}[${index}]`)),
  ];
}

function objectProblems(schema: JsonObject, value: unknown, at: string): readonly string[] {
  if (typeof value !== "object" || value === null) return [`${at}: object`];
  // The generator above always gives properties and required.
  const properties = schema["properties"] as Record<string, JsonObject>;
  const required = schema["required"] as readonly string[];
  const missing = required.filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name}: missing`);
  const wrong = Object.entries(value).flatMap(([name, member]) =>
    problems(properties[name] ?? {}, member, `${at}.${name}`),
  );
  return [...missing, ...wrong];
}

function limit(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
