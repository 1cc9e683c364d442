import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { ProviderName } from "./provider-row.ts";
import { providerRow, PROVIDERS } from "./providers.ts";
import {
  type Parameters,
  type PathRequest,
  pathSegment,
  resolveBaseUrl,
  resolveHeaders,
  resolvePath,
  unknownPlaceholder,
} from "./resolve.ts";

function pathOf(name: ProviderName, request: Partial<PathRequest>): string | null {
  const row = providerRow(name);
  return resolvePath(row, {
    wire: row.wires[0] ?? "anthropic",
    operation: "messages",
    stream: false,
    model: "m",
    parameters: {},
    custom: null,
    query: null,
    ...request,
  });
}

describe("a default address", () => {
  it.each<[ProviderName, Parameters, string]>([
    ["anthropic", {}, "https://api.anthropic.com"],
    ["anthropicAws", { region: "us-east-1" }, "https://aws-external-anthropic.us-east-1.api.aws"],
    ["bedrock", { region: "eu-central-1" }, "https://bedrock-runtime.eu-central-1.amazonaws.com"],
    ["bedrockMantle", { region: "us-east-1" }, "https://bedrock-mantle.us-east-1.api.aws/anthropic"],
    ["vertex", { region: "us-east5" }, "https://us-east5-aiplatform.googleapis.com"],
    ["vertex", { region: "global" }, "https://aiplatform.googleapis.com"],
    ["vertex", { region: "us" }, "https://aiplatform.us.rep.googleapis.com"],
    ["vertex", { region: "eu" }, "https://aiplatform.eu.rep.googleapis.com"],
    ["foundry", { resource: "example" }, "https://example.services.ai.azure.com/anthropic"],
    ["azure-openai", { resource: "example" }, "https://example.openai.azure.com"],
    ["openai", {}, "https://api.openai.com/v1"],
  ])("of %s with %o is %s", (name, parameters, url) => {
    expect(resolveBaseUrl(providerRow(name), null, parameters)).toBe(url);
  });

  it("that lacks a part says which", () => {
    expect(() => resolveBaseUrl(providerRow("bedrock"), null, {})).toThrow("Amazon Bedrock needs region, or base_url");
    expect(() => resolveBaseUrl(providerRow("custom"), null, {})).toThrow("has no address of its own: set base_url");
  });

  it.each(["evil.example.com/", "a.b", "x@y", "", "-a", "a#"])("never leads to another host: %j", (resource) => {
    expect(() => resolveBaseUrl(providerRow("foundry"), null, { resource })).toThrow("cannot stand in a host name");
  });
});

describe("a configured address", () => {
  it.each<[ProviderName, string, string]>([
    ["anthropic", "https://proxy.example.com/", "https://proxy.example.com"],
    ["anthropic", "https://proxy.example.com/claude/", "https://proxy.example.com/claude"],
    [
      "bedrock",
      "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
      "https://bedrock-runtime-fips.us-east-1.amazonaws.com",
    ],
    ["vertex", "https://us-east5-aiplatform.p.googleapis.com", "https://us-east5-aiplatform.p.googleapis.com"],
    ["vertex", "https://us-east5-aiplatform.p.googleapis.com/v1/", "https://us-east5-aiplatform.p.googleapis.com"],
    ["foundry", "https://example.services.ai.azure.us", "https://example.services.ai.azure.us/anthropic"],
    ["foundry", "https://example.services.ai.azure.us/anthropic/", "https://example.services.ai.azure.us/anthropic"],
    ["openai", "http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"],
    ["openai", "http://127.0.0.1:8000/api/v3/", "http://127.0.0.1:8000/api/v3"],
    ["azure-openai", "https://example.openai.azure.com/openai/v1/", "https://example.openai.azure.com"],
    ["azure-openai", "https://gateway.example.com/aoai/openai", "https://gateway.example.com/aoai"],
  ])("of %s may be written as %s", (name, configured, url) => {
    expect(resolveBaseUrl(providerRow(name), configured, {})).toBe(url);
  });
});

describe("a path", () => {
  const arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc";

  it("of an ARN on Bedrock keeps it one segment", () => {
    expect(pathOf("bedrock", { model: arn, stream: true })).toBe(
      "/model/arn:aws:bedrock:us-east-1:123456789012:application-inference-profile%2Fabc/invoke-with-response-stream",
    );
  });

  it("of counting tokens is each provider's own, or none", () => {
    const operation = "count_tokens";
    const parameters = { project: "p", region: "global" };

    expect(pathOf("bedrock", { operation })).toBe("/model/m/count-tokens");
    expect(pathOf("vertex", { operation, parameters })).toBe(
      "/v1/projects/p/locations/global/publishers/anthropic/models/count-tokens:rawPredict",
    );
    expect(pathOf("foundry", { operation })).toBe("/v1/messages/count_tokens");
    expect(pathOf("openai", { operation })).toBeNull();
    expect(pathOf("openai", { operation, wire: "openai-responses" })).toBe("/responses/input_tokens");
    expect(pathOf("azure-openai", { operation, wire: "openai-responses" })).toBeNull();
    expect(pathOf("azure-openai", { operation })).toBeNull();
  });

  it("on Azure OpenAI goes by deployment where there is an API version, else by the version-less API", () => {
    const parameters = { apiVersion: "2024-10-21" };

    expect(pathOf("azure-openai", { model: "gpt 5", parameters })).toBe(
      "/openai/deployments/gpt%205/chat/completions?api-version=2024-10-21",
    );
    expect(pathOf("azure-openai", {})).toBe("/openai/v1/chat/completions");
    expect(pathOf("azure-openai", { wire: "openai-responses" })).toBe("/openai/v1/responses");
    expect(pathOf("azure-openai", { wire: "openai-responses", parameters })).toBe(
      "/openai/responses?api-version=2024-10-21",
    );
  });

  it("keeps the client's query where both speak Messages, and nowhere else", () => {
    expect(pathOf("anthropic", { query: "beta=true" })).toBe("/v1/messages?beta=true");
    expect(pathOf("bedrock", { query: "beta=true" })).toBe("/model/m/invoke");
  });

  it("may be the configuration's own, as for a SageMaker endpoint", () => {
    const custom = { messages: "/endpoints/{model}/invocations", messagesStream: null, countTokens: null };

    expect(pathOf("custom", { custom, model: "claude/7" })).toBe("/endpoints/claude%2F7/invocations");
    expect(pathOf("custom", { custom, stream: true })).toBe("/endpoints/m/invocations");
    expect(pathOf("custom", { custom, operation: "count_tokens" })).toBeNull();
    const streaming = { ...custom, messagesStream: "/endpoints/{model}/invocations-response-stream?v={region}" };
    expect(pathOf("custom", { custom: streaming, stream: true, parameters: { region: "eu" } })).toBe(
      "/endpoints/m/invocations-response-stream?v=eu",
    );
  });

  it("whose template names what does not exist is found when the configuration is checked", () => {
    expect(unknownPlaceholder("/a/{model}/{endpoint}")).toBe("endpoint");
    expect(unknownPlaceholder("/a/{model}/{region}")).toBeNull();
  });

  it.each(["", ".", "..", "\ud800"])("is refused for the model %j", (model) => {
    expect(() => pathOf("bedrock", { model })).toThrow(WeirError);
  });
});

describe("a path segment", () => {
  it("is one segment for any text, and comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (text) => {
        fc.pre(text !== "." && text !== ".." && text.isWellFormed());
        const url = new URL(`http://h/a/${pathSegment(text)}/b`);
        expect(url.pathname.split("/")).toHaveLength(4);
        expect(url.search + url.hash).toBe("");
        expect(decodeURIComponent(pathSegment(text))).toBe(text);
      }),
    );
  });
});

describe("the headers of every request", () => {
  it("name the workspace on Claude Platform on AWS", () => {
    expect(resolveHeaders(providerRow("anthropicAws"), { workspace: "wrkspc_1" })).toEqual([
      "anthropic-workspace-id",
      "wrkspc_1",
    ]);
    expect(resolveHeaders(providerRow("anthropic"), {})).toEqual([]);
  });
});

describe("the catalogue", () => {
  it("has each name once", () => {
    expect(new Set(PROVIDERS.map(({ name }) => name)).size).toBe(PROVIDERS.length);
  });

  it.each(PROVIDERS.map((row) => [row.name, row] as const))(
    "knows for %s where each of its wires goes",
    (_name, row) => {
      const parameters = { region: "r", project: "p", resource: "x", workspace: "w" };
      for (const wire of row.wires) {
        for (const stream of [true, false]) {
          const request: PathRequest = {
            wire,
            stream,
            parameters,
            operation: "messages",
            model: "m",
            custom: null,
            query: null,
          };
          expect(resolvePath(row, request)).toMatch(/^\/[^{}]*$/);
        }
      }
      const templates = [...row.paths.map(({ path }) => path), ...row.endpoints.map(({ baseUrl }) => baseUrl)];
      for (const template of templates) expect(unknownPlaceholder(template)).toBeNull();
      for (const header of [...row.clientHeaders, ...row.requestIdHeaders, row.apiKeyHeader])
        expect(header).toBe(header.toLowerCase());
    },
  );

  it.each(PROVIDERS.map((row) => [row.name, row] as const))(
    "lets %s have AWS keys only with a service to sign for",
    (_name, row) => {
      expect(row.credentials.includes("aws_chain")).toBe(row.signingService !== null);
      expect(row.credentials.includes("entra_default")).toBe(row.entraScope !== null);
    },
  );
});
