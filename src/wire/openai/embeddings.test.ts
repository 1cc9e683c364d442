import { describe, expect, it } from "vitest";

import { embeddingsTokens, embeddingsWithModel, noEmbeddings, parseEmbeddings } from "./embeddings.ts";
import { modelBody, modelListBody } from "./model-list.ts";

function parse(body: object) {
  return parseEmbeddings(Buffer.from(JSON.stringify({ model: "e", ...body })), 16);
}

describe("an embeddings request", () => {
  it.each([
    ["abcdefgh", 1, 2],
    [["abcd", "ö"], 2, 2],
    [[1, 2, 3], 1, 3],
    [[[1, 2], [3]], 2, 3],
  ])("with input %j asks for %d vectors of about %d tokens", (input, inputs, estimatedTokens) => {
    expect(parse({ input })).toMatchObject({ model: "e", inputs, estimatedTokens, encodingFormat: "float" });
  });

  it("may ask for a size and a format", () => {
    const body = { input: "a", dimensions: 256, encoding_format: "base64", user: "u" };
    expect(parse(body)).toMatchObject({ dimensions: 256, encodingFormat: "base64", user: "u" });
  });

  it.each([
    [{}, "input: required"],
    [{ input: "" }, "input: must not be empty"],
    [{ input: [] }, "input: must not be empty"],
    [{ input: ["a", 5] }, "input[1]: expected a string or an array of token numbers, got a number"],
    [{ input: "a", dimensions: 0 }, "dimensions: "],
    [{ input: "a", encoding_format: "int8" }, "encoding_format: expected one of float, base64"],
    [{ input: "a", model: 5 }, "model: expected a string"],
  ])("%j is refused: %s", (body, message) => {
    expect(() => parse(body)).toThrow(message);
  });

  it("goes to the upstream with the model changed and nothing else", () => {
    const body = Buffer.from('{"input": "ö", "model":"a" , "x":1}');
    expect(embeddingsWithModel(body, "b").toString()).toBe('{"input": "ö", "model":"b" , "x":1}');
  });

  it("is metered by what the answer reports", () => {
    expect(embeddingsTokens(Buffer.from('{"data":[{"embedding":[0.1]}],"usage":{"prompt_tokens":8}}'))).toBe(8);
    expect(embeddingsTokens(Buffer.from('{"data":[]}'))).toBeNull();
    expect(embeddingsTokens(Buffer.from("oops"))).toBeNull();
  });

  it("says what to do where no upstream makes embeddings", () => {
    expect(noEmbeddings("claude-opus-5").message).toMatch(/^model: claude-opus-5 .* choose a model/);
  });
});

describe("the model list", () => {
  const model = { id: "claude-opus-5", createdAtSeconds: 1_790_000_000, ownedBy: "anthropic" };
  const entry = { id: "claude-opus-5", object: "model", created: 1_790_000_000, owned_by: "anthropic" };

  it("has OpenAI's shape", () => {
    expect(JSON.parse(modelListBody([model]))).toEqual({ object: "list", data: [entry] });
    expect(JSON.parse(modelBody(model))).toEqual(entry);
  });
});
