import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { formattedUserCode, newDeviceCode, newUserCode, normalizedUserCode } from "./device-codes.ts";

describe("the code for a person", () => {
  it("is eight letters without vowels, in two groups", () => {
    for (let i = 0; i < 200; i++)
      expect(newUserCode()).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
  });

  it("uses every letter about equally often", () => {
    const counts = new Map<string, number>();
    for (let i = 0; i < 5_000; i++)
      for (const letter of newUserCode().replace("-", "")) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    // 40,000 letters of 20: 2,000 each, with a deviation of 44.
    expect(counts.size).toBe(20);
    expect(Math.min(...counts.values())).toBeGreaterThan(1_700);
    expect(Math.max(...counts.values())).toBeLessThan(2_300);
  });

  it("is understood however a person writes it", () => {
    fc.assert(
      fc.property(fc.constantFrom("-", " ", "", "–", "_", " - ", "."), fc.boolean(), (separator, isLower) => {
        const code = newUserCode();
        const typed = ` ${code.replace("-", separator)} `;
        const letters = normalizedUserCode(isLower ? typed.toLowerCase() : typed);
        expect(letters === null ? null : formattedUserCode(letters)).toBe(code);
      }),
    );
  });

  it("is nothing else", () => {
    for (const text of [
      "",
      "WDJB",
      "WDJB-MJH",
      "WDJB-MJHTT",
      "WDJB-MJH0",
      "AEIO-UAEI",
      "WDJB/MJHT",
      "WDJBMJHТ" /* Cyrillic */,
    ]) {
      expect(normalizedUserCode(text)).toBeNull();
    }
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        const letters = normalizedUserCode(text);
        expect(letters ?? "BBBBBBBB").toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
      }),
    );
  });
});

describe("the code for a device", () => {
  it("is 256 random bits", () => {
    const codes = Array.from({ length: 1_000 }, newDeviceCode);
    expect(new Set(codes).size).toBe(1_000);
    for (const code of codes) expect(code).toMatch(/^[\w-]{43}$/);
  });
});
