import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scanBatch } from "./batch-scan.ts";

const LIMITS = { maxDepth: 32 };
const PARAMS = { model: "claude-sonnet-5-5", max_tokens: 10, messages: [] };

const scan = (body: unknown): ReturnType<typeof scanBatch> =>
  scanBatch(Buffer.isBuffer(body) ? body : Buffer.from(typeof body === "string" ? body : JSON.stringify(body)), LIMITS);

describe("the scan of a batch", () => {
  it("finds every request with its model, wherever it stands in the text", async () => {
    const request = fc.record({
      custom_id: fc.uuid(),
      params: fc.record({
        system: fc.string({ unit: "grapheme" }),
        model: fc.constantFrom("claude-opus-5", 'modèle "x"', "claude-haiku-4-5"),
        max_tokens: fc.nat(),
        messages: fc.constant([{ role: "user", content: '{"model":"decoy"}' }]),
      }),
    });
    const bodies = fc.uniqueArray(request, { minLength: 1, maxLength: 5, selector: ({ custom_id: id }) => id });
    await fc.assert(
      fc.asyncProperty(bodies, fc.constantFrom(undefined, 2), async (requests, space) => {
        const body = Buffer.from(JSON.stringify({ before: [1], requests, after: "é" }, null, space));
        const found = await scanBatch(body, LIMITS);
        expect(found.map(({ customId, scan: { model, maxTokens } }) => ({ customId, model, maxTokens }))).toEqual(
          requests.map(({ custom_id: customId, params }) => ({
            customId,
            model: params.model,
            maxTokens: params.max_tokens,
          })),
        );
        for (const [index, { params, scan: one }] of found.entries()) {
          const text = body.toString("utf8", params.start + one.modelStart, params.start + one.modelEnd);
          expect(JSON.parse(text)).toBe(requests[index]?.params.model);
        }
      }),
    );
  });

  it.each<[string, unknown, string, RegExp]>([
    ["bytes that are not UTF-8", Buffer.from([0x7b, 0xff, 0x7d]), "bad_encoding", /UTF-8/],
    ["text that is not JSON", '{"requests":[', "malformed_json", /not valid JSON/],
    ["JSON that is no object", "[]", "malformed_json", /must be a JSON object/],
    ["nothing", "", "malformed_json", /not valid JSON/],
    ["no requests", {}, "invalid_field", /^requests: Field required$/],
    ["requests that are no list", { requests: {} }, "invalid_field", /^requests must be an array$/],
    ["an empty list", { requests: [] }, "invalid_field", /^requests must have at least one entry$/],
    ["a request that is no object", { requests: [7] }, "invalid_field", /^requests\.0 must be an object$/],
    ["no custom_id", { requests: [{ params: PARAMS }] }, "invalid_field", /^requests\.0\.custom_id: Field required$/],
    [
      "a custom_id that is no text",
      { requests: [{ custom_id: 1, params: PARAMS }] },
      "invalid_field",
      /custom_id must/,
    ],
    ["an empty custom_id", { requests: [{ custom_id: "", params: PARAMS }] }, "invalid_field", /custom_id must/],
    [
      "a custom_id twice",
      `{"requests":[${JSON.stringify({ custom_id: "a", params: PARAMS })},{"custom_id":"\\u0061","params":{}}]}`,
      "invalid_field",
      /^requests\.1\.custom_id: "a" appears twice$/,
    ],
    ["no params", { requests: [{ custom_id: "a" }] }, "invalid_field", /^requests\.0\.params: Field required$/],
    ["params that are no object", { requests: [{ custom_id: "a", params: "x" }] }, "invalid_field", /params must be/],
    [
      "no model",
      { requests: [{ custom_id: "a", params: { ...PARAMS, model: undefined } }] },
      "invalid_field",
      /^requests\.0\.params: model is required$/,
    ],
    [
      "no max_tokens",
      { requests: [{ custom_id: "a", params: { ...PARAMS, max_tokens: undefined } }] },
      "invalid_field",
      /^requests\.0\.params: max_tokens: Field required$/,
    ],
    [
      "no messages",
      { requests: [{ custom_id: "a", params: { ...PARAMS, messages: undefined } }] },
      "invalid_field",
      /^requests\.0\.params: messages: Field required$/,
    ],
    ["requests twice", '{"requests":[1],"requests":[]}', "invalid_field", /"requests" appears twice/],
    [
      "params twice, one of them in disguise",
      `{"requests":[{"custom_id":"a","params":${JSON.stringify(PARAMS)},"p\\u0061rams":{}}]}`,
      "invalid_field",
      /"requests\.0\.params" appears twice/,
    ],
    [
      "a model twice",
      '{"requests":[{"custom_id":"a","params":{"model":"a","model":"b","max_tokens":1,"messages":[]}}]}',
      "invalid_field",
      /^requests\.0\.params: The key "model" appears twice/,
    ],
    [
      "params that are nested too deeply",
      { requests: [{ custom_id: "a", params: { ...PARAMS, x: JSON.parse(`${"[".repeat(40)}${"]".repeat(40)}`) } }] },
      "invalid_field",
      /nested/,
    ],
    [
      "other fields that are nested too deeply",
      `{"x":${"[".repeat(40)}${"]".repeat(40)},"requests":[]}`,
      "invalid_field",
      /nested/,
    ],
  ])("refuses %s", async (_, body, code, message) => {
    await expect(scan(body)).rejects.toMatchObject({
      code: `weir:request:${code}`,
      message: expect.stringMatching(message),
    });
  });

  it("lets other work go on while it looks through a large body", async () => {
    const requests = Array.from({ length: 40 }, (_, index) => ({
      custom_id: `r${index}`,
      params: { ...PARAMS, messages: [{ role: "user", content: "x".repeat(100_000) }] },
    }));
    let turns = 0;
    let watching = true;
    const watch = (): void => {
      turns++;
      if (watching) setImmediate(watch);
    };
    setImmediate(watch);
    const found = await scan({ requests });
    watching = false;
    expect(found).toHaveLength(40);
    expect(turns).toBeGreaterThan(4);
  });
});
