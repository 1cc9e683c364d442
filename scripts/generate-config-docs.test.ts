import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { configDocs, staleConfigDocs, writeConfigDocs } from "./generate-config-docs.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "weir-docs-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

describe("the generator of the configuration's documents", () => {
  it("writes what is missing or stale, and nothing else", async () => {
    const names = configDocs().map((doc) => doc.path);
    expect(await staleConfigDocs(root)).toEqual(names);
    expect(await writeConfigDocs(root)).toEqual(names);
    expect(await writeConfigDocs(root)).toEqual([]);
    await writeFile(path.join(root, "schema/weir.schema.json"), "{}");
    expect(await staleConfigDocs(root)).toEqual(["schema/weir.schema.json"]);
  });

  it("writes the same text each time, as a valid JSON Schema", async () => {
    expect(configDocs()).toEqual(configDocs());
    await writeConfigDocs(root);
    const schema: unknown = JSON.parse(await readFile(path.join(root, "schema/weir.schema.json"), "utf8"));
    expect(schema).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
  });
});
