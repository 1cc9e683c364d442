import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { JsonSpans } from "./json-spans.ts";

const spaced = fc.constantFrom(undefined, 1, "\t\r\n ");

describe("spans of a JSON text", () => {
  it("cut an object into its members", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), spaced, (object, space) => {
        const text = ` ${JSON.stringify(object, null, space)}\n`;
        const spans = new JsonSpans(text, 1_000);
        const members = [...spans.membersOf(spans.root)];
        expect(members.map(({ key }) => key)).toEqual(Object.keys(object));
        const values = members.map(({ start, end }) => text.slice(start, end));
        expect(values.map((value): unknown => JSON.parse(value))).toEqual(
          Object.values(object).map((value): unknown => JSON.parse(JSON.stringify(value))),
        );
        for (const value of values) expect(value).toBe(value.trim());
      }),
    );
  });

  it("cut an array into its items", () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spaced, (array, space) => {
        const text = JSON.stringify(array, null, space);
        const spans = new JsonSpans(text, 1_000);
        const items = [...spans.itemsOf(spans.root)].map(({ start, end }): unknown =>
          JSON.parse(text.slice(start, end)),
        );
        expect(items).toEqual(JSON.parse(text));
      }),
    );
  });

  it("decode keys and show repeats", () => {
    const spans = new JsonSpans('{"a":1,"\\u0061":2,"q\\"":3}', 10);
    expect([...spans.membersOf(0)].map(({ key }) => key)).toEqual(["a", "a", 'q"']);
  });

  it("refuse what is nested too deeply", () => {
    const nested = (levels: number): string => `[${"[".repeat(levels)}${"]".repeat(levels)}]`;
    expect([...new JsonSpans(nested(5), 5).itemsOf(0)]).toHaveLength(1);
    expect(() => [...new JsonSpans(nested(6), 5).itemsOf(0)]).toThrow(/nested too deeply/);
  });
});
