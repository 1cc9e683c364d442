import { configJsonSchema } from "../src/config/json-schema.ts";
import { configReference } from "../src/config/reference-page.ts";
import type { GeneratedFile } from "./generate/generated-file.ts";

/** schema/weir.schema.json and docs/reference/configuration.md, made from the configuration's schema. */
export function configDocs(): GeneratedFile[] {
  return [
    { path: "schema/weir.schema.json", content: `${JSON.stringify(configJsonSchema(), null, 2)}\n` },
    { path: "docs/reference/configuration.md", content: configReference() },
  ];
}
