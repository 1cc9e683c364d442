import { describe, expect, it } from "vitest";

import { configDocs } from "./generate-config-docs.ts";

describe("the documents made from the configuration's schema", () => {
  it("are the same text each time, one of them a valid JSON Schema", () => {
    expect(configDocs()).toEqual(configDocs());
    const schema = configDocs().find(({ path }) => path === "schema/weir.schema.json");
    expect(JSON.parse(schema?.content ?? "")).toMatchObject({
      $schema: "https://json-schema.org/draft/2020-12/schema",
      type: "object",
    });
  });
});
