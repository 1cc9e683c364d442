import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { SealedBox } from "./sealed-box.ts";

const box = new SealedBox(["secret one", "secret two"], "a purpose");

describe("a sealed box", () => {
  it("gives any text back, and never seals alike", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(box.open(box.seal(text))).toBe(text.toWellFormed());
        expect(box.seal(text)).not.toBe(box.seal(text));
      }),
    );
  });

  it("opens with an older secret, not with a strange one or for another purpose", () => {
    const sealed = new SealedBox(["secret two"], "a purpose").seal("text");
    expect(box.open(sealed)).toBe("text");
    expect(new SealedBox(["secret three"], "a purpose").open(sealed)).toBeNull();
    expect(new SealedBox(["secret two"], "another purpose").open(sealed)).toBeNull();
  });

  it("does not open what was changed anywhere, cut or made up", () => {
    const sealed = Buffer.from(box.seal("text"), "base64url");
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] ?? 0) ^ flip;
        expect(box.open(changed.toString("base64url"))).toBeNull();
        expect(box.open(sealed.subarray(0, at).toString("base64url"))).toBeNull();
      }),
    );
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(box.open(text)).toBeNull();
      }),
    );
  });
});
