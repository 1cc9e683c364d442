import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { scanJson } from "../json/json-scan.ts";
import { BodyEdit, memberOf, valueOf } from "./body-edit.ts";

function editOf(json: string): { edit: BodyEdit; body: Buffer } {
  const body = Buffer.from(json);
  return { edit: new BodyEdit(body, scanJson(body, 100).members), body };
}

describe("BodyEdit", () => {
  it("gives the very bytes when nothing is changed", () => {
    const { edit, body } = editOf(' { "a" : 1.50,\n"b":"\\u0041" } ');

    expect(edit.toBuffer().equals(body)).toBe(true);
  });

  it("keeps spacing and spelling of what stays", () => {
    const { edit } = editOf('{ "a" : 1.50, "model" : "m" ,\n "b" : "\\u0041" }');
    edit.remove("model");
    edit.insert("first", "[1]");

    expect(edit.toBuffer().toString()).toBe('{"first":[1], "a" : 1.50 ,\n "b" : "\\u0041" }');
  });

  it("removes, inserts and replaces in any object as one would in the parsed one", () => {
    const key = fc.constantFrom("a", "b", "c", "d", "日本");
    fc.assert(
      fc.property(
        fc.dictionary(key, fc.jsonValue({ maxDepth: 2 })),
        fc.uniqueArray(key),
        fc.array(fc.tuple(fc.constantFrom("x", "y"), fc.jsonValue({ maxDepth: 1 })), { maxLength: 2 }),
        fc.constantFrom(0, 2),
        (object, removed, inserted, indent) => {
          const { edit } = editOf(JSON.stringify(object, null, indent));
          for (const key of removed) edit.remove(key);
          for (const [key, value] of inserted) edit.insert(key, JSON.stringify(value));

          const kept = Object.entries(object).filter(([key]) => !removed.some((one) => one === key));
          const expected = JSON.stringify(Object.fromEntries([...kept, ...inserted]));
          expect(JSON.parse(edit.toBuffer().toString())).toEqual(JSON.parse(expected));
        },
      ),
    );
  });

  it("replaces a stretch", () => {
    const { edit, body } = editOf('{"a":1,"b":2}');
    const member = memberOf(scanJson(body, 9).members, "b");
    edit.replace(member?.valueStart ?? 0, member?.valueEnd ?? 0, '"zwei – 二"');

    expect(edit.toBuffer().toString()).toBe('{"a":1,"b":"zwei – 二"}');
  });

  it("reads a member's value", () => {
    const { body } = editOf('{"a":{"é":[1]}}');

    expect(valueOf(body, scanJson(body, 9).members, "a")).toEqual({ é: [1] });
    expect(valueOf(body, scanJson(body, 9).members, "b")).toBeUndefined();
  });
});
