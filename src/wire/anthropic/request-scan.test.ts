import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { scanRequest, type ScannedRequest } from "./request-scan.ts";

const LIMITS = { maxDepth: 64, requireMaxTokens: true };

function scan(body: string | Buffer, limits = LIMITS): ScannedRequest {
  return scanRequest(Buffer.from(body), limits);
}

function refusalOf(body: string | Buffer, limits = LIMITS): { code: string; message: string } {
  try {
    scan(body, limits);
  } catch (error) {
    if (error instanceof WeirError) return { code: error.code, message: error.message };
    throw error;
  }
  throw new Error("the request was not refused");
}

/** JSON text of a value, written as nobody would: whitespace everywhere, any character escaped at random. */
function hostileJson(value: unknown, odd: () => boolean): string {
  const space = (): string => (odd() ? ["", " ", "\n\t", "\r\n  "][Number(odd()) * 2 + Number(odd())]! : "");
  const character = (text: string): string => {
    if (odd()) return Array.from({ length: text.length }, (_, i) => escape(text, i)).join("");
    return JSON.stringify(text)
      .slice(1, -1)
      .replace("/", odd() ? "\\/" : "/");
  };
  const escape = (text: string, i: number): string => `\\u${text.charCodeAt(i).toString(16).padStart(4, "0")}`;
  const string = (text: string): string => `"${Array.from(text, character).join("")}"`;
  const write = (value: unknown): string => {
    if (typeof value === "string") return string(value);
    if (Array.isArray(value)) return `[${space()}${value.map((item) => write(item) + space()).join(`,${space()}`)}]`;
    if (typeof value !== "object" || value === null) return JSON.stringify(value);
    const members = Object.entries(value).map(([key, member]) => {
      return `${string(key)}${space()}:${space()}${write(member)}${space()}`;
    });
    return `{${space()}${members.join(`,${space()}`)}}`;
  };
  return space() + write(value) + space();
}

const noise = fc.infiniteStream(fc.boolean());
const fullUnicode = fc.string({ unit: "binary" });
/** Names of fields that the scan does not read, nested or not, some of them made to look like the ones it does. */
const otherKey = fc.oneof(fullUnicode, fc.constantFrom("Model", "model ", "models", "max_token", "é", "\\", '"', ":"));
const otherFields = fc.dictionary(
  otherKey.filter((key) => !["model", "messages", "max_tokens", "stream"].includes(key)),
  fc.jsonValue({ maxDepth: 4, stringUnit: "binary" }),
  { maxKeys: 6, noNullPrototype: true },
);
const request = fc
  .record({
    model: fc.oneof(
      fc.constantFrom("claude-opus-5", "arn:aws:bedrock/x", 'quo"ted', "back\\slash", "a:{},[]", "mödel-𝄞"),
      fc.string({ unit: "binary", minLength: 1, maxLength: 40 }),
    ),
    max_tokens: fc.nat(),
    stream: fc.boolean(),
    messages: fc.array(fc.record({ role: fc.constant("user"), content: fullUnicode, model: fc.constant("decoy") })),
    others: otherFields,
    order: fc.shuffledSubarray(["model", "max_tokens", "stream", "messages", "others"], { minLength: 5 }),
  })
  .map(({ others, order, ...fields }) => {
    const known: Readonly<Record<string, unknown>> = fields;
    return Object.fromEntries(
      order.flatMap((name) => (name === "others" ? Object.entries(others) : [[name, known[name]]])),
    );
  });

describe("scanRequest on valid requests", () => {
  it("reads what JSON.parse reads, however the document is written", () => {
    fc.assert(
      fc.property(request, noise, (request, noise) => {
        const text = hostileJson(request, () => noise.next().value);
        const { model, max_tokens, stream } = JSON.parse(text);

        expect(scan(text)).toMatchObject({ model, maxTokens: max_tokens, stream });
      }),
      { numRuns: 500 },
    );
  });

  it("finds the span of the model, so that a splice changes the model and not one other byte", () => {
    fc.assert(
      fc.property(request, noise, (request, noise) => {
        const body = Buffer.from(hostileJson(request, () => noise.next().value));
        const { modelStart, modelEnd } = scan(body);
        const spliced = Buffer.concat([body.subarray(0, modelStart), Buffer.from('"other"'), body.subarray(modelEnd)]);

        expect(JSON.parse(spliced.toString())).toEqual({ ...JSON.parse(body.toString()), model: "other" });
        expect(Object.keys(JSON.parse(spliced.toString()))).toEqual(Object.keys(JSON.parse(body.toString())));
        expect(body[modelStart]).toBe('"'.charCodeAt(0));
        expect(body[modelEnd - 1]).toBe('"'.charCodeAt(0));
      }),
      { numRuns: 500 },
    );
  });

  it("finds the model under an escaped name", () => {
    const text = String.raw`{"mod\u0065l":"m\u0061x","max_tokens":1,"messages":[]}`;

    expect(scan(text)).toMatchObject({ model: "max", modelStart: 14, modelEnd: 24 });
  });

  it("notices what makes a request dearer", () => {
    const base = '"model":"m","max_tokens":1,"messages":[]';
    const long = `{${base},"system":[{"cache_control":{"type":"ephemeral","ttl":"1h"}}]}`;

    expect(scan(`{${base}}`)).toMatchObject({ longCacheWrites: false, fast: false, inferenceGeo: null, stream: false });
    expect(scan(long).longCacheWrites).toBe(true);
    expect(scan(long.replace('"1h"', String.raw`"1\u0068"`)).longCacheWrites).toBe(true);
    expect(scan(long.replace('"1h"', String.raw`"\u0031h"`)).longCacheWrites).toBe(true);
    expect(scan(`{${base},"speed":"fast","inference_geo":"us"}`)).toMatchObject({ fast: true, inferenceGeo: "us" });
  });

  it("asks for max_tokens only where the endpoint needs it", () => {
    const text = '{"model":"m","messages":[]}';

    expect(scan(text, { ...LIMITS, requireMaxTokens: false }).maxTokens).toBe(0);
    expect(refusalOf(text).message).toBe("max_tokens: Field required");
  });
});

describe("scanRequest on invalid requests", () => {
  it("refuses exactly the texts that JSON.parse refuses or that are no object", () => {
    const valid = '{"model":"m","max_tokens":1,"messages":[{"role":"user","content":"a\\\\\\"b"}]}';
    const edits = fc.array(fc.tuple(fc.nat(valid.length), fc.constantFrom("", ...Array.from('{}[]",:\\ e1"é'))), {
      minLength: 1,
      maxLength: 4,
    });
    fc.assert(
      fc.property(edits, (edits) => {
        let text = valid;
        for (const [at, inserted] of edits) text = text.slice(0, at) + inserted + text.slice(at + 1);
        let parses = true;
        try {
          JSON.parse(text);
        } catch {
          parses = false;
        }
        if (!parses) expect(refusalOf(text).code).toMatch(/^weir:request:(malformed_json|invalid_field)$/);
      }),
      { numRuns: 2_000 },
    );
  });

  it("ends with a refusal, whatever the bytes are", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        expect(refusalOf(Buffer.from(bytes)).code).toMatch(/^weir:request:/);
      }),
      { numRuns: 1_000 },
    );
  });

  it.each(["[]", '["a","a"]', '["model",":"]', "null", "5", '"text"', "true"])(
    "refuses %s, which is no object",
    (text) => {
      expect(refusalOf(text)).toEqual({
        code: "weir:request:malformed_json",
        message: "The request body must be a JSON object.",
      });
    },
  );

  it("says where the JSON breaks, and nothing of what stands there", () => {
    const { code, message } = refusalOf('{"model":"m","secret":"hunter2" oops}');

    expect(code).toBe("weir:request:malformed_json");
    expect(message).toBe("The request body is not valid JSON (at byte 32).");
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong slash", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["a character cut in two", [0xe4, 0xb8]],
  ])("refuses %s: bad UTF-8", (_, bytes) => {
    const body = Buffer.concat([Buffer.from('{"model":"'), Buffer.from(bytes), Buffer.from('"}')]);

    expect(refusalOf(body).code).toBe("weir:request:bad_encoding");
  });

  it.each([
    ['{"model":"a","model":"b"}', "model"],
    [String.raw`{"model":"a","mod\u0065l":"b"}`, "model"],
    ['{"x":1,"y":{"x":2},"x":3}', "x"],
    [String.raw`{"é":1,"\u00e9":2}`, "é"],
    ['{"世":1,"世":2}', "世"],
  ])("refuses the key that appears twice in %s", (text, key) => {
    expect(refusalOf(text).message).toBe(`The key ${JSON.stringify(key)} appears twice in the request.`);
  });

  it("takes keys for different that only look alike as bytes", () => {
    const alike = String.raw`{"é":1,"\u00c3\u00a9":2,"model":"m","max_tokens":1,"messages":[]}`;

    expect(scan(alike).model).toBe("m");
  });

  it("refuses a document with a key twice wherever JSON.parse would silently lose one", () => {
    fc.assert(
      fc.property(request, noise, fc.nat(), (request, noise, pick) => {
        const text = hostileJson(request, () => noise.next().value).trimEnd();
        const keys = Object.keys(request);
        const again = hostileJson(keys[pick % keys.length], () => noise.next().value);

        expect(refusalOf(`${text.slice(0, -1)},${again}:0}`).message).toMatch(/appears twice/);
      }),
    );
  });

  it.each([
    ["{", 64],
    ["[", 64],
  ])("allows %s nested to the limit and refuses one level more", (open, maxDepth) => {
    const close = open === "{" ? "}" : "]";
    const step = open === "{" ? '{"a":' : "[";
    const nested = (levels: number): string =>
      `{"model":"m","max_tokens":1,"messages":[],"x":${step.repeat(levels - 1)}0${close.repeat(levels - 1)}}`;

    expect(scan(nested(maxDepth)).model).toBe("m");
    expect(refusalOf(nested(maxDepth + 1))).toEqual({
      code: "weir:request:invalid_field",
      message: `The request is nested deeper than ${maxDepth} levels.`,
    });
  });

  it("does not build what is nested too deeply: millions of levels are refused before they are parsed", () => {
    const levels = 4_000_000;
    const heapBefore = process.memoryUsage().heapUsed;
    const { message } = refusalOf(`{"x":${"[".repeat(levels)}${"]".repeat(levels)}}`);

    expect(message).toMatch(/nested deeper/);
    // Parsed, it would take some 64 bytes a level.
    expect(process.memoryUsage().heapUsed - heapBefore).toBeLessThan(levels * 16);
  });

  it.each([
    ['{"max_tokens":1,"messages":[]}', "model is required"],
    ['{"model":null,"max_tokens":1,"messages":[]}', "model is required"],
    ['{"model":"","max_tokens":1,"messages":[]}', "model is required"],
    ['{"model":5,"max_tokens":1,"messages":[]}', "model must be a string"],
    ['{"model":["m"],"max_tokens":1,"messages":[]}', "model must be a string"],
    ['{"model":"m","max_tokens":"1","messages":[]}', "max_tokens must be a non-negative integer"],
    ['{"model":"m","max_tokens":1.5,"messages":[]}', "max_tokens must be a non-negative integer"],
    ['{"model":"m","max_tokens":-1,"messages":[]}', "max_tokens must be a non-negative integer"],
    ['{"model":"m","max_tokens":1e99,"messages":[]}', "max_tokens must be a non-negative integer"],
    ['{"model":"m","max_tokens":1}', "messages: Field required"],
    ['{"model":"m","max_tokens":1,"messages":{}}', "messages must be an array"],
    ['{"model":"m","max_tokens":1,"messages":[],"stream":"true"}', "stream must be a boolean"],
  ])("refuses %s because %s", (text, message) => {
    expect(refusalOf(text)).toEqual({ code: "weir:request:invalid_field", message });
  });

  it("refuses a model name of absurd length", () => {
    expect(refusalOf(`{"model":"${"m".repeat(513)}","max_tokens":1,"messages":[]}`).message).toMatch(/at most 512/);
  });

  it("does not take an inherited property for a field", () => {
    expect(refusalOf('{"__proto__":{"model":"m"},"max_tokens":1,"messages":[]}').message).toBe("model is required");
  });
});
