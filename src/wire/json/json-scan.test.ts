import * as fc from "fast-check";
import { describe, expect, it, vi } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { scanJson, scanLongStrings, type JsonScan } from "./json-scan.ts";

const scan = (text: string, maxDepth = 128): JsonScan => scanJson(Buffer.from(text), maxDepth);

function refusalOf(text: string | Buffer, maxDepth = 128): string {
  try {
    scanJson(Buffer.from(text), maxDepth);
  } catch (error) {
    if (error instanceof WeirError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return "";
}

/** What the scan must agree with: an object for JSON.parse. */
function isJsonObject(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value);
  } catch {
    return false;
  }
}

/** Texts near the border of the grammar: fragments that make sense beside ones that do not. */
const FRAGMENTS = [
  ["{", "}", "[", "]", ":", ",", '"', "\\", "\\u", "\\u00e9", "\\x", "0", "01", "1", "-", "-0", "1.", ".5", "1.5e"],
  ["1e+5", "1E-0", "true", "tru", "false", "falsy", "null", "nul", " ", "\n", "\t", "\r", "\f", "\u0000", "\u001f"],
  ["é", "𝄞", "\u007f", "\u2028", '"a"', '"b":', "{}", "[]", '{"a":1}', "a".repeat(15), "b".repeat(16), "c".repeat(17)],
].flat();
const fragments = fc.constantFrom(...FRAGMENTS);

describe("what counts as JSON", () => {
  it("is what JSON.parse takes, in objects of any shape with any character replaced", () => {
    const document = fc.dictionary(fc.string({ unit: "binary" }), fc.jsonValue({ stringUnit: "binary" }), {
      noNullPrototype: true,
    });
    const spacing = fc.constantFrom(undefined, 0, 1, 4, "\t");
    const edit = fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(2), fragments);
    fc.assert(
      fc.property(document, spacing, fc.array(edit, { maxLength: 3 }), (value, indent, edits) => {
        let text = JSON.stringify(value, null, indent);
        for (const [where, removed, inserted] of edits) {
          const at = Math.floor(where * text.length);
          text = (text.slice(0, at) + inserted + text.slice(at + removed)).toWellFormed();
        }
        const unique = !refusalOf(text).includes("appears twice");
        if (unique) expect(refusalOf(text) === "").toBe(isJsonObject(text));
      }),
      { numRuns: 3_000 },
    );
  });

  it("is what JSON.parse takes, in heaps of fragments", () => {
    fc.assert(
      fc.property(fc.array(fragments, { maxLength: 12 }), (parts) => {
        for (const text of [`{"k":${parts.join("")}}`, parts.join(""), `{${parts.join("")}`]) {
          const refusal = refusalOf(text);
          if (!refusal.includes("appears twice")) expect(refusal === "").toBe(isJsonObject(text));
        }
      }),
      { numRuns: 5_000 },
    );
  });

  it("does not depend on where in a block of sixteen bytes something stands", () => {
    for (let length = 0; length < 70; length++) {
      const filler = "x".repeat(length);
      expect(scan(`{"${filler}":"${filler}"}`).members).toEqual([
        { key: filler, keyStart: 1, valueStart: length + 4, valueEnd: 2 * length + 6 },
      ]);
      expect(refusalOf(`{"a":"${filler}`)).toContain(`at byte ${length + 6}`);
      expect(refusalOf(`{"a":"${filler}\u0001"}`)).toContain(`at byte ${length + 6}`);
      expect(refusalOf(`{"a":"${filler}\\`)).toContain("malformed_json");
      expect(refusalOf(`{"a":"${filler}\\"`)).toContain("malformed_json");
      expect(refusalOf(`{"a":"${filler}\\u00`)).toContain("malformed_json");
    }
  });

  it("does not see what a longer text left behind", () => {
    scan(`{"a":"${"x".repeat(500)}","b":[1,2,3]}`);
    expect(refusalOf('{"a":"x')).toContain("at byte 7");
    expect(refusalOf('{"a":1')).toContain("at byte 6");
    expect(refusalOf('{"a":12,')).toContain("at byte 8");
    expect(refusalOf("{")).toContain("at byte 1");
    expect(refusalOf("")).toContain("at byte 0");
    expect(refusalOf('{"a":tru')).toContain("malformed_json");
  });
});

describe("members", () => {
  it("are found where they are, in any document", () => {
    const key = fc.string({ unit: "binary" }).filter((key) => key !== "__proto__");
    const document = fc.dictionary(key, fc.jsonValue({ stringUnit: "binary" }), { noNullPrototype: true });
    fc.assert(
      fc.property(document, fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
        const body = Buffer.from(JSON.stringify(value, null, indent));
        const { members } = scanJson(body, 1_000);
        const rebuilt = members.map(({ key, valueStart, valueEnd }) => [
          key,
          JSON.parse(body.toString("utf8", valueStart, valueEnd)),
        ]);
        expect(rebuilt).toEqual(Object.entries(JSON.parse(body.toString())));
        for (const { key, keyStart, valueStart } of members) {
          expect(body.toString("utf8", keyStart, valueStart).trimEnd()).toBe(`${JSON.stringify(key)}:`);
        }
      }),
    );
  });

  it("have their names in plain, however they are written", () => {
    expect(scan(String.raw`{"mod\u0065l" : 1, "größe":2}`).members).toMatchObject([{ key: "model" }, { key: "größe" }]);
  });

  it("are not named twice, also not in disguise", () => {
    expect(refusalOf(String.raw`{"model":"a","mod\u0065l":"b"}`)).toBe(
      'weir:request:invalid_field: The key "model" appears twice in the request.',
    );
  });

  it("are at most a thousand", () => {
    const text = (n: number): string => `{${Array.from({ length: n }, (_, i) => `"k${i}":${i}`).join(",")}}`;
    expect(scan(text(1_000)).members).toHaveLength(1_000);
    expect(refusalOf(text(1_001))).toContain("more than 1000 fields");
  });
});

describe("limits", () => {
  it("hold for nesting, to the level", () => {
    const nested = (levels: number): string => `{"a":${"[".repeat(levels - 1)}${"]".repeat(levels - 1)}}`;
    expect(refusalOf(nested(64), 64)).toBe("");
    expect(refusalOf(nested(65), 64)).toContain("nested deeper than 64 levels");
    expect(refusalOf(`{"a":${"[".repeat(100_000)}`, 1_000)).toContain("nested deeper");
    expect(refusalOf(nested(4_000), 1_000_000)).toBe("");
    expect(refusalOf(nested(4_001), 1_000_000)).toContain("nested deeper than 4000 levels");
  });

  it("do not exist for size: a body of many megabytes is scanned like a small one", () => {
    const long = "y".repeat(5 * 1024 * 1024);
    expect(scan(`{"a":"${long}","b":1}`).members).toHaveLength(2);
    expect(refusalOf(`{"a":"${long}`)).toContain("malformed_json");
    expect(scan('{"b":1}').members).toHaveLength(1);
  });

  it.each([["[]"], ['"text"'], ["7"], ["null"], ["true"]])("are for objects: %s is refused", (text) => {
    expect(refusalOf(text)).toBe("weir:request:malformed_json: The request body must be a JSON object.");
  });

  it("refuse bytes that are no UTF-8", () => {
    expect(refusalOf(Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]))).toContain("bad_encoding");
  });
});

describe("words that the gateway acts on", () => {
  const spelled = (word: string, escaped: readonly string[]): string =>
    word
      .split("")
      .map((letter) => (escaped.includes(letter) ? `\\u00${letter.charCodeAt(0).toString(16)}` : letter))
      .join("");

  it("are found as keys and values of any JSON, however they are written", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), fc.subarray("file_id1h".split("")), (value, noise, escaped) => {
        const before = `{${JSON.stringify(`_${noise}`)}:${JSON.stringify(value)},`;
        expect(scan(`${before}"${spelled("file_id", escaped)}" : "x"}`).mentionsFiles).toBe(true);
        expect(scan(`${before}"x":"${spelled("1h", escaped)}"}`).mentionsOneHour).toBe(true);
      }),
    );
  });

  it.each([
    '{"tool_use_id":"toolu_1","text":"zero 1000000 \\u00e9 \\u001b[0m \\u4e00 00"}',
    '{"text":"the \\"file_id\\" of a file for \\"1h\\""}',
    '{"text":"C:\\\\u0066 and \\\\u0031"}',
    '{"file_idx":"11h","xfile_id":"1hh","file_i":"1","FILE_ID":"1H"}',
    "{}",
  ])("are not seen in %s", (text) => {
    expect(scan(text)).toMatchObject({ mentionsFiles: false, mentionsOneHour: false });
  });

  it("tells where Weir itself may have written something", () => {
    expect(scan('{"a":[{"signature":"weir-unsigned"}]}').mentionsWeir).toBe(true);
    expect(scan('{"a":"weir:"}').mentionsWeir).toBe(true);
    expect(scan('{"a":"weir-"}').mentionsWeir).toBe(true);
    expect(scan('{"a":"weir:openai-reasoning:v1:e30"}').mentionsWeir).toBe(true);
    for (const other of ["weir", "weirs:", "a weir-unsigned", "WEIR:", "weir"]) {
      expect(scan(JSON.stringify({ a: other })).mentionsWeir).toBe(false);
    }
  });
});

describe("a long text", () => {
  it("is scanned in one memory that is used again, also after shorter and broken ones", () => {
    const made = vi.spyOn(WebAssembly, "Instance");
    const long = (bytes: number): string => `{"a":"${"x".repeat(bytes)}","weir":1}`;
    for (const bytes of [5_000_000, 9_000_000, 5_000_000, 6_000_000]) {
      expect(scan(long(bytes)).members.map(({ key }) => key)).toEqual(["a", "weir"]);
      expect(() => scan(long(bytes).slice(0, -1))).toThrow("not valid JSON");
    }
    expect(made.mock.calls.length).toBeLessThanOrEqual(1);
    made.mockRestore();
  });
});

describe("long strings", () => {
  const spansOf = (text: string): string[] => {
    const body = Buffer.from(text);
    const spans = scanLongStrings(body, 128);
    return Array.from({ length: spans.length / 2 }, (_, i) => body.toString("utf8", spans[i * 2], spans[i * 2 + 1]));
  };

  it("are found from 256 bytes on, in their order, keys too, and none of an earlier text", () => {
    const [a, b, key] = ["ä".repeat(128), `\\"${"b".repeat(9_000)}`, "k".repeat(300)];
    expect(spansOf(`{"s":"${"x".repeat(255)}","a":["${a}",{"${key}":"${b}"}]}`)).toEqual([a, key, b]);
    expect(spansOf('{"a":1}')).toEqual([]);
  });

  it("are all found where there is nothing else", () => {
    const one = "x".repeat(256);
    for (const count of [1, 2, 255, 3_000]) {
      expect(spansOf(`{"a":[${Array.from({ length: count }, () => `"${one}"`).join()}]}`)).toHaveLength(count);
    }
  });
});
