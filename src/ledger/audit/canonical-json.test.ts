import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { canonicalJson } from "./canonical-json.ts";

describe("canonicalJson", () => {
  it("sorts members at every depth and leaves no white space", () => {
    expect(canonicalJson({ b: [1, { d: null, c: true }], a: "ü" })).toBe('{"a":"ü","b":[1,{"c":true,"d":null}]}');
  });

  it("writes what has no exact form as a text", () => {
    const value = { half: 0.5, huge: 2 ** 60, none: Number.NaN, big: 12n, at: new Date(0), minus: -0 };
    expect(canonicalJson(value)).toBe(
      '{"at":"1970-01-01T00:00:00.000Z","big":"12","half":"0.5","huge":"1152921504606847000","minus":0,"none":"NaN"}',
    );
  });

  it("leaves undefined members out, and makes null of undefined elements", () => {
    expect(canonicalJson({ a: undefined, b: [undefined] })).toBe('{"b":[null]}');
  });

  it("replaces what PostgreSQL cannot keep, in names too", () => {
    expect(canonicalJson({ "a\0": "\uD800x" })).toBe('{"a\uFFFD":"\uFFFDx"}');
  });

  it("refuses endless nesting", () => {
    const endless: Record<string, unknown> = {};
    endless["self"] = endless;
    expect(() => canonicalJson(endless)).toThrow(RangeError);
  });

  it("is the same text for what it has written itself, whatever it is", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = canonicalJson(value);
        expect(canonicalJson(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it("does not depend on the order in which members were set", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (record) => {
        const turned = Object.fromEntries(Object.entries(record).toReversed());
        expect(canonicalJson(turned)).toBe(canonicalJson(record));
      }),
    );
  });
});
