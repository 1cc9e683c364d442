import { describe, expect, it } from "vitest";

import { CONFIG_FIELDS } from "./config-fields.ts";
import { configJsonSchema } from "./json-schema.ts";

/** The schema of a setting, by the keys that lead to it. */
function schemaAt(...keys: string[]): unknown {
  const schema: unknown = configJsonSchema();
  return keys.reduce((here, key) => {
    const properties: unknown = Reflect.get(Object(here), "properties");
    return Reflect.get(Object(properties), key);
  }, schema);
}

describe("the JSON Schema", () => {
  it("refuses unknown keys at every level", () => {
    const objects = JSON.stringify(configJsonSchema()).match(/"type":"object"/g)?.length;
    const closed = JSON.stringify(configJsonSchema()).match(/"additionalProperties":/g)?.length;
    expect(closed).toBe(objects);
  });

  it("takes a reference where a number, a boolean or a word from a list belongs", () => {
    const reference = { $ref: "#/$defs/reference" };
    expect(schemaAt("listen", "port")).toMatchObject({
      default: 8080,
      anyOf: [{ type: "integer", maximum: 65_535 }, reference],
    });
    expect(schemaAt("auto_include_builtin_models")).toMatchObject({ anyOf: [{ type: "boolean" }, reference] });
    expect(schemaAt("log", "level")).toMatchObject({
      anyOf: [{ enum: ["debug", "info", "warn", "error"] }, reference],
    });
    expect(schemaAt("admission", "key", "max_concurrent_requests")).toMatchObject({
      anyOf: [{ type: "integer", minimum: 1 }, { const: "unlimited" }, reference],
    });
  });

  it("says of secrets that they are only written", () => {
    expect(schemaAt("security", "key_pepper")).toMatchObject({ type: "string", writeOnly: true });
    expect(schemaAt("security", "auth")).not.toHaveProperty("writeOnly");
  });

  it("tells the kinds of upstream apart by their provider", () => {
    expect(schemaAt("upstreams")).toMatchObject({
      items: {
        oneOf: [
          "anthropic",
          "bedrock",
          "bedrockMantle",
          "anthropicAws",
          "vertex",
          "foundry",
          "azure-openai",
          "openai",
          "custom",
          "sandbox",
        ].map((provider) => ({ properties: { provider: { const: provider } } })),
      },
    });
  });

  it("has a description of every setting", () => {
    const text = JSON.stringify(configJsonSchema());
    for (const { description } of CONFIG_FIELDS) expect(text).toContain(JSON.stringify(description));
  });
});
