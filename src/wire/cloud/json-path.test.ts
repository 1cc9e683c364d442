import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { findMembers, jsonPath } from "./json-path.ts";

/** Finds below the whole document and cuts what was found. */
function cut(json: string, ...paths: string[]): { found: string[]; rest: unknown; values: unknown[] } {
  const text = Buffer.from(json, "utf8").toString("latin1");
  const at = /\S/.exec(text)?.index ?? 0;
  const { members, cuts } = findMembers(text, { at, label: "$", paths: paths.map((path) => jsonPath(path)) });
  let rest = "";
  let from = 0;
  for (const { start, end } of [...cuts].sort((a, b) => a.start - b.start)) {
    rest += text.slice(from, start);
    from = end;
  }
  rest += text.slice(from);
  const utf8 = (latin1: string): string => Buffer.from(latin1, "latin1").toString("utf8");
  return {
    found: members.map(({ path }) => path),
    rest: JSON.parse(utf8(rest)),
    values: members.map(({ valueStart, valueEnd }) => JSON.parse(utf8(text.slice(valueStart, valueEnd))) as unknown),
  };
}

describe("findMembers", () => {
  it("finds a member through objects and arrays, and says where it is", () => {
    const { found, values, rest } = cut('{"a":[{"b":{"c":1}},{"b":{"c":[2,{"c":3}]}}],"c":4}', "a[].b.c");

    expect(found).toEqual(["$.a[0].b.c", "$.a[1].b.c"]);
    expect(values).toEqual([1, [2, { c: 3 }]]);
    expect(rest).toEqual({ a: [{ b: {} }, { b: {} }], c: 4 });
  });

  it.each([
    ['{"x":1,"a":2,"b":3}', { b: 3 }],
    ['{"b":3,"x":1,"a":2}', { b: 3 }],
    ['{"x":1,"b":3,"a":2}', { b: 3 }],
    ['{"x":1,"a":2}', {}],
    [' { "x" : 1 , "b" : 3 , "a" : 2 } ', { b: 3 }],
    ['{"b":3}', { b: 3 }],
    ["{}", {}],
    ["[]", []],
    ["7", 7],
  ])("cuts two members out of one object with their commas: %s", (json, rest) => {
    expect(cut(json, "x", "a").rest).toEqual(rest);
  });

  it("is not misled by strings that look like JSON, nor by escaped keys", () => {
    const document = { text: '"}],{"x":1', "\\": "\\", 日本: '\\"', x: { y: "}" } };
    const json = JSON.stringify(document).replace('"x":{', '"\\u0078":{');

    const { found, rest } = cut(json, "x.y");

    expect(found).toEqual(["$.x.y"]);
    expect(rest).toEqual({ ...document, x: {} });
  });

  it("cuts from any document exactly what deleting from the parsed one would", () => {
    const key = fc.constantFrom("x", "a", "b", "日", '"');
    const top = fc.constantFrom("x", "a", "b", '"');
    const inner = fc.dictionary(key, fc.jsonValue({ maxDepth: 2 }));
    const document = fc.dictionary(top, fc.oneof(fc.array(fc.oneof(inner, fc.jsonValue({ maxDepth: 1 }))), inner));
    fc.assert(
      fc.property(document, fc.constantFrom(0, 1), (value, indent) => {
        const expected = structuredClone(value);
        for (const list of Object.values(expected)) {
          if (!Array.isArray(list)) continue;
          for (const one of list) if (typeof one === "object" && one !== null && !Array.isArray(one)) delete one["x"];
        }
        const paths = ["x[].x", "a[].x", "b[].x", '"[].x'];
        expect(cut(JSON.stringify(value, null, indent), ...paths).rest).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
    );
  });
});
