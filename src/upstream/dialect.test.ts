import { describe, expect, it } from "vitest";

import { WeirError } from "../core/weir-error.ts";
import { providerRow } from "./catalogue/providers.ts";
import { CatalogueDialect, type DialectOptions } from "./dialect.ts";

function dialect(given: Partial<DialectOptions> = {}): CatalogueDialect {
  return new CatalogueDialect({
    row: providerRow("bedrock"),
    parameters: { region: "eu-central-1" },
    wires: null,
    custom: null,
    modelId: (asked) => asked,
    ...given,
  });
}

const MEMBER = { name: "amazon-bedrock-guardrailConfig", json: '{"mode":"SYNC"}' };
const enforcing = (addedToStreams: boolean) => dialect({ enforcedMember: { ...MEMBER, addedToStreams } });

describe("what a configuration insists on in bodies", () => {
  it("leaves a body alone where there is nothing to insist on", () => {
    const body = Buffer.from('{"a":1}');
    expect(dialect().enforced(body, true)).toBe(body);
    expect(enforcing(false).enforced(body, true)).toBe(body);
    expect(enforcing(true).enforced(body, false)).toBe(body);
  });

  it("is put into bodies of streams where it has to be there", () => {
    expect(JSON.parse(enforcing(true).enforced(Buffer.from('{"a":1}'), true).toString())).toEqual({
      [MEMBER.name]: { mode: "SYNC" },
      a: 1,
    });
    expect(enforcing(true).enforced(Buffer.from("{}"), true).toString()).toBe(`{"${MEMBER.name}":${MEMBER.json}}`);
  });

  it.each([
    ["as it is", `{"${MEMBER.name}":{"mode":"ASYNC","tagSuffix":"x"},"a":1}`],
    ["with escapes", `{"a":1,"\\u0061${MEMBER.name.slice(1)}":{"mode":"ASYNC"}}`],
  ])("takes the place of what the client wrote %s", (_, written) => {
    const body = enforcing(false).enforced(Buffer.from(written), false).toString();
    expect(JSON.parse(body)).toEqual({ [MEMBER.name]: { mode: "SYNC" }, a: 1 });
    expect(body).not.toContain("ASYNC");
  });

  it("is not looked for within the conversation", () => {
    const body = Buffer.from(`{"messages":[{"role":"user","content":"what is ${MEMBER.name}?"}]}`);
    expect(enforcing(false).enforced(body, false)).toBe(body);
  });
});

describe("where a dialect sends requests", () => {
  const count = { wire: "bedrock", operation: "count_tokens", stream: false, query: null } as const;

  it("counts tokens under the id by which they can be counted, and says for which model they cannot", () => {
    const counting = dialect({ countedModelId: (model) => (model.startsWith("eu.") ? model.slice(3) : null) });
    expect(counting.path({ ...count, model: "eu.anthropic.claude-x" })).toBe("/model/anthropic.claude-x/count-tokens");
    expect(() => counting.path({ ...count, model: "arn:profile" })).toThrow(WeirError);
    expect(() => counting.path({ ...count, model: "arn:profile" })).toThrow(/Amazon Bedrock cannot.*arn:profile/);
  });

  it("has embeddings only where the configuration and the provider do", () => {
    const row = providerRow("azure-openai");
    const options = { row, hasEmbeddings: true };
    expect(dialect({ ...options, parameters: {} }).embeddingsPath("m")).toBe("/openai/v1/embeddings");
    expect(dialect({ ...options, parameters: { v1Version: "preview" } }).embeddingsPath("m")).toBe(
      "/openai/v1/embeddings?api-version=preview",
    );
    expect(dialect({ ...options, parameters: { apiVersion: "2024-10-21" } }).embeddingsPath("a b")).toBe(
      "/openai/deployments/a%20b/embeddings?api-version=2024-10-21",
    );
    expect(dialect({ row, parameters: {} }).embeddingsPath("m")).toBeNull();
    expect(dialect({ hasEmbeddings: true }).embeddingsPath("m")).toBeNull();
  });
});
