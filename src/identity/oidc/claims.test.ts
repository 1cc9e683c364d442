import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { claimAt, groupsAt, textAt } from "./claims.ts";

const CLAIMS = {
  email: "ada@example.com",
  "a/b": 1,
  "m~n": 2,
  "": 3,
  resource_access: { weir: { roles: ["dev", "ops"] } },
  list: [{ name: "first" }],
};

describe("a claim", () => {
  it.each<[string, unknown]>([
    ["email", "ada@example.com"],
    ["/email", "ada@example.com"],
    ["a/b", 1],
    ["/a~1b", 1],
    ["/m~0n", 2],
    ["/", 3],
    ["/resource_access/weir/roles", ["dev", "ops"]],
    ["/resource_access/weir/roles/1", "ops"],
    ["/list/0/name", "first"],
    ["/list/00/name", undefined],
    ["/list/-/name", undefined],
    ["/list/1/name", undefined],
    ["/email/length", undefined],
    ["/resource_access/other/roles", undefined],
    ["missing", undefined],
    ["constructor", undefined],
    ["/__proto__/toString", undefined],
    ["toString", undefined],
  ])("%s", (reference, expected) => {
    expect(claimAt(CLAIMS, reference)).toEqual(expected);
  });

  it("is found by the pointer to it, whatever the names on the way", () => {
    const name = fc.string({ unit: "binary", minLength: 1 });
    fc.assert(
      fc.property(fc.array(name, { minLength: 1, maxLength: 5 }), fc.jsonValue(), (names, value) => {
        const claims = names.reduceRight<unknown>((inner, key) => Object.fromEntries([[key, inner]]), value);
        const pointer = names.map((key) => `/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
        expect(claimAt(claims as Record<string, unknown>, pointer)).toEqual(value);
      }),
    );
  });
});

describe("a text", () => {
  it("is the first of several that is there and not blank", () => {
    expect(textAt({ upn: "u", mail: " m " }, ["email", "mail", "upn"])).toBe("m");
    expect(textAt({ email: "  ", upn: "u" }, ["email", "upn"])).toBe("u");
    expect(textAt({ email: 7 }, "email")).toBeNull();
  });
});

describe("groups", () => {
  it.each<[unknown, readonly string[] | null]>([
    [
      ["a", "b", "a"],
      ["a", "b"],
    ],
    ["a", ["a"]],
    ["", []],
    [[], []],
    [["a", 7, null, "", { b: 1 }], ["a"]],
    [undefined, null],
    [null, null],
    [{ a: true }, null],
  ])("of %j are %j", (value, expected) => {
    expect(groupsAt({ groups: value }, "groups")).toEqual(expected);
  });
});
