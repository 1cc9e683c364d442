import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { topLevelNames } from "./json-body.ts";

describe("the names at the top of a JSON document", () => {
  it("are the object's own keys, whatever lies in it and however it is spaced", () => {
    const document = fc.dictionary(fc.string(), fc.jsonValue());
    fc.assert(
      fc.property(document, fc.constantFrom(0, 2), (object, indent) => {
        expect(topLevelNames(JSON.stringify(object, null, indent))).toEqual(Object.keys(object));
      }),
    );
  });

  it("stand there as often as they are written", () => {
    expect(topLevelNames('{"a":{"b":1},"\\u0061":[{"c":2}],"a":"}{"}')).toEqual(["a", "a", "a"]);
  });
});
