import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { displayWidth, fitWidth, padTo, printable } from "./text-width.ts";

describe("the width of text on a terminal", () => {
  it.each([
    ["plain", 5],
    ["", 0],
    ["田中", 4],
    ["ｶﾅ", 2],
    ["한글", 4],
    ["（全角）", 8],
    ["é", 1],
    ["e\u0301", 1],
    ["👍", 2],
    ["👩‍👩‍👧", 2],
    ["❤️", 2],
    ["–…✓", 3],
  ])("of %j is %i", (text, width) => {
    expect(displayWidth(text)).toBe(width);
  });

  it("cuts to a width with an ellipsis, never through a wide character", () => {
    expect(fitWidth("abcdef", 4)).toBe("abc…");
    expect(fitWidth("田中太郎", 6)).toBe("田中…");
    expect(fitWidth("abc", 3)).toBe("abc");
  });

  it("given any text, what it fits and pads has exactly the width asked for, or one less beside a wide character", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 20 }), (text, width) => {
        expect(displayWidth(fitWidth(text, width))).toBeLessThanOrEqual(width);
        expect(displayWidth(padTo(fitWidth(text, width), width))).toBe(width);
      }),
    );
  });

  it("pads on the side that the alignment leaves free", () => {
    expect(padTo("7", 3, "right")).toBe("  7");
    expect(padTo("中", 4)).toBe("中  ");
  });
});

describe("text from elsewhere", () => {
  it("loses every character that could steer the terminal or turn the reading direction", () => {
    expect(printable("a\u001b[31mb\r\nc\u202ed")).toBe("a\\u001b[31mb\\u000d\\u000ac\\u202ed");
  });

  it("given anything, has no control characters left", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(/\p{Cc}/u.test(printable(text))).toBe(false);
      }),
    );
  });
});
